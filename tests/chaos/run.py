"""One storm from its beginning to the verdict, and what it came to."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db.models import Count

from promotion.models import Promotion, StepRun
from tests.chaos.people import People
from tests.chaos.storm import Storm, spare_our_connection
from tests.chaos.verdict import count_effects, find_faults
from tests.chaos.world import make_world
from tests.parts.processes import Processes, make_redis


@dataclass(slots=True)
class Report:
    """What happened; `faults` is empty where everything is as it must be."""

    faults: list[str]
    figures: dict[str, Any] = field(default_factory=dict)


def run_storm(
    directory: Path, *, promotions: int, workers: int, seed: int, every: float, patience: float
) -> Report:
    """Promote so much while everything breaks; the database is the one Django is connected to, and empty."""
    spare_our_connection()
    broker = make_redis(directory)
    broker.start()
    processes = Processes(broker, directory)
    begun = time.monotonic()
    try:
        with make_world(directory, promotions=promotions, seed=seed) as world:
            people = People(world, processes, seed)
            storm = Storm(processes, workers, seed, every)
            processes.start_scheduler()
            storm.begin()
            try:
                people.run_until_all_ended(patience=patience)
            finally:
                storm.end()
                processes.kill_all()
            took = time.monotonic() - begun
            report = Report(find_faults(world), _figures(world, people, storm, took))
            if storm.failure is not None:
                report.faults.append(f"The storm broke off: {storm.failure!r}")
            return report
    finally:
        processes.kill_all()
        broker.kill()


def _figures(world: Any, people: People, storm: Storm, took: float) -> dict[str, Any]:
    states = Promotion.objects.order_by("state").values_list("state").annotate(Count("pk"))
    takeovers = StepRun.objects.filter(token__gt=1).exclude(
        kind__in=("pause", "wait-for-deployment")
    )
    return {
        "seconds": round(took, 1),
        "promotions": dict(states),
        "harm": dict(storm.done),
        "acts": dict(people.acts),
        "far sides": count_effects(world),
        "steps": StepRun.objects.count(),
        "steps claimed more than once": takeovers.count(),
    }
