"""Compare the package with the inventory of DGL's public API, if it is available.

usage: python tools/check_api.py

GOSSAMER_API_CHECK is the path of the checker, which has its inventory in the same folder. Only the
areas listed in tools/api_complete.txt must have no missing name and no parameter mismatch; the rest
of the table is for information.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPLETE = ROOT / "tools" / "api_complete.txt"
CHECKER = "GOSSAMER_API_CHECK"


def main() -> int:
    """Print the report and return 1 if an area listed as complete is incomplete."""
    parser = argparse.ArgumentParser(
        description="Compare the package with the inventory of DGL's public API, if available.",
        epilog=f"{CHECKER} is the path of the checker, with its inventory in the same folder.",
    )
    parser.parse_args()
    checker = os.environ.get(CHECKER)
    if not checker:
        print(f"check_api: skipped, {CHECKER} is not set")
        return 0
    if not Path(checker).is_file():
        print(f"check_api: {CHECKER} is {checker}, which is not a file", file=sys.stderr)
        return 1
    command = [sys.executable, checker, "--package", "gossamer"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    print(run.stdout, end="")
    if run.returncode == 2:
        print(f"check_api: {run.stderr.strip() or 'the checker failed'}", file=sys.stderr)
        return 1 if complete_areas() else 0
    table = read_table(run.stdout)
    failed = False
    for area in complete_areas():
        if area not in table:
            print(f"check_api: {COMPLETE.name} lists '{area}', which the inventory does not have")
            failed = True
            continue
        counts = {column: table[area][column] for column in ("missing", "mismatch")}
        if any(count != "0" for count in counts.values()):
            listing = "--list-missing --list-mismatch"
            print(f"check_api: '{area}' is listed as complete, but {counts}; see {listing}")
            failed = True
    return 1 if failed else 0


def complete_areas() -> list[str]:
    """Return the areas in tools/api_complete.txt."""
    lines = COMPLETE.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def read_table(report: str) -> dict[str, dict[str, str]]:
    """Return ``table[area][column]`` of the checker's report."""
    lines = iter(report.splitlines())
    columns: list[str] = []
    table = {}
    for line in lines:
        words = line.split()
        if words[:1] == ["area"]:
            columns = words[1:]
        elif columns and len(words) == len(columns) + 1:
            table[words[0]] = dict(zip(columns, words[1:], strict=True))
    return table


if __name__ == "__main__":
    sys.exit(main())
