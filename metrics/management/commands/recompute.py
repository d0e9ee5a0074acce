"""Rebuilds facts and rollups from the record, or tells where they differ from it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from metrics.actions.refresh_facts import recompute
from metrics.rollups.checking import find_differences
from metrics.rollups.storing import list_services


class Command(BaseCommand):
    """recompute [--check]."""

    help = "Rebuild the facts and rollups of the measures from the record, or compare them with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One switch."""
        parser.add_argument(
            "--check",
            action="store_true",
            help="write nothing; tell each difference, and end with 1 where there is one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line for each difference, or what was written."""
        at = timezone.now()
        services = len(list_services()) - 1
        if not options["check"]:
            changed = recompute(at)
            self.stdout.write(f"{services} services recomputed, {changed} rows of facts changed.")
            return
        count = 0
        for difference in find_differences(at):
            count += 1
            self.stdout.write(f"{difference.whose}: {difference.what}")
        if count:
            self.stdout.write(
                f"{count} differences. Nothing was changed; recompute without --check repairs them."
            )
            raise SystemExit(1)
        self.stdout.write(f"No difference in {services} services.")
