"""manage.py check_model FILE: which levels another version of the standard would change, and why."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from metrics.answers import read_answers
from metrics.check_results import find_results, read_measured
from metrics.maturity.levels import LevelResult
from metrics.maturity.loading import load_model, load_shipped_model
from metrics.maturity.versions import Mapped, Standing, map_standing
from metrics.models import Assessment
from metrics.standing import counted_value
from promotion.exceptions import ThroughlineError


class Command(BaseCommand):
    """Compares by the answers agreed last and the newest measurements; nothing is changed."""

    help = "Say which teams' levels another version of the maturity model would change, and why."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file of the model."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Tells each team whose levels would differ."""
        try:
            model = load_model(options["file"])
        except (OSError, ThroughlineError) as error:
            raise CommandError(str(error)) from error
        agreed = Assessment.objects.filter(
            model_id=model.id, state=Assessment.State.AGREED
        ).select_related("team")
        changed = 0
        for assessment in agreed:
            standing = self._read(assessment)
            before = map_standing(load_shipped_model(), standing).result
            after = map_standing(model, standing)
            lines = list(self._compare(before, after))
            changed += bool(lines)
            for line in lines:
                self.stdout.write(f"{assessment.team.name}: {line}")
        count = len(agreed)
        self.stdout.write(
            f"{model.id} {model.version}: the levels of {changed} of {count} teams would change."
            " Nothing was changed."
        )

    def _read(self, assessment: Assessment) -> Standing:
        at = timezone.now()
        results = find_results(assessment.team, load_shipped_model(), at)
        answers = read_answers(assessment)
        return Standing(
            claimed={one.statement_id: counted_value(one, at) for one in answers},
            measured=read_measured(results),
            figures={one.statement_id: one.value for one in results if one.value is not None},
            evidence={one.statement_id for one in answers if one.has_accepted_evidence(at)},
        )

    def _compare(self, before: LevelResult, after: Mapped) -> list[str]:
        lines = []
        for word, old, new in (
            ("claimed", before.claimed, after.result.claimed),
            ("verified", before.verified, after.result.verified),
        ):
            for category, level in new.categories.items():
                was = old.categories.get(category)
                if was != level:
                    why = " ".join(new.why.get(category, ()))
                    lines.append(f"{category} {word} {was} -> {level}. {why}".strip())
        if lines and after.dropped:
            lines.append(f"not asked any more: {', '.join(after.dropped)}")
        if lines and after.unanswered:
            lines.append(f"unanswered: {', '.join(after.unanswered)}")
        return lines
