"""The README's examples run and print what it says."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from helpers.paths import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
# A Python block and the text block that shows its output.
EXAMPLES = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", README, flags=re.DOTALL)


def test_every_example_shows_its_output() -> None:
    assert len(EXAMPLES) == README.count("```python") > 0


def test_the_two_commands_come_first() -> None:
    assert README.index("make train") < README.index("make test") < README.index("## ")


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_example(code: str, output: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert printed.getvalue() == output


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
    missing = [target for target in targets if not (REPOSITORY / target).exists()]
    assert not missing


def test_every_extra_has_its_row() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    block = project.partition("[project.optional-dependencies]\n")[2].partition("\n[")[0]
    extras = re.findall(r"^(\w+) = \[", block, flags=re.MULTILINE)
    install = (REPOSITORY / "docs" / "install.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", install, flags=re.MULTILINE) == extras
