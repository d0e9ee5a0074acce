"""The weeks and quarters that are summed up on one page: their names and their days; pure."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

WEEK, QUARTER = "week", "quarter"
WEEK_NAME = re.compile(r"(2[01]\d\d)-W(\d\d)", re.ASCII)
QUARTER_NAME = re.compile(r"(2[01]\d\d)-Q([1-4])", re.ASCII)
NEITHER = "of is a week such as 2026-W47 or a quarter such as 2026-Q3; shown is the last one."


@dataclass(frozen=True, slots=True)
class Span:
    """A week (ISO, Monday first) or a quarter; `to` is the day after its last."""

    kind: str
    name: str
    title: str
    from_: date
    to: date

    @property
    def before(self) -> "Span":
        """The one before it."""
        return span_at(self.kind, self.from_ - timedelta(days=1))

    @property
    def after(self) -> "Span":
        """The one after it."""
        return span_at(self.kind, self.to)


def span_at(kind: str, day: date) -> Span:
    """The week or quarter a day lies in."""
    if kind == WEEK:
        year, week, weekday = day.isocalendar()
        begin = day - timedelta(days=weekday - 1)
        title = f"Week {week} of {year}"
        return Span(WEEK, f"{year}-W{week:02}", title, begin, begin + timedelta(days=7))
    number = (day.month - 1) // 3
    begin = date(day.year, number * 3 + 1, 1)
    end = date(day.year + 1, 1, 1) if number == 3 else date(day.year, number * 3 + 4, 1)
    title = f"Quarter {number + 1} of {day.year}"
    return Span(QUARTER, f"{day.year}-Q{number + 1}", title, begin, end)


def last_span(kind: str, today: date) -> Span:
    """The latest that is over."""
    return span_at(kind, today).before


def read_span(name: str, kind: str, today: date) -> tuple[Span, str]:
    """The one of that name, else the last of the kind (a week, where it says neither), and what was wrong."""
    kind = kind if kind in (WEEK, QUARTER) else WEEK
    if not name:
        return last_span(kind, today), ""
    found = None
    if match := WEEK_NAME.fullmatch(name):
        try:
            found = span_at(WEEK, date.fromisocalendar(int(match[1]), int(match[2]), 1))
        except ValueError:
            found = None
    elif match := QUARTER_NAME.fullmatch(name):
        found = span_at(QUARTER, date(int(match[1]), int(match[2]) * 3, 1))
    if found is None:
        return last_span(kind, today), NEITHER
    return found, ""
