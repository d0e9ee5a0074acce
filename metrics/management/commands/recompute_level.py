"""manage.py recompute_level: derive a level again from an evidence pack alone."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metrics.maturity.packs import PackError, open_pack, recompute_pack

MOST_BYTES = 64 * 1024 * 1024


class Command(BaseCommand):
    """Reads no database: all comes from the pack."""

    help = (
        "Recompute the level of an evidence pack from the pack alone and say line by line what"
        " agrees; ends with 1 on a difference or a changed byte."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The pack, and the hash somebody told of its manifest."""
        parser.add_argument("pack", type=Path, help="the ZIP that was downloaded")
        parser.add_argument(
            "--manifest",
            metavar="SHA256",
            help="the hash of the manifest as the team's page or the API tells it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """A line each, then how many agree."""
        try:
            with options["pack"].open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{options['pack']} cannot be read: {error.strerror}.") from error
        if len(data) > MOST_BYTES:
            raise CommandError(f"{options['pack']} is larger than a pack. Nothing was recomputed.")
        try:
            parts = open_pack(data)
        except PackError as error:
            raise CommandError(f"{options['pack']} is no whole pack: {error}.") from error
        agreeing = differing = 0
        for line in recompute_pack(parts, options["manifest"]):
            word = {True: "agrees ", False: "DIFFERS", None: "       "}[line.agrees]
            agreeing, differing = (
                agreeing + (line.agrees is True),
                differing + (line.agrees is False),
            )
            self.stdout.write(f"{word}  {line.text}")
        self.stdout.write(f"{agreeing} agree, {differing} differ")
        if differing:
            sys.exit(1)
