"""Errors as problem details (RFC 9457): a sentence a person can act on."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from promotion.exceptions import (
    ConflictError,
    InputError,
    NotAllowedError,
    ThroughlineError,
    UnreachableError,
)

STATUS: tuple[tuple[type[ThroughlineError], int], ...] = (
    (NotAllowedError, 403),
    (ConflictError, 409),
    (InputError, 400),
    (UnreachableError, 503),
)
TYPE = "application/problem+json"
NOT_THERE = "There is nothing at this address, or you may not see it."
FAULTS_SAID = 3


def status_of(error: ThroughlineError) -> int:
    """The HTTP status of one of our errors; 500 never."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """The body of a problem answer."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }


def problem_answer(status: int, detail: str, **more: Any) -> HttpResponse:
    """A problem answer outside of the REST framework."""
    return JsonResponse(problem(status, detail, **more), status=status, content_type=TYPE)


def refuse(status: int, detail: str, **more: Any) -> Response:
    """A problem answer of a view of the REST framework."""
    return Response(problem(status, detail, **more), status=status, content_type=TYPE)


def too_large(limit: int | None) -> str:
    """What to do about a body of more than so many bytes."""
    size = (limit or 0) // (1024 * 1024)
    return f"The body is larger than {size} MiB and was not kept. Send it in smaller parts."


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The answer for an address there is nothing at: problem details to machines, a page to people."""
    if request.path.startswith(("/api/", "/hooks/")):
        return problem_answer(
            404, f"There is nothing at {request.path}. /api/schema/ lists what there is."
        )
    return page_not_found(request, exception)


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """The REST framework's exception handler."""
    if isinstance(error, ThroughlineError):
        return refuse(status_of(error), error.sentence, **_more_of(error))
    if isinstance(error, RequestDataTooBig):
        return refuse(413, too_large(settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
    if isinstance(error, Http404):
        error = exceptions.NotFound(NOT_THERE)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = exception_handler(error, context)
    if response is not None:
        detail = response.data.get("detail") if isinstance(response.data, dict) else None
        # A field of that name may be wrong, too; then there is a list of faults and no sentence.
        is_sentence = isinstance(detail, str)
        more = {} if is_sentence else {"errors": response.data}
        said = str(detail) if is_sentence else _say(response.data)
        response.data = problem(response.status_code, said, **more)
        response.content_type = TYPE
    return response


def _more_of(error: ThroughlineError) -> dict[str, Any]:
    """What goes with the sentence: the key it is about, or whatever the error itself adds."""
    if isinstance(error, InputError) and error.key:
        return {"key": error.key}
    return getattr(error, "more", {})


def _say(errors: Any) -> str:
    """The first faults of a body in words; all of them stand in `errors`."""
    faults = list(_faults(errors, ""))
    rest = len(faults) - FAULTS_SAID
    more = f" And {rest} more." if rest > 0 else ""
    return " ".join(faults[:FAULTS_SAID]) + more + " Nothing was changed."


def _faults(errors: Any, place: str) -> Iterator[str]:
    if isinstance(errors, dict):
        for name, inner in errors.items():
            yield from _faults(inner, _place_in(place, name))
    elif isinstance(errors, list):
        for number, inner in enumerate(errors):
            is_message = not isinstance(inner, dict | list)
            numbered = place if is_message else f"{place}[{number}]"
            yield from _faults(inner, numbered)
    else:
        yield f"{place}: {errors}" if place else str(errors)


def _place_in(place: str, name: str | int) -> str:
    if isinstance(name, int):  # the number of an element
        return f"{place}[{name}]"
    if name == "non_field_errors":
        return place
    return f"{place}.{name}" if place else name
