"""manage.py recompute_checks: find anew what the checks of the standard say of each team."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from metrics.actions.recompute_checks import recompute_checks
from promotion.models import Team


class Command(BaseCommand):
    """Measures all teams, or those named, as of now; the results of today are replaced."""

    help = "Recompute the checks of the standard, for all teams or those named."

    def add_arguments(self, parser: CommandParser) -> None:
        """--team, as often as wanted."""
        parser.add_argument("--team", action="append", help="slug of a team; without it all")

    def handle(self, *args: Any, **options: Any) -> None:
        """Says how many teams were measured."""
        wanted = options["team"]
        teams = None
        if wanted:
            teams = list(Team.objects.filter(slug__in=wanted))
            unknown = sorted(set(wanted) - {team.slug for team in teams})
            if unknown:
                raise CommandError(f"There is no team {', '.join(unknown)}. Nothing was computed.")
        count = recompute_checks(timezone.now(), teams=teams)
        self.stdout.write(f"{count} {'team' if count == 1 else 'teams'} measured.")
