"""Times the engine beside a bare Celery task, and prints JSON.

Run with `python benchmarks/engine.py [--approvals N] [--promotions N] [--waiting N]`. It makes a
database of its own (DATABASE_URL names the server, by default postgres@127.0.0.1) and drops it, and
starts workers and the scheduler as they are run for real, with a redis-server of its own.

- approve: from before a person's approval to when the first step was claimed, one after the other, 2
  workers; beside it a bare task that updates one row, sent and reached the same way.
- throughput: promotions of two calls each, to their ends, with 1, 2 and 4 workers; beside it bare tasks.
- many_waiting: sweep and advance with 10 promotions due, alone and among 10,000 that are not.
- waiting_for_deployments: what `approve` is while 200 other promotions wait for their deployments.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.engine_parts import Bench, percentiles, run_bench  # noqa: E402 - after the path

DUE = 10


def main() -> None:
    """Set up, measure, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--approvals", type=int, default=60)
    parser.add_argument("--promotions", type=int, default=120, help="of the throughput")
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--long", type=int, default=200, help="that wait for deployments")
    given = parser.parse_args()
    with run_bench() as bench:
        report = {
            "throughput": [
                measure_throughput(bench, workers, given.promotions) for workers in (1, 2, 4)
            ],
            **measure_approvals(bench, given.approvals, given.long),
            "many_waiting": measure_many_waiting(bench, given.waiting),
        }
    report["load_average"] = [round(one, 1) for one in os.getloadavg()]
    print(json.dumps(report, indent=2))


def measure_throughput(bench: Bench, workers: int, count: int) -> dict[str, Any]:
    """Promotions and bare tasks a minute."""
    from promotion import tasks
    from promotion.models import Promotion

    numbers = bench.ask("calls", count)
    with bench.run_workers(workers):

        def promote() -> None:
            for number in numbers:
                tasks.advance.delay(number)

        def are_ended() -> bool:
            return not Promotion.objects.filter(pk__in=numbers).open().exists()

        ours = bench.time(promote, are_ended)
        states = set(Promotion.objects.filter(pk__in=numbers).values_list("state", flat=True))
        assert states == {"succeeded"}, states
        marks = bench.make_marks(count * 4)
        bare = bench.time(lambda: bench.send_marks(marks), lambda: bench.are_marked(marks))
    return {
        "workers": workers,
        "promotions": count,
        "promotions_per_minute": round(count / ours * 60),
        "bare_tasks_per_minute": round(len(marks) / bare * 60),
    }


def measure_approvals(bench: Bench, count: int, long: int) -> dict[str, Any]:
    """Approvals alone, beside bare tasks, and while others wait for deployments."""
    with bench.run_workers(2):
        bench.approve_one_by_one(bench.ask("approved", 5))
        alone = bench.approve_one_by_one(bench.ask("approved", count))
        bare = [bench.round_trip() for _ in range(count)]
        bench.begin_waiting(long)
        others = bench.approve_one_by_one(bench.ask("approved", count))
    return {
        "approve": {
            "approvals": count,
            "to_first_step_ms": percentiles(alone),
            "bare_task_ms": percentiles(bare),
        },
        "waiting_for_deployments": {
            "waiting": long,
            "others_to_first_step_ms": percentiles(others),
        },
    }


def measure_many_waiting(bench: Bench, waiting: int) -> dict[str, Any]:
    """With nobody at work but this process: the same ten due, before and after the many are there."""
    from django.db import connection
    from django.utils import timezone

    from promotion.models import Promotion

    bench.end_all_waiting()
    few = _measure_due(bench)
    bench.fill_waiting(waiting)
    many = _measure_due(bench)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE promotion_promotion")
    plan = Promotion.objects.due(timezone.now()).order_by("next_look_at")[:500].explain()
    return {
        "due": DUE,
        "not_due": waiting,
        "alone_ms": few,
        "among_many_ms": many,
        "plan": [line.strip() for line in plan.splitlines()],
    }


def _measure_due(bench: Bench, rounds: int = 7) -> dict[str, float]:
    """Medians of a sweep's work: finding what is due and sending the hints, then each look."""
    from django.utils import timezone

    from promotion import tasks
    from promotion.actions.advance import advance
    from promotion.models import Promotion

    numbers = bench.ask("approved", DUE)
    swept, looked = [], []
    for _ in range(rounds):
        Promotion.objects.filter(pk__in=numbers).update(next_look_at=timezone.now())
        swept.append(bench.clock(tasks.sweep))
        looked.append(bench.clock(_look_at(advance, numbers)))
    return {"sweep": percentiles(swept)["p50"], "ten_looks": percentiles(looked)["p50"]}


def _look_at(advance: Callable[..., Any], numbers: list[int]) -> Callable[[], None]:
    from django.utils import timezone

    def look() -> None:
        for number in numbers:
            advance(number, at=timezone.now())

    return look


if __name__ == "__main__":
    main()
