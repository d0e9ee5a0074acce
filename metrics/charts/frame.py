"""What all charts share: the chart as the page's part takes it, axes, labels, the target's line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metrics.measures.periods import MONTH, Period
from metrics.measures.results import Bucket
from promotion.formats import NO_BREAK

PLOT_PIXELS = 236
LABEL_PIXELS = 16
PERCENT = 100
STACKED: dict[str, Any] = {
    "barmode": "stack",
    "bargap": 0.3,
    "showlegend": True,
    "legend": {"orientation": "h", "y": -0.16, "traceorder": "normal"},
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its finding, its sentence and its twin as a table."""

    slug: str
    title: str
    subtitle: str
    sentence: str
    figure: dict[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True, slots=True)
class EndLabel:
    """A text beside the last point of a series."""

    x: str
    y: float
    text: str
    colour: str = "text"


def name_bucket(period: Period, step: str) -> str:
    """How a bucket is called in a table: its month, or its first day."""
    day = period.from_
    if step == MONTH:
        return f"{day:%b} {day.year}"
    return f"{day.day}{NO_BREAK}{day:%b}{NO_BREAK}{day.year}"


def starts_of(buckets: Sequence[Bucket]) -> list[str]:
    """Where the buckets begin, as the x values of a series."""
    return [bucket.period.from_.isoformat() for bucket in buckets]


def lay_out(
    y_axis: dict[str, Any],
    *,
    labels: Sequence[EndLabel] = (),
    shapes: Sequence[dict[str, Any]] = (),
    right: int = 16,
    **more: Any,
) -> dict[str, Any]:
    """A layout with dates from left to right; labels stand beside the plot without overlapping."""
    return {
        "xaxis": {"type": "date", "tickformat": "%-d %b"},
        "yaxis": y_axis,
        "margin": {"l": 48, "r": right, "t": 12, "b": 32},
        "annotations": _place_labels(labels, y_axis["range"]),
        "shapes": list(shapes),
        **more,
    }


def _place_labels(labels: Sequence[EndLabel], span: Sequence[float]) -> list[dict[str, Any]]:
    """The labels from bottom to top, pushed apart where they would overlap."""
    step = (span[1] - span[0]) / PLOT_PIXELS * LABEL_PIXELS
    placed: list[dict[str, Any]] = []
    last = float("-inf")
    for label in sorted(labels, key=lambda each: each.y):
        last = max(label.y, last + step)
        placed.append(
            {
                "xref": "paper",
                "x": 1.01,
                "y": last,
                "text": label.text,
                "showarrow": False,
                "xanchor": "left",
                "align": "left",
                "font": {"color": label.colour, "size": 12},
            }
        )
    return placed


def draw_target(value: float) -> dict[str, Any]:
    """A dashed line across the plot at the target."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": {"color": "text", "width": 1.25, "dash": "dash"},
    }


def percent_axis(values: Sequence[float | None], extra: Sequence[float] = ()) -> dict[str, Any]:
    """An axis of per cent that begins at 0, or higher where all values lie high."""
    present = [value * PERCENT for value in (*values, *extra) if value is not None]
    lowest = min(present, default=0.0)
    low = max(0, int(lowest // 10) * 10 - 10) if lowest > 50 else 0
    return {"range": [low, 102 if low else 104], "ticksuffix": f"{NO_BREAK}%", "nticks": 6}


def tell_start(axis: dict[str, Any]) -> str:
    """Where an axis does not begin at 0, the words that say so."""
    low = axis["range"][0]
    return f"; the axis starts at {low}{NO_BREAK}%" if low else ""


def upward_axis(highest: float, **more: Any) -> dict[str, Any]:
    """An axis that begins at 0 and leaves some room above the highest value."""
    return {"range": [0, highest * 1.12 if highest > 0 else 1], "nticks": 6, **more}
