"""pipeline check FILE and pipeline apply FILE."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from promotion.actions.apply_pipeline import apply_pipeline, check_pipeline
from promotion.exceptions import ThroughlineError
from promotion.models import User
from promotion.rules.pipeline import Problem

UNREADABLE = 2


class Command(BaseCommand):
    """Prints FILE:LINE KEY sentence for each problem; exit 1 with any, 2 for no readable file."""

    help = "Check a pipeline file, or apply it as the newest version of its service's pipeline."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verb, the file, and in whose name."""
        parser.add_argument("verb", choices=("check", "apply"))
        parser.add_argument("file", help="a YAML file, or - for standard input")
        parser.add_argument(
            "--user", help="apply in the name of this person (default: the operator)"
        )
        parser.add_argument("--reason", default="", help="why; it is kept with the version")

    def handle(self, *args: Any, **options: Any) -> None:
        """Checks, and applies if asked to and nothing is wrong."""
        name, at = options["file"], timezone.now()
        text = read_text(name)
        form, problems, warnings = check_pipeline(text, at=at)
        self._print_problems(name, problems)
        for warning in warnings:
            self.stdout.write(f"{name}: warning: {warning}")
        if form is None or problems:
            raise SystemExit(1)
        if options["verb"] == "check":
            self.stdout.write(f"{name}: the pipeline of {form.service} can be applied.")
            return
        try:
            person = find_person(options["user"])
            version = apply_pipeline(text, person=person, at=at, reason=options["reason"])
        except ThroughlineError as error:
            raise CommandError(error.sentence) from error
        changed = "is now" if version.applied_at == at else "says the same as"
        self.stdout.write(
            f"{name}: {changed} version {version.number} of the pipeline of {form.service}."
        )

    def _print_problems(self, name: str, problems: Iterable[Problem]) -> None:
        for problem in problems:
            place = f"{name}:{problem.line}" if problem.line else name
            self.stdout.write(
                " ".join(part for part in (place, problem.key, problem.sentence) if part)
            )


def read_text(name: str) -> str:
    """The file's text; CommandError (exit 2) where it cannot be read."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(
            f"{name} cannot be read: {error.strerror}.", returncode=UNREADABLE
        ) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not UTF-8 text.", returncode=UNREADABLE) from error


def find_person(username: str | None) -> User | None:
    """The person of that user name; None where none is named."""
    if username is None:
        return None
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise CommandError(f'There is no active person "{username}". Nothing was changed.')
    return person
