"""CSV as a spreadsheet may open it."""

import csv

import pytest

from metrics.spreadsheets import write_csv


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_would_be_a_formula_is_marked_as_text(text: str) -> None:
    (row,) = csv.reader("".join(write_csv([[text]])).splitlines(keepends=True))
    assert row[0].startswith("'")


@pytest.mark.parametrize(
    ("value", "cell"),
    [("-0.5", "-0.5"), (-2, "-2"), ("4.1.0", "4.1.0"), (None, ""), (True, "yes"), (False, "no")],
)
def test_numbers_versions_and_nothing_stand_as_they_are(value: object, cell: str) -> None:
    assert list(write_csv([["a", value]])) == [f"a,{cell}\r\n"]
