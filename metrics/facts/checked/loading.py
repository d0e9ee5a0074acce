"""All that the checks of a team read, in a number of queries that does not grow with it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Max

from metrics.facts.loading import load_record
from metrics.facts.naming import deployment_key, observation_key
from metrics.maturity.checks.facts import CheckFacts
from metrics.measures.history import History
from metrics.models import CheckDispute, PageView
from promotion.models import Deployment, DeploymentReport, Observation, Service, Team

from .artifacts import load_artifact_details, load_release_details, load_stored
from .promotions import load_promotion_details


def find_team_keys(team: Team) -> tuple[int, ...]:
    """The keys of a team and of all teams below it; one query."""
    below: dict[int | None, list[int]] = defaultdict(list)
    for key, parent in Team.objects.values_list("pk", "parent"):
        below[parent].append(key)
    found = [team.pk]
    for key in found:
        found += [each for each in below[key] if each not in found]
    return tuple(found)


def load_check_facts(
    team: Team,
    at: datetime,
    *,
    model_id: str,
    has_target: bool = False,
    throughput_target: float | None = None,
    service: str | None = None,
) -> CheckFacts:
    """What was known at `at` of a team with its sub-teams, for the checks of a model.

    With `service` (a slug) only of that one of its services.

    The targets are the caller's to say: promotions a week and service for throughput.
    """
    teams = find_team_keys(team)
    rows = Service.objects.filter(team__in=teams)
    rows = rows.filter(slug=service) if service else rows
    services = dict(rows.values_list("pk", "slug"))
    history = History(load_record(at, services=list(services)), at)
    releases, versions = load_release_details(services, at)
    stored = load_stored(services, at)
    runs, strategies = _load_runs(services)
    promotions = load_promotion_details(services, history)
    times = [run.finished_at for run in history.runs] + [each.started_at for each in promotions]
    viewed = PageView.objects.filter(team__in=teams, first_at__lte=at)
    return CheckFacts(
        team=team.slug,
        zone=settings.TIME_ZONE,
        history=history,
        services=frozenset(services.values()),
        promotions=promotions,
        releases=releases,
        artifacts=load_artifact_details(services, at),
        tag_moves=stored.moves,
        versions=versions,
        runs=runs,
        events=_load_events(services),
        strategies=strategies,
        stored_since=stored.since,
        viewed_at=viewed.aggregate(at=Max("first_at"))["at"],
        has_target=has_target,
        throughput_target=throughput_target,
        known_since=min(times, default=None),
        excused=_load_excused(team, at, model_id),
    )


def _load_runs(services: Iterable[int]) -> tuple[dict[str, str], dict[str, str]]:
    """The run and the strategy that a deployment names, by its fact id."""
    runs: dict[str, str] = {}
    strategies: dict[str, str] = {}
    rows = Deployment.objects.filter(service__in=services).exclude(run_id="", strategy="")
    for key, run, strategy in rows.values_list("pk", "run_id", "strategy").iterator():
        if run:
            runs[deployment_key(key)] = run
        if strategy:
            strategies[deployment_key(key)] = strategy
    return runs, strategies


def _load_events(services: Iterable[int]) -> dict[str, int]:
    """The event that told of a deployment or observation of which no release is known."""
    told = (
        DeploymentReport.objects.filter(deployment__service__in=services, deployment__release=None)
        .exclude(event=None)
        .order_by("pk")
    )
    seen = (
        Observation.objects.filter(service__in=services, artifact=None)
        .exclude(event=None)
        .order_by("pk")
    )
    found = {
        deployment_key(key): event
        for key, event in told.values_list("deployment_id", "event_id").iterator()
    }
    found |= {
        observation_key(key): event for key, event in seen.values_list("pk", "event_id").iterator()
    }
    return found


def _load_excused(team: Team, at: datetime, model_id: str) -> dict[str, frozenset[str]]:
    """By statement, the counterexamples that somebody else accepted as excused."""
    rows = CheckDispute.objects.filter(
        team=team, model_id=model_id, state=CheckDispute.State.ACCEPTED, decided_at__lte=at
    ).exclude(counterexample="")
    found: dict[str, set[str]] = defaultdict(set)
    for statement, key in rows.values_list("statement_id", "counterexample"):
        found[statement].add(key)
    return {statement: frozenset(keys) for statement, keys in found.items()}
