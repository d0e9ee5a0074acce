"""Where tools deliver: checks the signature, keeps the bytes, answers 202 at once."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from promotion.actions.receive import Received
from promotion.actions.take_delivery import find_accepting, take_delivery
from promotion.api.errors import problem_answer, too_large
from promotion.exceptions import UnreachableError
from promotion.hinting import hint_on_commit
from promotion.sources.base import AuthenticationError, Delivery
from promotion.sources.evidence import add_given

DELIVER_BY_POST = "Deliveries come by POST. Nothing was kept."


@csrf_exempt
@login_not_required
def deliver(request: HttpRequest, slug: str) -> HttpResponse:
    """One delivery of one sender; the same one again gets the same answer."""
    if request.method not in {"POST", "OPTIONS"}:
        answer = problem_answer(405, DELIVER_BY_POST)
        answer["Allow"] = "POST, OPTIONS"
        return answer
    accepting = find_accepting(slug)
    if accepting is None:
        return problem_answer(404, f"No sender is set up at /hooks/{slug}. Nothing was kept.")
    if request.method == "OPTIONS":
        return _shake_hands(request)
    is_evidence = accepting.sender.kind == "evidence"
    try:
        delivery = (evidence_of if is_evidence else delivery_of)(request)
    except RequestDataTooBig:
        return problem_answer(413, too_large(largest(is_evidence=is_evidence)))
    try:
        received = take_delivery(accepting, delivery, at=timezone.now())
    except AuthenticationError as error:
        return problem_answer(401, error.sentence)
    except UnreachableError as error:
        # The tool sends it again when its keys may be had.
        answer = problem_answer(503, error.sentence)
        answer["Retry-After"] = "30"
        return answer
    if received.is_new:
        hint_on_commit(received.event.pk)
    return accepted(received)


def largest(*, is_evidence: bool) -> int:
    """How many bytes a body may have."""
    limit = settings.EVIDENCE_MAX_SIZE if is_evidence else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return int(limit)


def delivery_of(request: HttpRequest, body: bytes | None = None) -> Delivery:
    """The request's bytes and headers; RequestDataTooBig where the body is too large."""
    return Delivery(
        body=request.body if body is None else body,
        headers=dict(request.headers),
        content_type=request.headers.get("Content-Type", ""),
        url_secret=request.GET.get("secret", ""),
    )


def evidence_of(request: HttpRequest) -> Delivery:
    """An evidence file, with the digest and name that the query says.

    RequestDataTooBig where it is too large, and nothing more than that was read then.
    """
    limit = largest(is_evidence=True)
    said = request.META.get("CONTENT_LENGTH") or "0"
    if said.isdecimal() and int(said[:20]) > limit:
        raise RequestDataTooBig
    body = request.read(limit + 1)
    if len(body) > limit:
        raise RequestDataTooBig
    return add_given(
        delivery_of(request, body), request.GET.get("digest", ""), request.GET.get("name", "")
    )


def accepted(received: Received) -> JsonResponse:
    """202: kept. What it becomes is told at the address named."""
    event = received.event
    return JsonResponse(
        {
            "event": event.pk,
            "duplicate": not received.is_new,
            "url": reverse("api-event", args=[event.pk]),
        },
        status=202,
    )


def _shake_hands(request: HttpRequest) -> HttpResponse:
    """The CloudEvents webhook handshake: yes, this sender may deliver here."""
    answer = HttpResponse(status=200)
    answer["Allow"] = "POST"
    origin = request.headers.get("WebHook-Request-Origin", "")
    if origin and "\n" not in origin:
        answer["WebHook-Allowed-Origin"] = origin[:200]
        answer["WebHook-Allowed-Rate"] = "*"
    return answer
