"""Errors as problem details (RFC 9457): a sentence a person can act on."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
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


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """The REST framework's exception handler."""
    if isinstance(error, ThroughlineError):
        more = {"key": error.key} if isinstance(error, InputError) and error.key else {}
        status = status_of(error)
        return Response(problem(status, error.sentence, **more), status=status, content_type=TYPE)
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing at this address, or you may not see it.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = exception_handler(error, context)
    if response is not None:
        detail = response.data.get("detail") if isinstance(response.data, dict) else None
        more = {} if detail else {"errors": response.data}
        response.data = problem(
            response.status_code, str(detail or "The request cannot be used as it is."), **more
        )
        response.content_type = TYPE
    return response
