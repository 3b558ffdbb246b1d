"""Pages in Chromium: in frames of a given width and color scheme, asked by a script."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")

WRAPPER = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">
<iframe width="{width}" height="900" style="border:0;color-scheme:{scheme}"
  srcdoc="{page}"></iframe>
<script>
onload = () => setTimeout(async () => {{
  const frame = document.querySelector("iframe"), win = frame.contentWindow, doc = win.document;
  let found;
  try {{ found = await (async () => {{ {script} }})(); }} catch (error) {{ found = "" + error; }}
  const text = document.createElement("pre");
  text.id = "found";
  text.textContent = JSON.stringify(found);
  document.body.append(text);
}}, 100);
</script>"""


def chromium() -> str:
    """Return the browser's path, or skip the test."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip("needs Chromium: install the package chromium")
    raise AssertionError("skip does not return")


def ask(page: str, script: str, folder: Path, width: int = 390, scheme: str = "light") -> Any:
    """Run the body of a function in a page of that width; return its result.

    `doc` is the document of the page and `win` its window.
    """
    wrapper = folder / "wrapper.html"
    content = {"page": escape(page, quote=True), "script": script, "scheme": scheme}
    wrapper.write_text(WRAPPER.format(width=width, **content), encoding="utf-8")
    run = subprocess.run(
        [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000",
         f"--user-data-dir={folder / 'profile'}", "--dump-dom", wrapper.as_uri()],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = re.search(r'<pre id="found">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found, run.stderr[-2000:]
    return json.loads(unescape(found[1]))
