"""A series of a measure as a small line in the page itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from metrics.measures.results import Bucket

WIDTH, HEIGHT, EDGE = 220, 40, 4


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Lines (one for each run without a gap) as SVG points, the last point, the target's height."""

    width: int
    height: int
    lines: tuple[str, ...]
    last: tuple[float, float] | None
    is_provisional: bool
    target: float | None


def draw_sparkline(buckets: Sequence[Bucket], target: float | None) -> Sparkline:
    """The values of the buckets from left to right; a bucket without a value is a gap."""
    values = [bucket.value for bucket in buckets]
    present = [value for value in values if value is not None]
    bounds = [*present, target] if target is not None else present
    low, high = min(bounds, default=0.0), max(bounds, default=1.0)
    room = high - low or 1.0

    def place(index: int, value: float) -> tuple[float, float]:
        across = (WIDTH - 2 * EDGE) / max(len(values) - 1, 1)
        height = HEIGHT - EDGE - (value - low) / room * (HEIGHT - 2 * EDGE)
        return round(EDGE + index * across, 1), round(height, 1)

    lines: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            lines.append([])
        else:
            lines[-1].append(place(index, value))
    drawn = [line for line in lines if line]
    last = next((i for i in range(len(values) - 1, -1, -1) if values[i] is not None), None)
    return Sparkline(
        width=WIDTH,
        height=HEIGHT,
        lines=tuple(
            " ".join(f"{x},{y}" for x, y in (line if len(line) > 1 else line * 2)) for line in drawn
        ),
        last=drawn[-1][-1] if drawn else None,
        is_provisional=last is not None and buckets[last].provisional,
        target=None if target is None else place(0, target)[1],
    )
