"""docs/moving_from_dgl.md says what is true."""

from __future__ import annotations

import contextlib
import io
import re

from golden import list_differences
from gossamer.compat.dgl import uninstall

GUIDE = list_differences.GUIDE.read_text(encoding="utf-8")


def test_example_runs_and_prints_what_it_says() -> None:
    [(code, output)] = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", GUIDE, re.DOTALL)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "moving_from_dgl.md", "exec"), {"__name__": "guide"})
    finally:
        uninstall()
    assert printed.getvalue() == output


def test_every_deliberate_difference_is_listed() -> None:
    listed = GUIDE.partition(list_differences.BEGIN)[2].partition(list_differences.END)[0]
    expected = list_differences.markdown()
    assert listed.strip() == expected.strip(), (
        "run: python tests/golden/list_differences.py --write"
    )
