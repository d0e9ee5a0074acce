"""Shows what a payload becomes, without writing anything."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from promotion.exceptions import InputError
from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES, source_named


class Command(BaseCommand):
    """`normalise --source KIND [--header 'K: V']… FILE|-`: exit 2 when the input is unreadable."""

    help = "Print the facts a payload becomes, as JSON; nothing is written."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The source, the headers that the sender would send, and the file."""
        parser.add_argument("--source", required=True, help=f"one of {', '.join(sorted(SOURCES))}")
        parser.add_argument(
            "--header",
            action="append",
            default=[],
            metavar="'NAME: VALUE'",
            help="may be repeated",
        )
        parser.add_argument("file", help="the body of the delivery, or - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, normalise, print."""
        try:
            delivery = Delivery(_read_body(options["file"]), _read_headers(options["header"]))
            found = source_named(options["source"]).normalise(delivery)
        except InputError as error:
            self.stderr.write(error.sentence)
            sys.exit(2)
        answer = {
            "facts": [fact.as_json() for fact in found.facts],
            "notes": list(found.notes),
        }
        self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2))


def _read_body(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}.") from None


def _read_headers(lines: list[str]) -> dict[str, str]:
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise InputError(f"The header {line!r} is not of the form 'Name: value'.")
        headers[name.strip()] = value.strip()
    return headers
