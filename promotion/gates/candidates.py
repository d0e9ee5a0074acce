"""Which release automatic promotion would bring into a stage, from the record, by the pure rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from promotion.models import Hold, Pin, Promotion, Release, Service
from promotion.models.promotion import PromotionQuerySet
from promotion.rules.automatic import AutomaticStage
from promotion.rules.availability import Run, judge_availability
from promotion.rules.pipeline import PipelineForm, StageForm
from promotion.rules.states import State

from .runs import order_facts, runs_in

# Older releases than these cannot be the newest available one in any practice we know of,
# and the cost of a judgement must not grow with the age of a service.
RELEASES_JUDGED = 30


@dataclass(frozen=True, slots=True)
class StageJudgement:
    """The candidate, what to promote now, and when a newer release may become available (None = unknown)."""

    candidate: Release | None
    chosen: Release | None
    next_at: datetime | None


def judge_stage(
    service: Service, form: PipelineForm, stage: StageForm, at: datetime
) -> StageJudgement:
    """Judges the newest releases for one stage, newest first, down to the first that is available."""
    releases = list(
        service.releases.select_related("service")
        .prefetch_related("artifacts")
        .newest_first()[:RELEASES_JUDGED]
    )
    order = {release.pk: len(releases) - n for n, release in enumerate(releases)}
    by_place = {order[release.pk]: release for release in releases}
    available, next_at = _newest_available(releases, form, stage, at, service)
    state = AutomaticStage(
        available=frozenset({order[available.pk]} if available else ()),
        tried=_tried(service, stage, order, at),
        under_way=_under_way(service, stage, order),
        last_succeeded=_last_succeeded(service, stage, order),
        held=_is_held(service, stage),
    )
    candidate, chosen = state.find_candidate(), state.choose()
    return StageJudgement(
        by_place[candidate] if candidate else None, by_place[chosen] if chosen else None, next_at
    )


def candidate_for(
    service: Service, form: PipelineForm, stage: StageForm, at: datetime
) -> Release | None:
    """The newest release available there and not vetoed."""
    return judge_stage(service, form, stage, at).candidate


def _newest_available(
    releases: Sequence[Release],
    form: PipelineForm,
    stage: StageForm,
    at: datetime,
    service: Service,
) -> tuple[Release | None, datetime | None]:
    runs: dict[str, tuple[Run, ...]] = {
        place: runs_in(service, place, at)
        for place in (source.environment for source in form.upstream_of(stage))
    }
    times: list[datetime] = []
    for release in releases:
        if release.is_vetoed:
            continue
        verdict = judge_availability(order_facts(release, form, stage, at, runs), at)
        if verdict.available:
            return release, min(times, default=None)
        if verdict.earliest:
            times.append(verdict.earliest)
    return None, min(times, default=None)


def _is_held(service: Service, stage: StageForm) -> bool:
    """A pin holds automatic promotion as a hold does."""
    lane = {"service": service, "environment__slug": stage.environment, "ended_at": None}
    return Hold.objects.filter(**lane).exists() or Pin.objects.filter(**lane).exists()


def _tried(
    service: Service, stage: StageForm, order: dict[int, int], at: datetime
) -> frozenset[int]:
    """Releases automatic promotion has begun with; a lifted hold lets them be tried again."""
    lifted = (
        Hold.objects.filter(service=service, environment__slug=stage.environment, ended_at__lte=at)
        .exclude(ended_by=None)
        .order_by("-ended_at")
        .values_list("ended_at", flat=True)
        .first()
    )
    rows = _lane(service, stage).filter(origin=Promotion.Origin.AUTOMATIC, release__in=order)
    if lifted:
        rows = rows.filter(asked_at__gt=lifted)
    return frozenset(order[key] for key in rows.values_list("release", flat=True))


def _under_way(service: Service, stage: StageForm, order: dict[int, int]) -> frozenset[int]:
    rows = _lane(service, stage).open().filter(release__in=order)
    return frozenset(order[key] for key in rows.values_list("release", flat=True))


def _last_succeeded(service: Service, stage: StageForm, order: dict[int, int]) -> int | None:
    """Its place in the order; 0 where it is older than all that are judged."""
    last = _lane(service, stage).filter(state=State.SUCCEEDED.value).order_by("-ended_at").first()
    return order.get(last.release_id, 0) if last else None


def _lane(service: Service, stage: StageForm) -> PromotionQuerySet:
    return Promotion.objects.filter(service=service, environment__slug=stage.environment)
