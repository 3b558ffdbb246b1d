"""The ``gossamer`` command: train, predict, list datasets, print the installation.

This module and :mod:`gossamer.cli.parser` import only lightweight modules; each command imports
what it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gossamer.cli.parser import UsageError, build_parser
from gossamer.cli.signals import EXIT_INTERRUPTED, EXIT_TERMINATED, Terminated
from gossamer.errors import GossamerError

__all__ = ["main"]

EXIT_USAGE = 2
EXIT_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one ``gossamer`` command and return its exit code.

    An invalid argument, file or machine state is reported as one line on stderr. Any other
    exception is a bug and keeps its traceback.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program name. Default: ``sys.argv[1:]``.

    Returns
    -------
    int
        0 on success, 2 on an error that the user can fix, 130 after Ctrl-C, 141 if the output pipe
        is closed, 143 after SIGTERM during training.
    """
    command = "gossamer"
    # With this, the order of MKL's sums does not depend on the threads or operand addresses.
    os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
    try:
        _check_encoding(sys.argv[1:] if argv is None else argv)
        args = build_parser().parse_args(argv)
        command = " ".join(filter(None, ["gossamer", args.command, getattr(args, "action", None)]))
        code = args.run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as error:
        print(f"{command}: interrupted.", file=sys.stderr)
        return EXIT_TERMINATED if isinstance(error, Terminated) else EXIT_INTERRUPTED
    except UsageError as error:
        return _fail(error.prog, str(error))
    except GossamerError as error:
        return _fail(command, str(error))
    except BrokenPipeError:
        # The output pipe is closed (`| head`): exit silently with the code of SIGPIPE.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except OSError as error:
        what = error.strerror or str(error)
        where = f": {error.filename}" if error.filename else ""
        return _fail(command, f"{what}{where}. Check the path and its permissions.")


def _check_encoding(argv: Sequence[str]) -> None:
    """Raise an error for an argument that is not UTF-8 text, which cannot be written to files."""
    for argument in argv:
        # Python represents bytes that it cannot decode as lone surrogates.
        if not argument.isprintable() and any("\ud800" <= c <= "\udfff" for c in argument):
            shown = argument.encode("ascii", "backslashreplace").decode()
            raise UsageError(
                f"The argument '{shown}' is not UTF-8 text. Rename the file or folder."
            )


def _fail(command: str, message: str) -> int:
    """Print `message` as one line on stderr."""
    print(f"{command}: error: {' '.join(message.split())}", file=sys.stderr)
    return EXIT_USAGE
