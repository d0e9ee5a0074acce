"""Who did what, when, why, on what; and whether the record is untouched."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST, require_safe

from promotion.actions.verify_audit import VERIFIED, may_read_audit, verify_and_record
from promotion.exceptions import ThroughlineError
from promotion.models import AuditEntry, AuditSeal, PipelineVersion, Release, User

from .keyset import asked, take_by_key
from .person import person_of
from .refusing import refuse
from .release_story import reverse_or_none
from .release_trace import address_of

FILTERS = ("who", "action", "subject", "since", "until")
NOT_YOURS = (
    "Auditors, administrators, release managers and platform engineers may read the audit log."
)


@require_safe
def list_entries(request: HttpRequest) -> HttpResponse:
    """In the order they were written, newest first, under the state of the chain."""
    _reader(request)
    filters = {name: asked(request, name) for name in FILTERS}
    rows = _filtered(filters).select_related("seal").defer("payload", "details")
    context = {
        "page": take_by_key(rows, asked(request, "cursor")),
        "filters": filters,
        "is_filtered": any(filters.values()),
        "chain": _chain(),
        "ignored": [
            name for name in ("since", "until") if filters[name] and not _day(filters[name])
        ],
    }
    return render(request, "promotion/audit_list.html", context)


@require_safe
def show_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry with what was hashed, and its neighbours in the chain."""
    _reader(request)
    entry = get_object_or_404(AuditEntry.objects.select_related("seal", "actor"), pk=pk)
    seal = getattr(entry, "seal", None)
    around = {}
    if seal is not None:
        near = AuditSeal.objects.filter(sequence__in=[seal.sequence - 1, seal.sequence + 1])
        around = {one.sequence: one for one in near}
    context = {
        "entry": entry,
        "seal": seal,
        "before": around.get(seal.sequence - 1) if seal else None,
        "after": around.get(seal.sequence + 1) if seal else None,
        "details": json.dumps(entry.details, indent=2, ensure_ascii=False),
        "subject_url": _subject_url(entry),
    }
    return render(request, "promotion/audit_entry.html", context)


@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Recomputes the whole chain; that it was checked, and what was found, is an entry of its own."""
    try:
        verdict = verify_and_record(person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, "/")
    say = messages.success if verdict.holds else messages.error
    say(request, verdict.sentence)
    return redirect("audit-list")


def _reader(request: HttpRequest) -> User:
    person = person_of(request)
    if not may_read_audit(person):
        raise PermissionDenied(NOT_YOURS)
    return person


def _filtered(filters: dict[str, str]) -> Any:
    rows = AuditEntry.objects.all()
    if filters["who"]:
        who = filters["who"]
        rows = rows.filter(Q(actor_name__icontains=who) | Q(actor__username__iexact=who))
    if filters["action"]:
        rows = rows.filter(action__istartswith=filters["action"])
    if filters["subject"]:
        rows = rows.filter(subject_label__icontains=filters["subject"])
    since, until = _day(filters["since"]), _day(filters["until"])
    if since:
        rows = rows.filter(at__gte=since)
    if until:
        rows = rows.filter(at__lt=until + timedelta(days=1))
    return rows


def _day(text: str) -> datetime | None:
    """The beginning of a day in the reader's zone; None where it is no day."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    if day is None or not 1970 <= day.year <= 9000:
        return None
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware here


def _chain() -> dict[str, Any]:
    """How far the entries are sealed, and what the last check found."""
    last = AuditSeal.objects.order_by("-sequence").first()
    check = AuditEntry.objects.filter(action=VERIFIED).order_by("-pk").first()
    holds = bool(check and isinstance(check.details, dict) and check.details.get("holds"))
    return {
        "last": last,
        "unsealed": AuditEntry.objects.filter(seal=None).count(),
        "check": check,
        "status": ("passed" if holds else "failed") if check else "unknown",
    }


def _subject_url(entry: AuditEntry) -> str:
    """The page of what was acted on, where it has one."""
    kind, key = entry.subject_type, entry.subject_id
    if not key.isdecimal():
        return ""
    if kind == "promotion":
        return reverse_or_none("promotion-detail", int(key))
    if kind == "event":
        return reverse_or_none("event-detail", int(key))
    if kind == "release":
        release = Release.objects.select_related("service").filter(pk=int(key)).first()
        return address_of(release) if release else ""
    if kind == "pipelineversion":
        version = PipelineVersion.objects.filter(pk=int(key)).select_related("pipeline__service")
        found = version.first()
        slug = found.pipeline.service.slug if found else ""
        return f"{reverse_or_none('pipeline-detail', slug)}?version={found.number}" if found else ""
    pages = {
        "freeze": "environment-list",
        "lock": "environment-list",
        "sender": "integration-list",
        "token": "integration-list",
    }
    return reverse_or_none(pages[kind]) if kind in pages else ""
