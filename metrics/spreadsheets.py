"""CSV as a spreadsheet may open it, in one place for every export."""

import csv
import re
from collections.abc import Iterable, Iterator

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)


def write_csv(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The rows, the first with the names of the columns, as lines of CSV (RFC 4180), one at a time.

    Texts that would be formulas are marked as texts; None is empty, true and false are yes and no.
    """
    writer = csv.writer(_Echo())
    for row in rows:
        yield str(writer.writerow([_cell(value) for value in row]))


class _Echo:
    """Gives each line back in place of writing it anywhere."""

    def write(self, line: str) -> str:
        return line


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(_BEGINNINGS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
