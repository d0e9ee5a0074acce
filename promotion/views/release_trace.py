"""One release: can it be proved where it came from; promoting it further, vetoing it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from promotion import tasks
from promotion.actions.veto import may_veto, take_back_veto, veto_release
from promotion.exceptions import ThroughlineError
from promotion.integrity.record import ReleaseRecord, commits_of_release, read_record
from promotion.integrity.trace import Trace, trace_release
from promotion.models import Environment, Release, RunResult, Tier

from .keyset import asked
from .person import person_of
from .refusing import refuse
from .release_keeping import keeping_of
from .release_story import (
    list_places,
    list_sightings,
    list_stops,
    list_words,
    reverse_or_none,
    tell,
    web_address,
)

MOST_SIGHTINGS = 200


@require_safe
def show_release(request: HttpRequest, service: str, version: str) -> HttpResponse:
    """The trace; where a version has several sets of digests, `?digest=` chooses one."""
    siblings = _siblings(service, version)
    release = _chosen(siblings, asked(request, "digest"))
    at = timezone.now()
    prefetch_related_objects([person_of(request)], "memberships")  # asked once for all that one may
    record = read_record(release)
    production = Environment.objects.filter(tier=Tier.PRODUCTION).values_list("slug", flat=True)
    trace = trace_release(record, production, at)
    commits, before = commits_of_release(release)
    places = list_places(record, trace)
    sightings = list_sightings(record)
    context = {
        "release": release,
        "record": record,
        "siblings": siblings,
        "trace": trace,
        "trace_text": _tell_trace(trace),
        "links": [
            (link, web_address(link.url))
            for link in sorted(trace.links, key=lambda link: link.is_there)
        ],
        "missing": list_words([link.name for link in trace.missing]),
        "stops": list_stops(record, commits, places, at),
        "sightings": sightings[-MOST_SIGHTINGS:],
        "left_out": max(len(sightings) - MOST_SIGHTINGS, 0),
        "evidence": [(one, web_address(one.url)) for one in record.evidence],
        "promotions": [
            (one, reverse_or_none("promotion-detail", one.pk)) for one in record.promotions
        ],
        "commits": commits,
        "before": before,
        "sentence": tell(record, trace, places),
        **_identity(record),
        **_actions(request, release, record, places),
        **keeping_of(release, person_of(request)),
    }
    return render(request, "promotion/release_detail.html", context)


@require_POST
def veto(request: HttpRequest, service: str, version: str) -> HttpResponse:
    """Vetoes the release named by its key, and has what waits of the service looked at."""
    said = "is vetoed. It is not promoted anywhere further."
    return _judge(request, service, version, veto_release, said)


@require_POST
def unveto(request: HttpRequest, service: str, version: str) -> HttpResponse:
    """Takes the veto back, and has what waits of the service looked at."""
    said = "is not vetoed any more and may be promoted again."
    return _judge(request, service, version, take_back_veto, said)


def _judge(
    request: HttpRequest, service: str, version: str, act: Callable[..., Release], said: str
) -> HttpResponse:
    siblings = _siblings(service, version)
    key = request.POST.get("release", "")
    release = next((one for one in siblings if str(one.pk) == key), None)
    if release is None:
        raise Http404
    back = address_of(release)
    try:
        act(
            release.pk,
            person=person_of(request),
            reason=request.POST.get("reason", ""),
            at=timezone.now(),
        )
    except ThroughlineError as error:
        return refuse(request, error, back)
    tasks.look_at_service.delay_on_commit(release.service_id)
    messages.success(request, f"{release} {said}")
    return redirect(back)


def address_of(release: Release) -> str:
    """Of exactly this release, whatever others have its version."""
    digest = next(iter(release.digests), "")
    page = reverse("release-detail", args=[release.service.slug, release.version])
    return f"{page}?digest={digest}" if digest else page


def _siblings(service: str, version: str) -> list[Release]:
    """Every set of digests of the version, newest first; usually one."""
    found = list(
        Release.objects.filter(service__slug=service, version=version)
        .select_related("service__team", "vetoed_by")
        .prefetch_related("artifacts")
        .newest_first()
    )
    if not found:
        raise Http404
    return found


def _chosen(siblings: list[Release], digest: str) -> Release:
    wanted = digest.removeprefix("sha256:").lower()
    if len(wanted) < 6:
        return siblings[0]
    return next(
        (
            one
            for one in siblings
            if any(own.removeprefix("sha256:").startswith(wanted) for own in one.digests)
        ),
        siblings[0],
    )


def _tell_trace(trace: Trace) -> str:
    links = f"{trace.have} of {len(trace.links)} links"
    return f"Fully traceable, {links}" if trace.is_complete else links


def _identity(record: ReleaseRecord) -> dict[str, Any]:
    """Whether everything said of the release speaks of its own digests."""
    foreign = [
        one for one in record.deployments if one.digest and one.digest not in record.artifact_of
    ]
    unsaid = [one for one in record.deployments if not one.digest]
    if foreign:
        place = foreign[0].environment.name
        return {"identity": "failed", "identity_text": f"Another digest was deployed in {place}"}
    if unsaid:
        place = unsaid[0].environment.name
        return {"identity": "unknown", "identity_text": f"A deployment in {place} names no digest"}
    if not record.builds:
        return {"identity": "warned", "identity_text": "A digest of which no build is known"}
    reached = [one.environment.name for one in record.deployments if one.result == "succeeded"]
    end = f" to {reached[-1]}" if reached else ""
    noun = "One digest" if len(record.artifacts) == 1 else f"{len(record.artifacts)} digests"
    return {"identity": "passed", "identity_text": f"{noun} from build{end}"}


def _actions(
    request: HttpRequest, release: Release, record: ReleaseRecord, places: list[Environment]
) -> dict[str, Any]:
    """What the person may do; the next environment is the first where it has not been."""
    person = person_of(request)
    been = {one.environment_id for one in record.deployments if one.result == RunResult.SUCCEEDED}
    under_way = {one.environment_id for one in record.promotions if one.is_open}
    following = next((place for place in places if place.pk not in been), None)
    may_promote = (
        person.may_ask(release.service.team)
        and not release.is_vetoed
        and following is not None
        and following.pk not in under_way
    )
    may = may_veto(person, release)
    return {
        "following": following if may_promote else None,
        "may_veto": may and not release.is_vetoed,
        "may_unveto": may and release.is_vetoed,
        "unveto_url": reverse("release-unveto", args=[release.service.slug, release.version]),
        "veto_url": reverse("release-veto", args=[release.service.slug, release.version]),
    }
