"""load_demo: the demonstration organisation with its history."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from demo.loading import DAYS, load
from demo.people import describe_logins
from metrics.actions.refresh_facts import refresh_stale
from promotion.exceptions import ThroughlineError


class Command(BaseCommand):
    help = "Load the demonstration organisation; a killed load goes on, a finished one is left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--logins", action="store_true", help="only print who can sign in")
        parser.add_argument("--days", type=int, default=DAYS, help="length of the history")
        parser.add_argument("--services", nargs="*", metavar="SLUG", help="only these services")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["logins"]:
            for line in describe_logins():
                self.stdout.write(line)
            return
        try:
            load(self._say, days=options["days"], services=options["services"] or None)
        except ThroughlineError as error:
            raise CommandError(error.sentence) from error
        refresh_stale(timezone.now())  # so that the first look at the measures waits for nothing

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
