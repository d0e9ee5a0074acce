"""From which severity on the incidents of a sender count."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from promotion.actions.set_severity import set_least_severity
from promotion.exceptions import ThroughlineError
from promotion.models import Sender

from .person import person_of
from .refusing import refuse


@require_POST
def set_severity(request: HttpRequest, slug: str) -> HttpResponse:
    """Sets it; empty = all incidents count."""
    get_object_or_404(Sender, slug=slug)
    word = request.POST.get("severity", "")
    try:
        set_least_severity(slug, word, person=person_of(request), at=timezone.now())
    except ThroughlineError as error:
        return refuse(request, error, reverse("sender-detail", args=[slug]))
    counts = f"Incidents of severity {word} or above count." if word else "All incidents count."
    messages.success(request, f"{counts} The measures follow within seconds.")
    return redirect("sender-detail", slug)
