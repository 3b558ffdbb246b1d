"""Record what DGL gives for the calls in the tables `cases_*.py`.

Run where DGL 2.1.0 is installed, from the root of the repository::

    python tests/golden/record.py [AREA ...]

It writes one file ``<area>.json`` for each table: the text of every case and its answer, a case a
line. A call that kills the process is recorded as the error ``killed``; that is why the calls run
in a process of their own, which is started again after such a call. A second run writes the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden import harness


def main(areas: list[str]) -> None:
    """Record the tables of `areas`, or all."""
    for area in areas or harness.areas():
        table = harness.load(area)
        names = [str(case) for case in table.cases]
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise SystemExit(f"{area}: these cases are listed twice: {twice}")
        answers = _answers(area, names)
        lines = ",\n".join(f"{json.dumps(n)}: {_compact(answers[n])}" for n in names)
        table.path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
        errors = sum(map(harness.is_error, answers.values()))
        size = table.path.stat().st_size / 1024
        print(f"{area}: {len(names)} cases, {errors} of them errors, {size:.0f} KiB")


def _compact(answer: object) -> str:
    return json.dumps(answer, separators=(",", ":"))


def _answers(area: str, names: list[str]) -> dict[str, object]:
    answers: dict[str, object] = {}
    while len(answers) < len(names):
        command = [sys.executable, __file__, "--worker", area, str(len(answers))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            for line in worker.stdout:
                if line.startswith("{"):
                    answers[names[len(answers)]] = json.loads(line)["answer"]
        if worker.returncode > 0:
            raise SystemExit(f"{names[len(answers)]}: the case itself is wrong")
        if len(answers) < len(names):
            answers[names[len(answers)]] = {"error": "killed"}
    return answers


def worker(area: str, first: int) -> None:
    """Print an answer a line, from case number `first` on."""
    warnings.simplefilter("ignore")
    import dgl

    table = harness.load(area)
    for case in table.cases[first:]:
        answer = harness.outcome(dgl, table, case)
        print(json.dumps({"answer": answer}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2], int(sys.argv[3]))
    else:
        main(sys.argv[1:])
