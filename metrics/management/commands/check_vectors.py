"""Runs vector files: cases for the rules, the measures, the levels and the senders."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from metrics.vectors import Case, Outcome, check_case


class Command(BaseCommand):
    """Prints one line a case and, last, the sums; exit 1 when any failed."""

    help = "Runs vector files against the product: one line a case, then 'N passed, N failed'."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Paths of files or directories, and where the payloads of event cases lie."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument(
            "--fixtures",
            type=Path,
            metavar="DIR",
            help="payloads of event cases (default: fixtures/ beside vectors/)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every case of every file."""
        passed = failed = 0
        for outcome in check_paths(options["paths"], options["fixtures"]):
            passed, failed = passed + outcome.passed, failed + (not outcome.passed)
            self.stdout.write(outcome.line())
        self.stdout.write(f"{passed} passed, {failed} failed")
        if failed:
            sys.exit(1)


def check_paths(paths: list[Path], fixtures: Path | None) -> Iterator[Outcome]:
    """The outcome of every case in the files; what cannot be read is a failed case."""
    for path in paths:
        files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        if not files:
            yield Outcome("file", str(path), ("the directory has no *.json file",))
        for file in files:
            yield from _check_file(file, fixtures or _find_fixtures(file))


def _check_file(file: Path, fixtures: Path | None) -> Iterator[Outcome]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        yield Outcome("file", str(file), (f"the file cannot be read: {error}",))
        return
    cases: list[Case | Any] = content if isinstance(content, list) else [content]
    if not cases:
        yield Outcome("file", str(file), ("the file holds no case",))
    for case in cases:
        yield check_case(case, fixtures)


def _find_fixtures(file: Path) -> Path | None:
    """`fixtures/` beside the nearest directory `vectors/` the file lies in."""
    for directory in file.resolve().parents:
        if directory.name == "vectors":
            return directory.parent / "fixtures"
    return None
