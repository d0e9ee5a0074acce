"""`python -m tests.chaos --promotions 500 --workers 3 --seed 1`: the whole storm on PostgreSQL and Redis.

It makes a database of its own on the server of DATABASE_URL and drops it afterwards, and starts a
redis-server of its own. Exit status 1 where anything is not as it must be.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

USUAL = "postgres://postgres@127.0.0.1/postgres"


def main() -> int:
    """Run it and print the report as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--promotions", type=int, default=500)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two harms")
    parser.add_argument("--patience", type=float, default=1800.0, help="seconds until it gives up")
    parser.add_argument("--keep", type=Path, help="where the logs stay; else they go")
    asked = parser.parse_args()
    with _own_database() as url, tempfile.TemporaryDirectory(prefix="chaos-") as scratch:
        directory = asked.keep or Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        _set_up(url, Path(scratch))
        from tests.chaos.run import run_storm

        report = run_storm(
            directory,
            promotions=asked.promotions,
            workers=asked.workers,
            seed=asked.seed,
            every=asked.every,
            patience=asked.patience,
        )
        from django.db import connections

        connections.close_all()
        if hasattr(connections["default"], "close_pool"):
            connections["default"].close_pool()
    print(json.dumps({**report.figures, "faults": report.faults}, indent=2))
    return 1 if report.faults else 0


@contextmanager
def _own_database() -> Iterator[str]:
    server = urlsplit(os.environ.get("DATABASE_URL", USUAL))
    name = f"throughline_chaos_{os.getpid()}"
    made = sql.Identifier(name)
    with psycopg.connect(urlunsplit(server), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(made))
    try:
        yield urlunsplit(server._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(urlunsplit(server), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(made))


def _set_up(url: str, data: Path) -> None:
    os.environ["DATABASE_URL"] = url
    os.environ["THROUGHLINE_DATA"] = str(data)
    os.environ.setdefault("SECRET_KEY", "only-for-tests")
    os.environ.setdefault(
        "THROUGHLINE_ENCRYPTION_KEYS", "dGVzdC1vbmx5LWtleS0wMTIzNDU2Nzg5YWJjZGVmMDE="
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
