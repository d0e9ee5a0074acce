"""Charts of shares: one over time, several beside each other, the classes of one, its links."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from metrics.described import LINK_WORDS, Described
from metrics.measures.periods import Buckets, Period
from metrics.measures.results import Bucket
from metrics.measures.traceability import LinkCoverage
from promotion.formats import format_percent

from .frame import (
    PERCENT,
    STACKED,
    Chart,
    EndLabel,
    draw_target,
    lay_out,
    name_bucket,
    percent_axis,
    starts_of,
    tell_start,
)

Series = tuple[Described, Sequence[Bucket]]
LOOKS = (
    {"color": "chart-1", "dash": "solid", "symbol": "circle"},
    {"color": "chart-3", "dash": "dot", "symbol": "diamond"},
    {"color": "chart-2", "dash": "dash", "symbol": "square"},
)
CLASSES = (
    ("automated by us", "Automated here", "chart-1"),
    ("automated by others", "Automated by other tools", "heat-3"),
    ("manual", "By a person", "chart-2"),
    ("out_of_band", "Out of band", "failed"),
    ("unknown", "Unknown", "line-strong"),
)


def _trace(described: Described, buckets: Sequence[Bucket], look: dict[str, str]) -> dict[str, Any]:
    """A line with gaps; points whose watch window still runs are hollow."""
    symbols = [look["symbol"] + ("-open" if bucket.provisional else "") for bucket in buckets]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": described.short,
        "x": starts_of(buckets),
        "y": [None if each.value is None else each.value * PERCENT for each in buckets],
        "line": {"color": look["color"], "width": 2, "dash": look["dash"]},
        "marker": {"color": look["color"], "size": 7, "symbol": symbols},
        "connectgaps": False,
        "customdata": [each.n for each in buckets],
        "hovertemplate": f"{described.short}: %{{y:.1f}} %<br>n = %{{customdata}}<extra></extra>",
    }


def _last(buckets: Sequence[Bucket]) -> Bucket | None:
    return next((each for each in reversed(buckets) if each.value is not None), None)


def draw_shares(series: Sequence[Series], step: str, title: str) -> Chart:
    """Up to three shares over time, told apart by colour, dash and marker."""
    values = [bucket.value for _, buckets in series for bucket in buckets]
    axis = percent_axis(values)
    labels = []
    for (described, buckets), look in zip(series, LOOKS, strict=False):
        last = _last(buckets)
        if last is not None and last.value is not None:
            text = f"{described.short} {format_percent(last.value)}"
            start = last.period.from_.isoformat()
            labels.append(EndLabel(start, last.value * PERCENT, text, look["color"]))
    said = ", ".join(label.text for label in labels) or "no values"
    buckets = series[0][1]
    return Chart(
        slug="shares",
        title=title,
        subtitle=f"Per cent by {step}; hollow points may still change{tell_start(axis)}",
        sentence=f"Three shares by {step}. The last values: {said}.",
        figure={
            "data": [
                _trace(described, found, look)
                for (described, found), look in zip(series, LOOKS, strict=False)
            ],
            "layout": lay_out(axis, labels=labels, right=132),
        },
        columns=(step.capitalize(), *(described.short for described, _ in series)),
        rows=tuple(
            (
                name_bucket(bucket.period, step),
                *(
                    None
                    if found[place].value is None
                    else format_percent(found[place].value, found[place].n)
                    for _, found in series
                ),
            )
            for place, bucket in enumerate(buckets)
        ),
    )


def draw_share(
    described: Described, buckets: Sequence[Bucket], step: str, target: float | None, title: str
) -> Chart:
    """One share over time with its target; a bucket without units is a gap."""
    axis = percent_axis([each.value for each in buckets], () if target is None else (target,))
    labels, shapes = [], []
    last = _last(buckets)
    if last is not None and last.value is not None:
        start = last.period.from_.isoformat()
        labels.append(EndLabel(start, last.value * PERCENT, format_percent(last.value), "chart-1"))
    if target is not None:
        shapes.append(draw_target(target * PERCENT))
        labels.append(EndLabel("", target * PERCENT, f"target {format_percent(target)}"))
    n = sum(each.n for each in buckets)
    return Chart(
        slug="share",
        title=title,
        subtitle=(
            f"Per cent of {described.unit_word} by {step}, n = {n};"
            f" hollow points may still change{tell_start(axis)}"
        ),
        sentence=f"{described.title} by {step}, {n} {described.unit_word}.",
        figure={
            "data": [_trace(described, buckets, LOOKS[0])],
            "layout": lay_out(axis, labels=labels, shapes=shapes, right=96),
        },
        columns=(step.capitalize(), described.short, "Of", "n"),
        rows=tuple(
            (
                name_bucket(each.period, step),
                None if each.value is None else format_percent(each.value, each.n),
                None if each.numerator is None else f"{each.numerator:.0f}",
                str(each.n),
            )
            for each in buckets
        ),
    )


def _stack(counts: Sequence[Counter[str]], starts: list[str]) -> list[dict[str, Any]]:
    """A bar for each class there is, as its share of the bucket."""
    return [
        {
            "type": "bar",
            "name": words,
            "x": starts,
            "y": [count[key] / count.total() * PERCENT if count else None for count in counts],
            "marker": {"color": colour, "line": {"color": "surface", "width": 1}},
            "customdata": [count[key] for count in counts],
            "hovertemplate": f"{words}: %{{customdata}} (%{{y:.0f}} %)<extra></extra>",
        }
        for key, words, colour in CLASSES
        if any(count[key] for count in counts)
    ]


def draw_classes(
    counts: Sequence[Counter[str]], period: Period, step: str, target: float | None, title: str
) -> Chart:
    """How deployments reached production, as shares of each bucket, unknown among them.

    `counts` has the classes (the keys of CLASSES) of each bucket.
    """
    buckets = Buckets(period, step)
    whole = sum(counts, Counter[str]())
    axis = {"range": [0, 104], "ticksuffix": "\u00a0%", "nticks": 6}
    shapes, labels = [], []
    if target is not None:
        shapes.append(draw_target(target * PERCENT))
        labels.append(EndLabel("", target * PERCENT, f"target {format_percent(target)}"))
    said = ", ".join(f"{words.lower()} {whole[key]}" for key, words, _ in CLASSES if whole[key])
    starts = [part.from_.isoformat() for part in buckets.parts]
    layout = lay_out(axis, labels=labels, shapes=shapes, right=88 if labels else 16, **STACKED)
    return Chart(
        slug="classes",
        title=title,
        subtitle=f"Share of production deployments by {step}, n = {whole.total()}; {said}",
        sentence=f"How {whole.total()} production deployments were made: {said or 'none'}.",
        figure={"data": _stack(counts, starts), "layout": layout},
        columns=(step.capitalize(), *(words for _, words, _ in CLASSES), "n"),
        rows=tuple(
            (
                name_bucket(part, step),
                *(str(count[key]) for key, _, _ in CLASSES),
                str(count.total()),
            )
            for part, count in zip(buckets.parts, counts, strict=True)
        ),
    )


def draw_links(coverage: Sequence[LinkCoverage], title: str) -> Chart:
    """How many releases have each link they need; the link missed most is on top."""
    ordered = sorted(coverage, key=lambda each: each.have / each.of if each.of else 1, reverse=True)
    names = [LINK_WORDS.get(each.link, each.link) for each in ordered]
    shares = [each.have / each.of * PERCENT for each in ordered]
    lacking = [each.of - each.have for each in ordered]
    return Chart(
        slug="links",
        title=title,
        subtitle="Per cent of the releases that need a link and have it",
        sentence="; ".join(
            f"{name}: {each.have} of {each.of}" for name, each in zip(names, ordered, strict=True)
        )
        or "No release needs any link.",
        figure={
            "data": [
                {
                    "type": "bar",
                    "orientation": "h",
                    "y": names,
                    "x": shares,
                    "marker": {"color": ["chart-2" if each else "chart-1" for each in lacking]},
                    "text": [f"{each.have} of {each.of}" for each in ordered],
                    "textposition": "auto",
                    "hovertemplate": "%{y}: %{text}<extra></extra>",
                }
            ],
            "layout": {
                "xaxis": {"range": [0, 100], "ticksuffix": "\u00a0%", "nticks": 6},
                "yaxis": {"showgrid": False, "automargin": True},
                "margin": {"l": 8, "r": 24, "t": 8, "b": 32},
                "bargap": 0.35,
            },
        },
        columns=("Link", "Have it", "Need it", "Missing"),
        rows=tuple(
            (name, str(each.have), str(each.of), str(lack))
            for name, each, lack in zip(names, ordered, lacking, strict=True)
        ),
    )
