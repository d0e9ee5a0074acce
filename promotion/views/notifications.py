"""What am I told, and how do I want to hear of it?"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from promotion.actions.read_notices import choices_of, choose, mark_read
from promotion.models import NoticeKind, Notification

from .keyset import asked, take_slice
from .person import person_of

# What each kind looks like, and when one hears of it.
STATUS = {
    NoticeKind.WAITING: "waiting",
    NoticeKind.DECIDED: "passed",
    NoticeKind.RUNNING: "running",
    NoticeKind.SUCCEEDED: "passed",
    NoticeKind.FAILED: "failed",
    NoticeKind.STUCK: "warned",
    NoticeKind.FREEZE_BEGINS: "blocked",
    NoticeKind.FREEZE_ENDS: "passed",
    NoticeKind.EMERGENCY: "failed",
    NoticeKind.ANOMALY: "warned",
    NoticeKind.ASSESSMENT: "waiting",
    NoticeKind.SUMMARY: "passed",
}
WHEN = {
    NoticeKind.WAITING: "A promotion newly needs your approval.",
    NoticeKind.DECIDED: "What you asked for was approved, rejected, cancelled, or ended undecided.",
    NoticeKind.RUNNING: "What you asked for has started.",
    NoticeKind.SUCCEEDED: "What you asked for has succeeded.",
    NoticeKind.FAILED: "What you asked for, wrote or approved has failed.",
    NoticeKind.STUCK: "It runs longer than 99 of 100 of its kind; you asked for it or may stop it.",
    NoticeKind.FREEZE_BEGINS: "Where you have a role nothing starts from now on.",
    NoticeKind.FREEZE_ENDS: "Where you have a role promotions start again.",
    NoticeKind.EMERGENCY: "Somebody broke the glass and you may review it; a review is overdue.",
    NoticeKind.ANOMALY: "A measure does not behave as it usually does.",
    NoticeKind.ASSESSMENT: "A team of yours may assess itself; an action you own is past its day.",
    NoticeKind.SUMMARY: "The measures of the week, and of the quarter, once it is over.",
}


@require_safe
def list_notifications(request: HttpRequest) -> HttpResponse:
    """The person's own, newest first; all or the unread."""
    person = person_of(request)
    rows = Notification.objects.shown().filter(person=person)
    unread = Notification.objects.unread().filter(person=person).count()
    view = "unread" if asked(request, "view") == "unread" else "all"
    if view == "unread":
        rows = rows.filter(read_at=None)
    page = take_slice(rows, "created_at", asked(request, "cursor"))
    context: dict[str, Any] = {
        "page": page,
        "rows": [(one, STATUS.get(NoticeKind(one.kind), "unknown")) for one in page.rows],
        "view": view,
        "unread": unread,
        "sentence": _sentence(unread),
    }
    return render(request, "promotion/notification_list.html", context)


@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks one as read; `open` goes on to the page it speaks of."""
    found = get_object_or_404(Notification, pk=pk, person=person_of(request))
    mark_read(person_of(request), number=found.pk, at=timezone.now())
    if request.POST.get("then") == "open" and found.link.startswith("/"):
        return redirect(found.link)
    return redirect("notification-list")


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Marks all as read."""
    count = mark_read(person_of(request), at=timezone.now())
    messages.success(request, f"{count} notification{'' if count == 1 else 's'} marked as read.")
    return redirect("notification-list")


@require_http_methods(["GET", "HEAD", "POST"])
def show_choices(request: HttpRequest) -> HttpResponse:
    """A table of kinds and ways; POST keeps what is ticked."""
    person = person_of(request)
    if request.method == "POST":
        kept = choices_of(person)
        ticked = {
            kind: (
                f"app-{kind.value}" in request.POST,
                # The column of a way that is not set up is shown, not sent.
                f"mail-{kind.value}" in request.POST if _has_mail(person.email) else kept[kind][1],
            )
            for kind in NoticeKind
        }
        choose(person, ticked, at=timezone.now())
        messages.success(request, "Your choice is kept. It holds for what happens from now on.")
        return redirect("notification-choices")
    lines = [
        (kind, STATUS[kind], WHEN[kind], in_app, by_mail)
        for kind, (in_app, by_mail) in choices_of(person).items()
    ]
    context = {
        "lines": lines,
        "mail_is_set_up": settings.MAIL_IS_SET_UP,
        "has_mail": _has_mail(person.email),
        "address": person.email,
        "nav_section": "notification-list",
    }
    return render(request, "promotion/notification_choices.html", context)


def _has_mail(address: str) -> bool:
    return settings.MAIL_IS_SET_UP and bool(address)


def _sentence(unread: int) -> str:
    if not unread:
        return "You have read everything."
    return f"{unread} {'is' if unread == 1 else 'are'} unread."
