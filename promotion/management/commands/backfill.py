"""Takes in what happened before we were told."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from promotion import tasks
from promotion.actions.backfill import Order, begin_backfill, find_sender, take_in_pages
from promotion.backfill.base import Page
from promotion.backfill.fetching import Fetcher
from promotion.backfill.files import list_files
from promotion.backfill.known import LISTINGS
from promotion.exceptions import InputError, ThroughlineError
from promotion.integrity.connecting import find_connection
from promotion.integrity.outgoing import open_client
from promotion.models import BackfillRun, Connection
from promotion.sources.known import SOURCES
from promotion.sources.times import clean_time

from .normalise import _read_headers


class Command(BaseCommand):
    """From files with `--source`, or from a tool's lists with `--connection`."""

    help = (
        "Take in what happened before we were told, marked as backfilled. From payloads:"
        " backfill --source KIND FILE|DIRECTORY. From lists: backfill --source KIND --connection"
        " NAME WHAT. Run the same command again to go on where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What is taken in, and as whose."""
        lists = "; ".join(f"{one.kind}: {one.what}" for one in LISTINGS.values())
        parser.add_argument("what", help=f"file or directory, or what is listed ({lists})")
        parser.add_argument("--source", required=True, help=f"one of {', '.join(sorted(SOURCES))}")
        parser.add_argument("--connection", default="", help="HTTP connection whose lists are read")
        parser.add_argument("--only", default="", help="one list of several, e.g. deployments")
        parser.add_argument("--sender", default="", help="as whose deliveries they count")
        parser.add_argument("--since", default="", help="a date or time; older is left out")
        parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'")
        parser.add_argument("--afresh", action="store_true", help="from the first page again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every list, then let the services touched go on."""
        try:
            services = self._run(options)
        except ThroughlineError as error:
            raise CommandError(error.sentence) from error
        for service in sorted(services):
            tasks.look_at_service.delay(service)

    def _run(self, options: dict[str, Any]) -> set[int]:
        at = timezone.now()
        since = _read_since(options["since"])
        sender = find_sender(options["source"], options["sender"], at=at)
        if not options["connection"]:
            root = Path(options["what"]).resolve()
            headers = _read_headers(options["header"])
            run = begin_backfill(Order(sender, str(root)), at=at, afresh=options["afresh"])
            return self._take_in(run, list_files(root, headers, run.cursor))
        connection = find_connection(options["connection"], Connection.Kind.HTTP)
        listing = LISTINGS.get(options["source"])
        if listing is None:
            raise InputError(
                f"No list of {options['source']} can be read, only of {', '.join(sorted(LISTINGS))}."
                " Give its payloads as files."
            )
        if options["only"] and options["only"] not in listing.listers:
            raise InputError(
                f"{listing.kind} has no list {options['only'][:50]!r}, only"
                f" {', '.join(listing.listers)}. Nothing was taken in."
            )
        services: set[int] = set()
        with open_client() as client:
            headers = dict(listing.sign_in(connection.username, str(connection.secret)))
            fetch = Fetcher(client, connection.address, headers, tell=self._tell)
            for name, lister in listing.listers.items():
                if options["only"] in ("", name):
                    order = Order(sender, f"{name} of {options['what']}", connection.name, since)
                    run = begin_backfill(order, at=at, afresh=options["afresh"])
                    pages = lister(fetch, options["what"], run.cursor, since)
                    services |= self._take_in(run, pages)
        return services

    def _take_in(self, run: BackfillRun, pages: Iterator[Page]) -> set[int]:
        self._tell(f"{run.what}{': going on' if run.cursor else ''}")
        services = take_in_pages(run, pages, now=timezone.now, tell=self._tell)
        self._tell(
            f"{run.what}: finished. {run.listed} listed, {run.taken_in} taken in,"
            f" {run.known} known already, {run.unread} of them kept that became no fact."
        )
        return services

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _read_since(text: str) -> datetime | None:
    if not text:
        return None
    at = clean_time(text) or clean_time(f"{text}T00:00:00Z")
    if at is None:
        raise InputError(f"{text[:50]!r} is no date or time. Write it as 2026-01-31.")
    return at.astimezone(UTC)
