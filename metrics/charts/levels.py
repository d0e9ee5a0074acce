"""Teams per level over months, claimed and verified, and how claims match facts."""

from collections.abc import Sequence
from typing import Any

from metrics.leadership import Month
from metrics.maturity.model import Level
from promotion.formats import NO_BREAK, format_percent

from .frame import PERCENT, STACKED, Chart, EndLabel, lay_out, percent_axis, upward_axis

MONTHLY = {"tickformat": "%b", "dtick": "M1", "type": "date"}


def draw_levels(months: Sequence[Month], levels: Sequence[Level], *, word: str) -> Chart:
    """How many teams stood at each level at the end of each month; `word`: claimed or verified."""
    counts = [getattr(month, word) for month in months]
    total = max((sum(each) for each in counts), default=0)
    last = counts[-1] if counts else ()
    said = ", ".join(
        f"{count} at {level.number}" for level, count in zip(levels, last, strict=False) if count
    )
    return Chart(
        slug=f"levels-{word}",
        title=f"Overall level {word}: {said or 'none yet'}",
        subtitle=f"Teams per level at the end of each month, n = {sum(last)}",
        sentence=f"Teams per {word} level by month. Last: {said or 'none yet'}.",
        figure={
            "data": [_trace_level(months, counts, level) for level in levels],
            "layout": lay_out(
                upward_axis(total, tickformat="d", nticks=min(total + 1, 6)), **STACKED
            )
            | {"xaxis": MONTHLY},
        },
        columns=("Month", *(f"{level.number} {level.title}" for level in levels)),
        rows=tuple(
            (_name(month), *map(str, each)) for month, each in zip(months, counts, strict=True)
        ),
    )


def _trace_level(
    months: Sequence[Month], counts: Sequence[tuple[int, ...]], level: Level
) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": f"{level.number} {level.title}",
        "x": _starts(months),
        "y": [each[level.number - 1] for each in counts],
        "marker": {
            "color": f"heat-{level.number}",
            "line": {"color": "line-strong", "width": 1},
        },
        "hovertemplate": f"Level {level.number}: %{{y}}<extra></extra>",
    }


def draw_calibration(months: Sequence[Month]) -> Chart:
    """The share of measured claims that match what was measured, by month."""
    found = [(month, month.calibration) for month in months]
    shares = [each.share for _, each in found]
    axis = percent_axis(shares)
    last = next((each for each in reversed(found) if each[1].share is not None), None)
    labels = []
    said = "nothing compared yet"
    if last is not None and last[1].share is not None:
        said = f"{last[1].matching} of {last[1].of} claims match"
        labels.append(
            EndLabel(
                _start(last[0]), last[1].share * PERCENT, format_percent(last[1].share), "chart-1"
            )
        )
    return Chart(
        slug="calibration",
        title=f"Do claims match facts? {said[0].upper()}{said[1:]}",
        subtitle="Per cent of the claims that have a measurement, at the end of each month",
        sentence=f"Share of measured claims that match the facts, by month. Last: {said}.",
        figure={
            "data": [
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": "Match",
                    "x": _starts(months),
                    "y": [None if each is None else each * PERCENT for each in shares],
                    "customdata": [each.of for _, each in found],
                    "line": {"color": "chart-1", "width": 2},
                    "marker": {"color": "chart-1", "size": 7},
                    "connectgaps": False,
                    "hovertemplate": "%{y:.0f} % of %{customdata}<extra></extra>",
                }
            ],
            "layout": lay_out(axis, labels=labels, right=72) | {"xaxis": MONTHLY},
        },
        columns=("Month", "Match", "Claimed higher", "Claimed lower", "Compared"),
        rows=tuple(
            (_name(month), str(each.matching), str(each.above), str(each.below), str(each.of))
            for month, each in found
        ),
    )


def _start(month: Month) -> str:
    return month.day.replace(day=1).isoformat()


def _starts(months: Sequence[Month]) -> list[str]:
    return [_start(month) for month in months]


def _name(month: Month) -> str:
    return f"{month.day.day}{NO_BREAK}{month.day:%b}{NO_BREAK}{month.day.year}"
