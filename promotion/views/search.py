"""One field for whatever people paste: a version, a digest, a commit, P-2318, a service, a person."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from promotion.actions.verify_audit import may_read_audit
from promotion.models import Artifact, Promotion, Release, Service, User

from .keyset import asked
from .person import person_of
from .release_trace import address_of

MOST_HITS = 20
NUMBER = re.compile(r"(?:p-?)?(\d{1,18})", re.IGNORECASE)
HEX = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found; exact where it is surely what was meant."""

    title: str
    note: str
    url: str
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind, at most twenty."""

    title: str
    hits: tuple[Hit, ...]
    has_more: bool


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Grouped hits; the only exact one is opened at once."""
    text = asked(request, "q")
    groups = [group for group in _find(text, person_of(request)) if group.hits] if text else []
    found = [hit for group in groups for hit in group.hits]
    if len({hit.url for hit in found}) == 1 and found[0].is_exact:
        return redirect(found[0].url)
    context = {"search_text": text, "groups": groups, "sentence": _sentence(text, groups)}
    return render(request, "promotion/search.html", context)


def _find(text: str, person: User) -> list[Group]:
    return [
        _group("Promotions", _promotions(text)),
        _group("Releases", _releases(text)),
        _group("By digest", _by_digest(text)),
        _group("By commit", _by_commit(text)),
        _group("Services", _services(text)),
        _group("People", _people(text, person)),
    ]


def _group(title: str, hits: Iterable[Hit]) -> Group:
    found = tuple(hits)
    return Group(title, found[:MOST_HITS], len(found) > MOST_HITS)


def _promotions(text: str) -> list[Hit]:
    match = NUMBER.fullmatch(text)
    if match is None:
        return []
    rows = Promotion.objects.for_display().filter(pk=int(match.group(1)))
    # A bare number may as well be the beginning of a version.
    is_exact = not text.isdecimal()
    return [
        Hit(
            one.number,
            f"{one.release} to {one.environment.name}, {one.state}"
            + (", glass broken" if one.glass_broken_at else ""),
            reverse("promotion-detail", args=[one.pk]),
            is_exact,
        )
        for one in rows
    ]


def _releases(text: str) -> list[Hit]:
    """By version, or by service and version: "shipment-api 4.18"."""
    service, _, version = re.sub(r"[@:\s]+", " ", text).rpartition(" ")
    bare = version.removeprefix("v") if re.match(r"v\d", version) else version
    rows = Release.objects.filter(Q(version__istartswith=version) | Q(version__istartswith=bare))
    if service:
        rows = rows.filter(service__slug__icontains=service)
    return _as_hits(rows, {version, bare})


def _by_digest(text: str) -> list[Hit]:
    """By the beginning of the digest of an artifact or of one of its platforms."""
    match = HEX.fullmatch(text)
    if match is None:
        return []
    begin = f"sha256:{match.group(1).lower()}"
    artifacts = Artifact.objects.filter(
        Q(digest__startswith=begin) | Q(platforms__digest__startswith=begin)
    )
    rows = Release.objects.filter(artifacts__in=artifacts.order_by().values("pk")).distinct()
    hits = _as_hits(rows, None)
    alone = artifacts.filter(releases=None, index=None).distinct()[: MOST_HITS + 1]
    return hits + [
        Hit(
            str(one),
            "an artifact that belongs to no release yet",
            f"{reverse('event-detail', args=[one.event_id])}" if one.event_id else "",
        )
        for one in alone
    ]


def _by_commit(text: str) -> list[Hit]:
    match = HEX.fullmatch(text)
    if match is None or text.lower().startswith("sha256:"):
        return []
    begin = match.group(1).lower()
    rows = Release.objects.filter(
        Q(commit__startswith=begin)
        | Q(artifacts__in=Artifact.objects.filter(builds__commit__startswith=begin).values("pk"))
    ).distinct()
    return _as_hits(rows, None)


def _as_hits(rows: Any, exact: set[str] | None) -> list[Hit]:
    """`exact` are the versions that were surely meant; None where any hit is."""
    found = (
        rows.select_related("service").prefetch_related("artifacts").newest_first()[: MOST_HITS + 1]
    )
    return [
        Hit(
            str(one),
            f"{', '.join(digest[7:19] for digest in one.digests)}"
            f"{f', commit {one.commit[:7]}' if one.commit else ''}",
            address_of(one),
            exact is None or one.version in exact,
        )
        for one in found
    ]


def _services(text: str) -> list[Hit]:
    rows = Service.objects.filter(slug__icontains=text).select_related("team")[: MOST_HITS + 1]
    return [
        Hit(
            one.slug,
            f"of {one.team.name}",
            f"{reverse('release-list')}?{urlencode({'service': one.slug})}",
            one.slug.lower() == text.lower(),
        )
        for one in rows
    ]


def _people(text: str, person: User) -> list[Hit]:
    """People have no page of their own: what they did is in the audit log, for those who may read it."""
    first, _, last = text.partition(" ")
    named = Q(first_name__icontains=text) | Q(last_name__icontains=text)
    if last:
        named |= Q(first_name__icontains=first, last_name__icontains=last)
    rows = (
        User.objects.filter(is_active=True)
        .filter(named | Q(username__icontains=text) | Q(addresses__value=text.lower()))
        .distinct()
        .order_by("username")[: MOST_HITS + 1]
    )
    may_read = may_read_audit(person)
    audit = reverse("audit-list")
    return [
        Hit(
            one.name,
            one.get_username(),
            f"{audit}?{urlencode({'who': one.get_username()})}" if may_read else "",
        )
        for one in rows
    ]


def _sentence(text: str, groups: list[Group]) -> str:
    if not text:
        return "Paste a version, a digest, a commit, a promotion's number, or a name."
    count = sum(len(group.hits) for group in groups)
    if not count:
        return f"Nothing is known as “{text}”."
    more = "more than " if any(group.has_more for group in groups) else ""
    return f"{more}{count} hit{'s' if count > 1 else ''} for “{text}”.".capitalize()
