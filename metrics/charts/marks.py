"""Marks on a chart over time, and in its twin as a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from metrics.measures.periods import Period

from .frame import Chart

AT_TOP = 0.97  # of the height
LONGEST = 90


@dataclass(frozen=True, slots=True)
class Mark:
    """Words at a day; `is_anomaly` tells whose they are."""

    day: date
    text: str
    is_anomaly: bool = False


def mark_chart(chart: Chart, parts: Sequence[Period], marks: Sequence[Mark]) -> Chart:
    """The chart with the marks at the parts they lie in; unchanged where it is not over time."""
    layout = chart.figure["layout"]
    is_over_time = layout.get("xaxis", {}).get("type") == "date" and len(chart.rows) == len(parts)
    held = [[mark for mark in marks if part.from_ <= mark.day < part.to] for part in parts]
    if not is_over_time or not any(held):
        return chart
    starts = [part.from_.isoformat() for part in parts]
    top = layout["yaxis"]["range"][1] * AT_TOP
    noted = [(x, mark) for x, found in zip(starts, held, strict=True) for mark in found]
    lines = [_draw_line(x) for x in dict.fromkeys(x for x, mark in noted if not mark.is_anomaly)]
    traces = [
        trace
        for trace in (
            _draw_marks([each for each in noted if not each[1].is_anomaly], top, is_anomaly=False),
            _draw_marks([each for each in noted if each[1].is_anomaly], top, is_anomaly=True),
        )
        if trace["x"]
    ]
    count = sum(mark.is_anomaly for _, mark in noted)
    said = f" {len(noted) - count} written at dates, {count} unusual." if noted else ""
    return replace(
        chart,
        sentence=f"{chart.sentence}{said}",
        figure={
            "data": [*chart.figure["data"], *traces],
            "layout": {**layout, "shapes": [*layout.get("shapes", []), *lines]},
        },
        columns=(*chart.columns, "At this date"),
        rows=tuple(
            (*row, "; ".join(mark.text for mark in found) or None)
            for row, found in zip(chart.rows, held, strict=True)
        ),
    )


def _draw_line(x: str) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": "line-strong", "width": 1, "dash": "dot"},
    }


def _draw_marks(
    noted: Sequence[tuple[str, Mark]], top: float, *, is_anomaly: bool
) -> dict[str, Any]:
    """Triangles at the top; people's words are flags of another shape."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Unusual" if is_anomaly else "Written",
        "showlegend": False,
        "x": [x for x, _ in noted],
        "y": [top for _ in noted],
        "marker": {
            "color": "failed" if is_anomaly else "text",
            "size": 9,
            "symbol": "triangle-down" if is_anomaly else "diamond-open",
        },
        "text": [_shorten(mark.text) for _, mark in noted],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
