"""Find anew what the checks say of teams, and where each stands. They are no record: not audited."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from metrics.check_results import find_day, make_result
from metrics.facts.checked import load_check_facts
from metrics.maturity.changes import Change, Stand, explain_changes
from metrics.maturity.checks import CheckFinding, measure_statements
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.model import MaturityModel
from metrics.maturity.values import Answer as Value
from metrics.maturity.values import Measured
from metrics.models import Assessment, CheckResult, TeamLevel
from metrics.standing import derive_standing, write_result
from metrics.targets import Targets
from promotion.models import Team

FOUND = ("as_of", "window_days", "window_from", "window_to", "verdict", "value", "numerator")
COUNTED = ("denominator", "n", "unit", "reason", "thresholds", "coverage", "figures")
WATCHED = ("first_pass", "failures", "build_to_production")
THROUGHPUT = "throughput"


def recompute_checks(at: datetime, *, teams: Iterable[Team] | None = None) -> int:
    """Measures each team (None: all) as of now and keeps results and level of the day; how many.

    A team at a time, so that one that is not done yet keeps what it had.
    """
    found = list(Team.objects.order_by("pk")) if teams is None else list(teams)
    targets, model = Targets(at), load_shipped_model()
    for team in found:
        with transaction.atomic():
            results = keep_results(team, model, targets, at)
            keep_level(team, model, results, at)
    return len(found)


def recompute_due(at: datetime) -> int:
    """The same for the teams that were not measured on this day yet."""
    model, day = load_shipped_model(), find_day(at)
    done = CheckResult.objects.filter(day=day, model_id=model.id, model_version=model.version)
    return recompute_checks(at, teams=Team.objects.exclude(pk__in=done.values("team")))


def measure_team(
    team: Team,
    model: MaturityModel,
    targets: Targets,
    at: datetime,
    *,
    service: str | None = None,
) -> Mapping[str, CheckFinding]:
    """What the checks find of a team, or of one service alone, by statement; nothing is kept."""
    has_target = any(_has_target(targets, team, measure) for measure in WATCHED)
    facts = load_check_facts(
        team,
        at,
        model_id=model.id,
        has_target=has_target,
        throughput_target=targets.find(THROUGHPUT, team.slug),
        service=service,
    )
    return measure_statements(model, facts)


def _has_target(targets: Targets, team: Team, measure: str) -> bool:
    return targets.find(measure, team.slug) is not None


def keep_results(
    team: Team, model: MaturityModel, targets: Targets, at: datetime
) -> list[CheckResult]:
    """Measures a team and keeps the results of the day in place of earlier ones of that day."""
    results = [
        make_result(team, model, finding, at)
        for finding in measure_team(team, model, targets, at).values()
    ]
    CheckResult.objects.bulk_create(
        results,
        update_conflicts=True,
        unique_fields=["team", "model_id", "model_version", "statement_id", "day"],
        update_fields=[*FOUND, *COUNTED, "counterexamples", "counterexample_count"],
    )
    return results


def keep_level(
    team: Team, model: MaturityModel, results: list[CheckResult], at: datetime
) -> TeamLevel | None:
    """Keeps where a team stands on the day, with what changed; None where nothing is agreed."""
    assessment = Assessment.objects.filter(
        team=team, model_id=model.id, model_version=model.version, state=Assessment.State.AGREED
    ).first()
    if assessment is None:
        return None
    answers = list(assessment.answers.select_related("answered_by"))
    standing = derive_standing(model, answers, at, results)
    result = write_result(standing, answers, at, results)
    day = find_day(at)
    before = (
        TeamLevel.objects.filter(team=team, model_id=model.id, day__lt=day).order_by("-day").first()
    )
    changes = _explain(model, before, result) if before else ()
    level, _ = TeamLevel.objects.update_or_create(
        team=team,
        model_id=model.id,
        day=day,
        defaults={
            "model_version": model.version,
            "as_of": at,
            "assessment": assessment,
            "claimed": standing.claimed.overall,
            "verified": standing.verified.overall,
            "result": result,
            "changes": [
                {
                    "category": each.category,
                    "before": each.before,
                    "after": each.after,
                    "sentence": each.sentence,
                }
                for each in changes
            ],
        },
    )
    return level


def _explain(
    model: MaturityModel, before: TeamLevel, result: Mapping[str, Any]
) -> tuple[Change, ...]:
    if before.model_version != model.version:
        return ()
    return explain_changes(model, read_stand(before.result), read_stand(result))


def read_stand(result: Mapping[str, Any]) -> Stand:
    """A kept result as the explanation of changes takes it."""
    statements, checks = result["statements"], result.get("checks", {})
    return Stand(
        categories=result["verified"]["categories"],
        claimed={key: Value(one["claimed"]) for key, one in statements.items()},
        measured={
            key: Measured(one["measured"]) for key, one in statements.items() if one["measured"]
        },
        counted={key: Value(one["counted"]) for key, one in statements.items()},
        counterexamples={
            key: {
                each["key"]: each["what"] for each in one["counterexamples"] if not each["excused"]
            }
            for key, one in checks.items()
        },
    )
