"""Times the pages of the measures over a made-up history, beside a raw query, and prints JSON.

Run with `DATABASE_URL=postgres://… python benchmarks/measures.py --deployments 100000`. The database
must be empty (it is filled by `load_synthetic`) or hold such a history already (`--loaded`). It is
written to: one late correction is made and taken back, and with `--recompute` everything is computed
anew. Times are of the whole answer of the application, in this process, in milliseconds.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", "only-for-benchmarks")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from metrics.actions.refresh_facts import recompute, refresh_stale  # noqa: E402
from metrics.described import BY_SLUG  # noqa: E402
from promotion.models import Deployment, Service, User  # noqa: E402

RUNS, PERIOD = 20, 365
FACTS = ("execution", "intent", "span", "trace", "cohort", "aside", "incident", "target")


def main() -> None:
    """Fill, time, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deployments", type=int, default=10_000)
    parser.add_argument("--loaded", action="store_true", help="the history is there already")
    parser.add_argument("--recompute", action="store_true", help="time a full recompute too")
    given = parser.parse_args()
    settings.ALLOWED_HOSTS = ["*"]
    loaded = 0.0
    if not given.loaded:
        call_command("migrate", verbosity=0)
        start = time.perf_counter()
        call_command("load_synthetic", deployments=given.deployments, stdout=sys.stderr)
        loaded = time.perf_counter() - start
    refresh_stale(timezone.now())
    client = Client()
    client.force_login(User.objects.filter(username="person-1").get())
    pages = {"measures": f"/measures/?period={PERIOD}"}
    pages |= {slug: f"/measures/{slug}/?period={PERIOD}" for slug in BY_SLUG}
    print(
        json.dumps(
            {
                "what": "measures pages, one year, all services",
                "database": connection.vendor,
                "python": platform.python_version(),
                "cores": os.cpu_count(),
                "load_average": os.getloadavg()[0],
                "deployments": Deployment.objects.count(),
                "services": Service.objects.count(),
                "pages_ms": {name: time_page(client, path) for name, path in pages.items()},
                "reference_ms": time_reference(),
                "late_correction_s": time_correction(),
                "bytes": measure_disk(),
                "load_s": round(loaded, 1),
                "recompute_s": time_recompute() if given.recompute else None,
            },
            indent=2,
        )
    )


def time_runs(act: Callable[[], Any]) -> dict[str, float]:
    """p50 and p95 of the wall clock and of this process's own time, after one run to warm up."""
    act()
    walls, owns = [], []
    for _ in range(RUNS):
        wall, own = time.perf_counter(), time.process_time()
        act()
        walls.append((time.perf_counter() - wall) * 1000)
        owns.append((time.process_time() - own) * 1000)
    return {
        "n": RUNS,
        "p50": round(statistics.median(walls), 1),
        "p95": round(statistics.quantiles(walls, n=20)[-1], 1),
        "own_time_p50": round(statistics.median(owns), 1),
    }


def time_page(client: Client, path: str) -> dict[str, float]:
    """The page as the application answers it."""

    def act() -> None:
        answer = client.get(path)
        if answer.status_code != 200:
            sys.exit(f"{path} answered {answer.status_code}.")

    return time_runs(act)


REFERENCES = {
    "postgresql": """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM d.finished_at - b.finished_at))
FROM promotion_deployment d
JOIN promotion_environment e ON e.id = d.environment_id AND e.tier = 'production'
JOIN promotion_buildartifact ba ON ba.artifact_id = d.artifact_id
JOIN promotion_build b ON b.id = ba.build_id
WHERE d.result = 'succeeded' AND d.finished_at >= now() - interval '365 days'
""",
    "sqlite": """
SELECT avg(julianday(d.finished_at) - julianday(b.finished_at))
FROM promotion_deployment d
JOIN promotion_environment e ON e.id = d.environment_id AND e.tier = 'production'
JOIN promotion_buildartifact ba ON ba.artifact_id = d.artifact_id
JOIN promotion_build b ON b.id = ba.build_id
WHERE d.result = 'succeeded' AND d.finished_at >= datetime('now', '-365 days')
""",
}


def time_reference() -> dict[str, Any]:
    """One raw query over the record for one figure of the page; SQLite has no percentile, so a mean."""

    def act() -> None:
        with connection.cursor() as cursor:
            cursor.execute(REFERENCES[connection.vendor])
            cursor.fetchall()

    what = "percentile_cont" if connection.vendor == "postgresql" else "avg"
    return {"what": what, **time_runs(act)}


def time_correction() -> float:
    """A deployment of half a year ago turns out to have failed; until every sum is right again."""
    middle = timezone.now() - timedelta(days=180)
    rows = Deployment.objects.filter(finished_at__lt=middle, result="succeeded")
    key = rows.order_by("-finished_at").values_list("pk", flat=True)[0]
    Deployment.objects.filter(pk=key).update(result="failed")
    start = time.perf_counter()
    refresh_stale(timezone.now())
    taken = time.perf_counter() - start
    Deployment.objects.filter(pk=key).update(result="succeeded")
    refresh_stale(timezone.now())
    return round(taken, 2)


def time_recompute() -> float:
    """Everything anew, on top of what is there."""
    start = time.perf_counter()
    recompute(timezone.now())
    return round(time.perf_counter() - start, 1)


def measure_disk() -> dict[str, int]:
    """Bytes of facts, of sums, and of all, indexes included; of SQLite only the whole file."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            return {"all": cursor.fetchone()[0]}

        def size_of(tables: list[str]) -> int:
            cursor.execute(
                "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name",
                [tables],
            )
            return int(cursor.fetchone()[0])

        cursor.execute("SELECT pg_database_size(current_database())")
        whole = int(cursor.fetchone()[0])
        return {
            "facts": size_of([f"metrics_{name}fact" for name in FACTS]),
            "sums": size_of(["metrics_rollup"]),
            "all": whole,
        }


if __name__ == "__main__":
    main()
