"""run_demo_runtime: rolls out what promotions commit, and reports it like any other tool."""

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from demo.runtime.running import run
from promotion.exceptions import ThroughlineError


class Command(BaseCommand):
    help = "Run the small runtime of the demonstration until it is told to stop."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            run(stop)
        except ThroughlineError as error:
            raise CommandError(error.sentence) from error
