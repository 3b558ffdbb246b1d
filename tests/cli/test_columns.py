"""Columns of a table as features: dates and decimal numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas
import pytest

from gossamer.cli.columns import encode, fit_columns


@pytest.mark.parametrize(
    "days",
    [
        ["2020-01-01", "2020-01-03", None],
        ["2020-01-01 00:00", "2020-01-03T00:00:00", ""],
        ["2020-01-01T02:00:00+02:00", "2020-01-03 00:00Z", None],
        [date(2020, 1, 1), date(2020, 1, 3), None],
        pandas.to_datetime(["2020-01-01", "2020-01-03", None]),
    ],
)
def test_dates_are_numbers_in_every_form(days: list) -> None:
    frame = pandas.DataFrame({"day": days}).replace("", None)
    (column,) = fit_columns(frame, ())
    # 2020-01-01 is day 18262 since 1970.
    assert (column["kind"], column["mean"], column["scale"]) == ("number", 18263, 1)
    assert encode(frame, [column], "x.csv").tolist() == [[-1, 0], [1, 0], [0, 1]]
    # A model trained on timestamps predicts for text, and the reverse.
    other = pandas.DataFrame({"day": ["2020-01-04", "2020-01-01", "2020-01-02"]})
    assert encode(other, [column], "x.csv")[:, 0].tolist() == [2, -1, 0]


def test_text_with_a_date_that_does_not_exist_is_no_date() -> None:
    frame = pandas.DataFrame({"day": ["2020-02-30", "2020-02-01"]})
    assert fit_columns(frame, ())[0]["kind"] == "category"


def test_decimal_numbers_are_numbers() -> None:
    frame = pandas.DataFrame({"price": [Decimal("1.5"), Decimal("2.5"), None]})
    (column,) = fit_columns(frame, ())
    assert (column["kind"], column["mean"], column["scale"]) == ("number", 2, 0.5)
    np.testing.assert_array_equal(encode(frame, [column], "x.csv"), [[-1, 0], [1, 0], [0, 1]])
