"""What the examples share: options, errors in one line, progress and the last lines.

An example adds its options to a `Parser` and hands its function to `Parser.run`:

    def main(args):
        scores = [train(args, seed) for seed in range(args.seeds)]
        report("GCN on cora", "test accuracy", scores, 81.5)

    parser = Parser(__doc__)
    parser.common(DATASETS, "ind.<dataset>.*", epochs=200)
    parser.option("--hidden", at_least(1), 16, "hidden units")
    parser.run(main)
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import torch

import gossamer as gs


class Parser(argparse.ArgumentParser):
    """A parser whose errors take one line and end the program with exit code 2.

    Parameters
    ----------
    doc : str
        The docstring of the example; its first line describes the program.
    """

    def __init__(self, doc: str) -> None:
        super().__init__(description=doc.splitlines()[0], allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")

    def option(
        self, flag: str, kind: Callable[[str], Any] | Iterable[str], default: Any, help: str
    ) -> None:
        """Add an option: `kind` converts its text, or lists the texts to choose from."""
        how: dict[str, Any] = {"type": kind} if callable(kind) else {"choices": list(kind)}
        self.add_argument(flag, default=default, help=f"{help} (default: %(default)s)", **how)

    def common(
        self,
        datasets: Iterable[str],
        files: str,
        epochs: int,
        seeds: int = 10,
        default: str | None = None,
    ) -> None:
        """Add --dataset, --raw-dir, --epochs and --seeds.

        Parameters
        ----------
        datasets : iterable of str
            The names to choose from; the first is the default unless `default` is given.
        files : str
            The raw files, such as 'ind.<dataset>.*', for the help text.
        epochs, seeds : int
            Defaults.
        """
        names = list(datasets)
        self.option("--dataset", names, default or names[0], "data to train on")
        self.add_argument(
            "--raw-dir", help=f"folder with the raw files, {files} (default: download them)"
        )
        self.option("--epochs", at_least(1), epochs, "epochs of each run, at most")
        self.option("--seeds", at_least(1), seeds, "number of runs, with the seeds 0, 1, ...")

    def run(self, main: Callable[[argparse.Namespace], None]) -> None:
        """Parse the command line, call `main` and print the time it took.

        Errors of Gossamer, such as files that are missing or broken, take one line.
        """
        args = self.parse_args()
        # MKL then adds in the same order for any number of threads and any address of an operand.
        os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
        start, busy = time.perf_counter(), time.process_time()
        try:
            main(args)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            self.error(f"this example needs the package {package}: pip install '.[train]'")
        except gs.GossamerError as error:
            self.error(str(error))
        minutes, busy = (time.perf_counter() - start) / 60, (time.process_time() - busy) / 60
        count = torch.get_num_threads()
        threads = "1 thread" if count == 1 else f"{count} threads"
        print(f"{minutes:.1f} minutes, {busy:.1f} of processor time, {threads}")


def at_least(lowest: float) -> Callable[[str], Any]:
    """Return a converter to int or float, the type of `lowest`, that refuses smaller numbers."""
    return _number(type(lowest), f"of at least {lowest}", lambda value: value >= lowest)


def above(bound: float) -> Callable[[str], float]:
    """Return a converter to float that refuses `bound` and smaller numbers."""
    return _number(float, f"above {bound:g}", lambda value: value > bound)


def share(text: str) -> float:
    """Convert to a float that is at least 0 and below 1, such as a dropout rate."""
    return _number(float, "of at least 0 and below 1", lambda value: 0 <= value < 1)(text)


def _number(kind: type, expected: str, accepts: Callable[[Any], bool]) -> Callable[[str], Any]:
    noun = "an integer" if kind is int else "a number"

    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and accepts(value)):
            raise argparse.ArgumentTypeError(f"expected {noun} {expected}, got {text!r}")
        return value

    return convert


def progress(done: int, total: int, text: str) -> None:
    """Show `text` and how much is done in a line of the terminal, which the next call replaces."""
    if sys.stderr.isatty():
        line = f"{text} {done}/{total}" if done < total else ""
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def spread(scores: Sequence[float], digits: int = 2) -> str:
    """Return mean and sample standard deviation as text, such as '81.36 ± 0.51'.

    One score has no deviation: the result is '81.36'.
    """
    mean = f"{statistics.fmean(scores):.{digits}f}"
    return f"{mean} ± {statistics.stdev(scores):.{digits}f}" if len(scores) > 1 else mean


def report(
    title: str,
    metric: str,
    scores: Sequence[float],
    published: object,
    digits: int = 2,
    source: str = "published",
) -> None:
    """Print mean and deviation of the runs beside the published figure ('none' for None)."""
    print(
        f"{title}: {metric} {spread(scores, digits)} over {len(scores)} "
        f"{'run' if len(scores) == 1 else 'runs'}; {source} {published or 'none'}"
    )
