"""Charts of times from build to production: every release a dot, and the parts of the mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.measures.journeys import Part
from metrics.measures.periods import Buckets, Period
from metrics.measures.results import Bucket, Row
from promotion.formats import format_percent, format_span

from .frame import (
    STACKED,
    Chart,
    EndLabel,
    draw_target,
    lay_out,
    name_bucket,
    starts_of,
    upward_axis,
)

SECONDS = 3600
DAYS_FROM = 96  # hours: above, an axis of days reads better
NAMED_FROM = 0.04  # of the mean: smaller parts are told by the table and on hover
SHADES = ("line-strong", "heat-3", "chart-4", "chart-3", "chart-2", "heat-2")


def _scale(hours: Iterable[float | None]) -> tuple[float, str]:
    highest = max((each for each in hours if each is not None), default=0.0)
    return (24.0, "d") if highest > DAYS_FROM else (1.0, "h")


def _draw_dots(timed: Sequence[Row], by: float) -> list[dict[str, Any]]:
    """A dot for every release; hotfixes have a shape and a colour of their own."""
    looks = ((False, "Release", "chart-1/55", "circle"), (True, "Hotfix", "chart-2", "diamond"))
    data = []
    for is_hotfix, words, colour, symbol in looks:
        found = [row for row in timed if (row.verdict == "hotfix") is is_hotfix]
        if found:
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": words,
                    "x": [row.at.isoformat() for row in found],
                    "y": [(row.hours or 0) / by for row in found],
                    "marker": {"color": colour, "size": 7, "symbol": symbol},
                    "text": [
                        f"{row.service}: {format_span((row.hours or 0) * SECONDS)}" for row in found
                    ],
                    "hovertemplate": f"%{{text}}<extra>{words}</extra>",
                }
            )
    return data


def _draw_medians(buckets: Sequence[Bucket], by: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Median",
        "x": starts_of(buckets),
        "y": [None if each.value is None else each.value / by for each in buckets],
        "line": {"color": "text", "width": 2, "shape": "hv"},
        "connectgaps": False,
        "hovertemplate": "median: %{y:.1f}<extra></extra>",
    }


def draw_spans(
    rows: Sequence[Row],
    n: int,
    buckets: Sequence[Bucket],
    step: str,
    target: float | None,
    title: str,
) -> Chart:
    """A dot for each release at its deployment, the median of each bucket as a line.

    `rows` may be a part of the `n` releases.
    """
    timed = [row for row in rows if row.hours is not None]
    by, unit = _scale([row.hours for row in timed])
    highest = max([*(row.hours or 0 for row in timed), target or 0]) / by
    labels, shapes = [], []
    last = next((each for each in reversed(buckets) if each.value is not None), None)
    if last is not None and last.value is not None:
        labels.append(EndLabel("", last.value / by, f"p50 {format_span(last.value * SECONDS)}"))
    if target is not None:
        shapes.append(draw_target(target / by))
        labels.append(EndLabel("", target / by, f"target {format_span(target * SECONDS)}"))
    axis = upward_axis(highest, ticksuffix=f"\u00a0{unit}")
    return Chart(
        slug="spans",
        title=title,
        subtitle=(
            f"{'Days' if unit == 'd' else 'Hours'} from build to production, a dot for {_tell_dots(len(timed), n)}"
            f" releases, line: median by {step} from n = 5; diamonds: hotfixes"
        ),
        sentence=f"Times from build to production of {n} releases.",
        figure={
            "data": [*_draw_dots(timed, by), _draw_medians(buckets, by)],
            "layout": lay_out(axis, labels=labels, shapes=shapes, right=96),
        },
        columns=(step.capitalize(), "Median", "Releases"),
        rows=tuple(
            (name_bucket(each.period, step), _tell(each.value), str(each.n)) for each in buckets
        ),
    )


def _tell_dots(shown: int, n: int) -> str:
    return f"each of {n}" if shown == n else f"{shown} of {n}, picked evenly,"


def _tell(hours: float | None) -> str | None:
    return None if hours is None else format_span(hours * SECONDS)


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean parts of the spans of a time, and of how many spans."""

    n: int
    parts: tuple[Part, ...]


def draw_parts(whole: Mean, held: Sequence[Mean], period: Period, step: str, title: str) -> Chart:
    """The mean parts of the time by bucket, stacked; they add up to the mean, not the median."""
    buckets = Buckets(period, step)
    overall = whole.parts
    means = [{part.name: part.hours for part in mean.parts} for mean in held]
    by, unit = _scale([sum(mean.values()) for mean in means])
    names = [part.name for part in overall]
    highest = max((sum(mean.values()) / by for mean in means), default=0.0)
    said = ", ".join(f"{part.name} {format_percent(part.share)}" for part in overall)
    starts = [part.from_.isoformat() for part in buckets.parts]
    axis = upward_axis(highest, ticksuffix=f"\u00a0{unit}")
    return Chart(
        slug="parts",
        title=title,
        subtitle=(
            f"Mean {'days' if unit == 'd' else 'hours'} by {step} of the production deployment,"
            f" n = {whole.n}"
        ),
        sentence=f"Parts of the mean time from build to production: {said or 'none yet'}.",
        figure={
            "data": _stack_parts(names, means, starts, by, unit),
            "layout": lay_out(
                axis,
                labels=_label_parts(overall, means, by),
                right=138,
                **{**STACKED, "showlegend": False},
            ),
        },
        columns=(step.capitalize(), *(name.capitalize() for name in names), "Releases"),
        rows=tuple(
            (name_bucket(part, step), *(_tell(mean.get(name)) for name in names), str(mean_of.n))
            for part, mean, mean_of in zip(buckets.parts, means, held, strict=True)
        ),
    )


def _label_parts(
    overall: Sequence[Part], means: list[dict[str, float]], by: float
) -> list[EndLabel]:
    """The parts that matter, named beside the middle of their piece of the last bar."""
    last = next((mean for mean in reversed(means) if mean), {})
    colours = _colour_parts([part.name for part in overall])
    labels, height = [], 0.0
    for part in overall:
        size = last.get(part.name, 0.0) / by
        if (part.share or 0) >= NAMED_FROM and size:
            is_subject = colours[part.name] == "chart-1"
            text = f"{_shorten(part.name)} {format_percent(part.share)}"
            labels.append(
                EndLabel("", height + size / 2, text, "text" if is_subject else "chart-text")
            )
        height += size
    return labels


def _shorten(name: str) -> str:
    """A part's name as it fits beside the plot."""
    return name.removeprefix("waiting for ").removeprefix("build to ")


def _stack_parts(
    names: list[str], means: list[dict[str, float]], starts: list[str], by: float, unit: str
) -> list[dict[str, Any]]:
    colours = _colour_parts(names)
    return [
        {
            "type": "bar",
            "name": name.capitalize(),
            "x": starts,
            "y": [mean[name] / by if name in mean else None for mean in means],
            "marker": {"color": colours[name], "line": {"color": "surface", "width": 1}},
            "hovertemplate": f"{name}: %{{y:.1f}} {unit}<extra></extra>",
        }
        for name in names
    ]


def _colour_parts(names: Sequence[str]) -> dict[str, str]:
    """The subject's colour for the wait for approval, tints and greys for the rest."""
    shades = iter(SHADES * (len(names) // len(SHADES) + 1))
    return {name: "chart-1" if name == "waiting for approval" else next(shades) for name in names}
