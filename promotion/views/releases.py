"""The list of releases: what there is to promote, and how far each has come."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Count, Exists, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from promotion.formats import format_relative
from promotion.models import Deployment, Release, RunResult, Service, Team
from promotion.models.artifact import ReleaseQuerySet

from .keyset import asked, take_slice

FILTERS = ("team", "service", "version", "violations")


@require_safe
def list_releases(request: HttpRequest) -> HttpResponse:
    """Newest first; filters by team, service and version stand in the address."""
    filters = {name: asked(request, name) for name in FILTERS}
    found = _filtered(filters)
    page = take_slice(
        found.select_related("service__team")
        .prefetch_related("artifacts")
        .annotate(has_others=Exists(Release.objects.others_of_version())),
        "created_at",
        asked(request, "cursor"),
    )
    places = _places_of(page.rows)
    context = {
        "releases": [(release, places[release.pk]) for release in page.rows],
        "page": page,
        "filters": filters,
        "is_filtered": any(filters.values()),
        "teams": Team.objects.all(),
        "services": Service.objects.all(),
        "sentence": _sentence(),
    }
    return render(request, "promotion/release_list.html", context)


def _filtered(filters: dict[str, str]) -> ReleaseQuerySet:
    rows: ReleaseQuerySet = Release.objects.all()
    if filters["team"]:
        team = filters["team"]
        rows = rows.filter(Q(service__team__slug=team) | Q(service__team__parent__slug=team))
    if filters["service"]:
        rows = rows.filter(service__slug=filters["service"])
    if filters["version"]:
        rows = rows.filter(version__istartswith=filters["version"])
    if filters["violations"]:
        rows = rows.build_once_violations()
    return rows


def _places_of(releases: Iterable[Release]) -> dict[int, list[str]]:
    """Per release the environments where it was deployed, first to last stage."""
    rows = Deployment.objects.filter(
        release__in=[one.pk for one in releases], result=RunResult.SUCCEEDED
    ).order_by("environment__rank", "environment__slug")
    found: dict[int, list[str]] = defaultdict(list)
    for release, place in rows.values_list("release", "environment__name").distinct():
        if place not in found[release]:
            found[release].append(place)
    return found


def _sentence() -> str:
    newest = Release.objects.select_related("service").newest_first().first()
    if newest is None:
        return "No release is known yet."
    twice = (
        Release.objects.values("service", "version").annotate(sets=Count("pk")).filter(sets__gt=1)
    ).count()
    made = format_relative(timezone.localtime(newest.created_at), timezone.now())
    said = f"The newest is {newest}, made {made}."
    if twice:
        noun = "version has" if twice == 1 else "versions have"
        return f"{said} {twice} {noun} more than one set of digests, so they were built again."
    return f"{said} Every version was built once."
