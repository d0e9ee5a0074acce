"""Charts of flow: the parts of the time of a promotion, what gates cost, throughput."""

from collections.abc import Sequence
from typing import Any

from metrics.measures.flow import PARTS
from metrics.measures.periods import Period
from promotion.formats import NO_BREAK, format_span

from .frame import PERCENT, STACKED, Chart, lay_out, name_bucket, upward_axis

HOUR = 3600
DAYS_FROM = 96 * HOUR  # above, an axis of days reads better
PART_WORDS = {
    "people": "Waiting for people",
    "windows": "Waiting for windows",
    "gates": "Waiting for other gates",
    "turn": "Waiting for its turn",
    "untold": "Waiting, not told apart",
    "running": "Running",
}
COLOURS = {
    "people": "chart-2",
    "windows": "heat-3",
    "gates": "chart-3",
    "turn": "chart-4",
    "untold": "line-strong",
    "running": "chart-1",
}
Means = tuple[Period, int, dict[str, float]]


def draw_waiting(series: Sequence[Means], step: str, title: str) -> Chart:
    """The mean time of promotions that ended, by its parts; means are seconds, a gap has n = 0."""
    leads = [sum(means.values()) for _, _, means in series]
    by, unit = (24 * HOUR, "d") if max(leads, default=0) > DAYS_FROM else (HOUR, "h")
    named = [name for name in PARTS if any(means[name] for _, _, means in series)]
    n = sum(count for _, count, _ in series)
    axis = upward_axis(max(leads, default=0) / by, ticksuffix=f"{NO_BREAK}{unit}")
    return Chart(
        slug="waiting",
        title=title,
        subtitle=f"Mean time from asking to the end by {step}, n = {n}; a gap is a {step} without any",
        sentence=f"{title}. {n} promotions.",
        figure={
            "data": [_draw_part(name, series, by, unit) for name in named],
            "layout": lay_out(axis, **STACKED),
        },
        columns=(step.capitalize(), *(PART_WORDS[name] for name in named), "In all", "n"),
        rows=tuple(
            (
                name_bucket(period, step),
                *(format_span(means[name]) if count else None for name in named),
                format_span(lead) if count else None,
                str(count),
            )
            for (period, count, means), lead in zip(series, leads, strict=True)
        ),
    )


def _draw_part(name: str, series: Sequence[Means], by: float, unit: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": PART_WORDS[name],
        "x": [period.from_.isoformat() for period, _, _ in series],
        "y": [means[name] / by if count else None for _, count, means in series],
        "marker": {"color": COLOURS[name], "line": {"color": "surface", "width": 1}},
        "customdata": [count for _, count, _ in series],
        "hovertemplate": f"{PART_WORDS[name]}: %{{y:.1f}} {unit}<br>n = %{{customdata}}<extra></extra>",
    }


def draw_throughput(weeks: Sequence[tuple[Period, int, int]], step: str, title: str) -> Chart:
    """Production deployments (bars) and releases asked for (line) by bucket, zeros included."""
    starts = [period.from_.isoformat() for period, _, _ in weeks]
    highest = max((max(deployed, asked) for _, deployed, asked in weeks), default=0)
    deployments = sum(deployed for _, deployed, _ in weeks)
    intents = sum(asked for _, _, asked in weeks)
    return Chart(
        slug="throughput",
        title=title,
        subtitle=f"By {step}; the first and the last may be cut by the period",
        sentence=f"{deployments} deployments and {intents} releases asked for.",
        figure={
            "data": [
                {
                    "type": "bar",
                    "name": "Deployments",
                    "x": starts,
                    "y": [deployed for _, deployed, _ in weeks],
                    "marker": {"color": "chart-1"},
                    "hovertemplate": "%{y} deployments<extra></extra>",
                },
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": "Releases asked for",
                    "x": starts,
                    "y": [asked for _, _, asked in weeks],
                    "line": {"color": "chart-2", "width": 2},
                    "marker": {"color": "chart-2", "size": 7, "symbol": "diamond"},
                    "hovertemplate": "%{y} asked for<extra></extra>",
                },
            ],
            "layout": lay_out(upward_axis(highest), **{**STACKED, "barmode": "group"}),
        },
        columns=(step.capitalize(), "Deployments", "Releases asked for"),
        rows=tuple(
            (name_bucket(period, step), str(deployed), str(asked))
            for period, deployed, asked in weeks
        ),
    )


Shares = Sequence[tuple[Period, int, int]]
LOOKS = (
    {"color": "chart-1", "dash": "solid", "symbol": "circle"},
    {"color": "chart-3", "dash": "dot", "symbol": "diamond"},
)


def draw_coverage(series: Sequence[tuple[str, Shares]], step: str, title: str) -> Chart:
    """Up to two shares over time, each as (period, have, of); of nothing is a gap."""
    said = ", ".join(f"{name.lower()} {_tell_share(found)}" for name, found in series)
    return Chart(
        slug="coverage",
        title=title,
        subtitle=f"Per cent by {step}; {said}; a gap is a {step} in which none was needed",
        sentence=f"{title}: {said}.",
        figure={
            "data": [
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": name,
                    "x": [period.from_.isoformat() for period, _, _ in found],
                    "y": [have / of * PERCENT if of else None for _, have, of in found],
                    "line": {"color": look["color"], "width": 2, "dash": look["dash"]},
                    "marker": {"color": look["color"], "size": 7, "symbol": look["symbol"]},
                    "connectgaps": False,
                    "customdata": [of for _, _, of in found],
                    "hovertemplate": f"{name}: %{{y:.1f}} %<br>n = %{{customdata}}<extra></extra>",
                }
                for (name, found), look in zip(series, LOOKS, strict=False)
            ],
            "layout": lay_out(
                {"range": [0, 104], "ticksuffix": f"{NO_BREAK}%", "nticks": 6},
                showlegend=True,
                legend=STACKED["legend"],
            ),
        },
        columns=(step.capitalize(), *(name for name, _ in series)),
        rows=tuple(
            (
                name_bucket(period, step),
                *(
                    f"{found[place][1]} of {found[place][2]}" if found[place][2] else None
                    for _, found in series
                ),
            )
            for place, (period, _, _) in enumerate(series[0][1])
        ),
    )


def _tell_share(found: Shares) -> str:
    return f"{sum(have for _, have, _ in found)} of {sum(of for _, _, of in found)}"
