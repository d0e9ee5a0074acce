"""What a page answers when an action refuses: why, that nothing was changed, and the way back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from promotion.exceptions import (
    ConflictError,
    NotAllowedError,
    ThroughlineError,
    UnreachableError,
)

TITLES = {403: "You may not do this", 409: "Somebody was faster", 503: "It cannot be reached"}


def status_of(error: ThroughlineError) -> int:
    """The HTTP status of one of our errors."""
    if isinstance(error, NotAllowedError):
        return 403
    if isinstance(error, ConflictError):
        return 409
    return 503 if isinstance(error, UnreachableError) else 400


def refuse(request: HttpRequest, error: ThroughlineError, back: str) -> HttpResponse:
    """A page with the sentence of the error and a link back."""
    status = status_of(error)
    context = {
        "title": TITLES.get(status, "This cannot be used"),
        "sentence": error.sentence,
        "status": "waiting" if status == 409 else "failed",
        "back": back,
    }
    return render(request, "promotion/refused.html", context, status=status)
