"""Terminal tables."""

from __future__ import annotations

from gossamer.cli.text import format_table


def test_columns_align_and_lines_have_no_trailing_blanks() -> None:
    table = format_table(["name", "n"], [["a", "5"], ["long name", "1,234"]], "<>")
    assert table.splitlines() == [
        "name           n",
        "---------  -----",
        "a              5",
        "long name  1,234",
    ]
    assert format_table(["x", "yy"], [["1", ""]]).splitlines() == ["x  yy", "-  --", "1"]


def test_a_table_without_rows_is_its_header() -> None:
    assert format_table(["a", "b"], []).splitlines() == ["a  b", "-  -"]
