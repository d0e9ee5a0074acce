"""The chart of failures over time."""

from collections.abc import Sequence

from metrics.measures.results import Bucket

from .frame import Chart, lay_out, name_bucket, starts_of, upward_axis


def draw_failures(buckets: Sequence[Bucket], step: str, title: str) -> Chart:
    """Failed production deployments by bucket; hollow where the watch window still runs."""
    counts = [each.value for each in buckets]
    whole = sum(count for count in counts if count is not None)
    n = sum(each.n for each in buckets)
    return Chart(
        slug="failed",
        title=title,
        subtitle=(
            f"Failed production deployments by {step}, {whole:.0f} of {n}; hollow bars may still"
            " grow, a gap is a time without deployments"
        ),
        sentence=f"{whole:.0f} of {n} production deployments failed.",
        figure={
            "data": [
                {
                    "type": "bar",
                    "name": "Failed",
                    "x": starts_of(buckets),
                    "y": counts,
                    "marker": {
                        "color": [
                            "chart-1/20" if each.provisional else "chart-1" for each in buckets
                        ],
                        "line": {"color": "chart-1", "width": 1.5},
                    },
                    "customdata": [each.n for each in buckets],
                    "hovertemplate": "%{y} of %{customdata} deployments<extra></extra>",
                }
            ],
            "layout": lay_out(
                upward_axis(max([count or 0 for count in counts], default=0)),
                bargap=0.4,
            ),
        },
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
