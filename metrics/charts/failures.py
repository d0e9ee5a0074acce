"""The chart of failures over time."""

from collections.abc import Sequence
from typing import Any

from metrics.measures.results import Bucket

from .frame import Chart, lay_out, name_bucket, starts_of, upward_axis


def _draw_bars(buckets: Sequence[Bucket]) -> dict[str, Any]:
    """A bar for each bucket, hollow where its watch window still runs; a gap where nothing was."""
    fills = ["chart-1/20" if each.provisional else "chart-1" for each in buckets]
    return {
        "type": "bar",
        "name": "Failed",
        "x": starts_of(buckets),
        "y": [each.value for each in buckets],
        "marker": {"color": fills, "line": {"color": "chart-1", "width": 1.5}},
        "customdata": [each.n for each in buckets],
        "hovertemplate": "%{y} of %{customdata} deployments<extra></extra>",
    }


def draw_failures(buckets: Sequence[Bucket], step: str, title: str) -> Chart:
    """Failed production deployments by bucket."""
    counts = [each.value or 0 for each in buckets]
    n = sum(each.n for each in buckets)
    axis = upward_axis(max(counts, default=0))
    return Chart(
        slug="failed",
        title=title,
        subtitle=(
            f"Failed production deployments by {step}, {sum(counts):.0f} of {n}; hollow bars may"
            " still grow, a gap is a time without deployments"
        ),
        sentence=f"{sum(counts):.0f} of {n} production deployments failed.",
        figure={"data": [_draw_bars(buckets)], "layout": lay_out(axis, bargap=0.4)},
        columns=(step.capitalize(), "Failed", "Deployments"),
        rows=tuple(
            (
                name_bucket(each.period, step),
                None if each.value is None else f"{each.value:.0f}",
                str(each.n),
            )
            for each in buckets
        ),
    )
