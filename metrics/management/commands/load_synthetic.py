"""Loads a made-up, production-shaped history, for benchmarks."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from metrics.actions.refresh_facts import fill_facts
from metrics.synthetic import Size, load_history
from promotion.models import Deployment, Event, Service

MOST_SERVICES = 200


class Command(BaseCommand):
    """load_synthetic --deployments N."""

    help = "Load a made-up history of services straight into the tables, and its facts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much, and of what."""
        parser.add_argument("--deployments", type=int, required=True)
        parser.add_argument(
            "--services", type=int, help="without it one for 500 deployments, 10 to 200"
        )
        parser.add_argument("--days", type=int, default=365)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--force", action="store_true", help="also into a database that holds something"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Loads, then computes the facts; tells how long both took."""
        if not options["force"] and any(
            model._default_manager.exists() for model in (Deployment, Event, Service)
        ):
            raise CommandError(
                "This database holds services or events already, and a made-up history would lie among"
                " them. Nothing was loaded. --force loads it nevertheless."
            )
        deployments = options["deployments"]
        services = options["services"] or min(MOST_SERVICES, max(10, deployments // 500))
        if deployments < services or options["days"] < 1 or services < 1:
            raise CommandError("Give at least one deployment for each service, and a day.")
        size = Size(services, deployments, options["days"], options["seed"])
        at, start = timezone.now(), time.monotonic()
        made = 0
        with transaction.atomic():
            for found in load_history(size, at):
                made += found
        loaded = time.monotonic()
        self.stdout.write(f"{made} deployments of {services} services in {loaded - start:.0f} s")
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        changed = fill_facts(at)
        self.stdout.write(f"{changed} facts in {time.monotonic() - loaded:.0f} s")
