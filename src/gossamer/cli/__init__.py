"""The ``gossamer`` command: train, predict, list datasets, describe the installation.

Nothing heavy is imported here or in :mod:`gossamer.cli.parser`; each command imports what it needs
when it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gossamer.cli.parser import UsageError, build_parser
from gossamer.errors import GossamerError

__all__ = ["main"]

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one ``gossamer`` command and return its exit code.

    Whatever the user or the machine got wrong ends as one line on stderr and code 2; Ctrl-C ends
    with code 130. Any other exception is a bug and keeps its traceback.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; default ``sys.argv[1:]``.

    Returns
    -------
    int
        0 on success, 2 on an error that the user can mend, 130 after Ctrl-C, 141 if the reader of
        our output has left.
    """
    command = "gossamer"
    try:
        args = build_parser().parse_args(argv)
        command = f"gossamer {args.command}"
        code = args.run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print(f"{command}: interrupted.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except UsageError as error:
        return _fail(error.prog, str(error))
    except GossamerError as error:
        return _fail(command, str(error))
    except BrokenPipeError:
        # The reader of our output (`| head`) has left: nothing to say, and nobody to say it to.
        # The code is that of a program which the signal SIGPIPE ended.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as error:
        what = error.strerror or str(error)
        where = f": {error.filename}" if error.filename else ""
        return _fail(command, f"{what}{where}. Check the path and its permissions.")


def _fail(command: str, message: str) -> int:
    """Print `message` as one line on stderr."""
    print(f"{command}: error: {' '.join(message.split())}", file=sys.stderr)
    return EXIT_USAGE
