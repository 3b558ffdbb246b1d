"""The report in Chromium: on a phone, by keyboard, light and dark. Skipped without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gossamer.cli.report import render_report
from gossamer.cli.results import RunResult
from helpers.browser import ask, chromium


@pytest.fixture
def page(recorded: RunResult) -> str:
    chromium()
    rng = np.random.default_rng(0)
    names = [f"a class with a long name {i}" for i in range(12)]
    recorded.class_names = names
    recorded.label = np.arange(60) % 12
    recorded.best.probability = rng.random((60, 12))
    for seed in recorded.seeds:
        seed.confusion = rng.integers(0, 9, (12, 12)).tolist()
    recorded.details.pictures = rng.random((60, 8, 8))
    return render_report(recorded)


FITS = """
const wide = [...doc.querySelectorAll("body *")].filter((node) =>
  !node.closest(".scroll, pre, svg") && node.getBoundingClientRect().right > 390.5);
const texts = [...doc.querySelectorAll("body *")].filter((node) =>
  [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
return {
  page: doc.documentElement.scrollWidth,
  wide: wide.map((node) => node.tagName + "." + node.className),
  smallest: Math.min(...texts.filter((n) => !n.closest("title, script, style"))
    .map((node) => parseFloat(win.getComputedStyle(node).fontSize))),
};
"""


def test_nothing_is_cut_off_on_a_phone_and_text_is_legible(page: str, tmp_path: Path) -> None:
    found = ask(page, FITS, tmp_path)
    assert found["page"] <= 390 and found["wide"] == []
    assert found["smallest"] >= 12


def test_the_matrix_scrolls_inside_a_region_that_takes_the_focus(page: str, tmp_path: Path) -> None:
    script = """
    const region = doc.querySelector(".scroll");
    region.focus();
    return [doc.activeElement === region, region.scrollWidth > region.clientWidth];
    """
    assert ask(page, script, tmp_path) == [True, True]


def test_values_are_shown_under_the_pointer_and_by_keyboard(
    page: str, recorded: RunResult, tmp_path: Path
) -> None:
    script = """
    const plot = doc.querySelector(".plot"), frame = plot.querySelector(".frame");
    const box = frame.getBoundingClientRect(), out = plot.querySelector("output");
    const at = { clientX: box.right, bubbles: true };
    frame.dispatchEvent(new win.PointerEvent("pointermove", at));
    const hovered = out.textContent;
    plot.dispatchEvent(new win.KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
    return [hovered, out.textContent];
    """
    history = recorded.best.result.history
    longest = max(seed.epochs for seed in recorded.seeds)
    hovered, moved = ask(page, script, tmp_path)
    assert hovered == f"epoch {longest}"  # the best seed stopped earlier
    last = history[longest - 2]
    expected = f" · training {last.train_loss:.4g} · validation {last.val_loss:.4g}"
    assert moved == f"epoch {longest - 1}{expected}"


def _contrast(first: list[float], second: list[float]) -> float:
    """The contrast ratio of WCAG 2."""
    parts = np.array([first[:3], second[:3]]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    bright, dark = sorted(linear @ [0.2126, 0.7152, 0.0722], reverse=True)
    return float((bright + 0.05) / (dark + 0.05))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_color_schemes(page: str, tmp_path: Path, scheme: str) -> None:
    script = """
    const color = (node, name) =>
      win.getComputedStyle(node)[name].match(/[\\d.]+/g).map(Number);
    const card = color(doc.querySelector("section"), "backgroundColor");
    const nodes = [".note", "h2", ".axis", ".mistakes b", ".tile dt"];
    return { card, texts: nodes.map((name) => color(doc.querySelector(name), "color")) };
    """
    found: dict[str, Any] = ask(page, script, tmp_path, scheme=scheme)
    assert (sum(found["card"][:3]) < 200) is (scheme == "dark")
    assert min(_contrast(text, found["card"]) for text in found["texts"]) >= 4.5


def test_the_copy_button_gives_the_command(page: str, tmp_path: Path) -> None:
    script = """
    const button = doc.querySelector(".copy");
    button.click();
    await new Promise((done) => setTimeout(done, 50));
    return [button.textContent, win.getSelection().toString()];
    """
    text, selected = ask(page, script, tmp_path)
    assert text == "Copied" or (text == "Selected" and selected.startswith("gossamer train"))
