"""Promotions with their approvals and repeated steps, as facts."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from metrics.measures.base import ApprovalFact, PromotionFact, ReleaseFact
from promotion.models import Approval, Promotion, StepRun

from .naming import promotion_key, release_key

COLUMNS = (
    "pk",
    "service__slug",
    "environment__slug",
    "release_id",
    "kind",
    "state",
    "mechanism",
    "content_hash",
    "asked_at",
    "started_at",
    "ended_at",
)


def load_promotions(
    as_of: datetime,
    releases: tuple[ReleaseFact, ...],
    services: Collection[int] | None = None,
) -> tuple[PromotionFact, ...]:
    """The promotions asked for by `as_of`; the measures blank out what lies later."""
    promotions = Promotion.objects.filter(asked_at__lte=as_of)
    if services is not None:
        promotions = promotions.filter(service__in=services)
    digests = {release.id: release.digests for release in releases}
    approvals = _load_approvals(as_of, services)
    retried = _load_retried(services)
    facts = []
    for row in promotions.order_by("pk").values_list(*COLUMNS).iterator():
        key, service, environment, release, kind, state, mechanism, content, *times = row
        asked_at, started_at, ended_at = times
        brought = digests.get(release_key(release), frozenset())
        facts.append(
            PromotionFact(
                id=promotion_key(key),
                service=service,
                digest=min(brought, default=""),
                to=environment,
                asked_at=asked_at,
                received_at=asked_at,
                state=state,
                started_at=started_at,
                ended_at=ended_at,
                kind=kind,
                mechanism=mechanism,
                retried_by_person=key in retried,
                approvals=_count_standing(approvals.get((key, content), []), started_at),
                release=release_key(release),
                digests=brought,
            )
        )
    return tuple(facts)


Decision = tuple[str, str, datetime]


def _load_approvals(
    as_of: datetime, services: Collection[int] | None
) -> dict[tuple[int, str], list[Decision]]:
    """Who decided what and when, in order, by promotion and the content it was about."""
    rows = Approval.objects.filter(at__lte=as_of)
    if services is not None:
        rows = rows.filter(promotion__service__in=services)
    found: dict[tuple[int, str], list[Decision]] = defaultdict(list)
    for key, content, person, decision, at in (
        rows.order_by("at", "pk")
        .values_list("promotion_id", "content_hash", "person__username", "decision", "at")
        .iterator()
    ):
        found[key, content].append((person, decision, at))
    return found


def _count_standing(
    decisions: list[Decision], started_at: datetime | None
) -> tuple[ApprovalFact, ...]:
    """The approvals that stood when the promotion started: each person's last word counts."""
    standing: dict[str, ApprovalFact] = {}
    for person, decision, at in decisions:
        if started_at is not None and at > started_at:
            break
        if decision == Approval.Decision.APPROVE:
            standing[person] = ApprovalFact(person, at)
        else:
            standing.pop(person, None)
    return tuple(standing.values())


def _load_retried(services: Collection[int] | None) -> frozenset[int]:
    """The promotions in which a person had a stopped step repeated."""
    runs = StepRun.objects.exclude(was_repeated_by=None)
    if services is not None:
        runs = runs.filter(promotion__service__in=services)
    return frozenset(runs.values_list("promotion_id", flat=True))
