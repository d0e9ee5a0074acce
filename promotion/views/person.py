"""Who is looking at the page."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from promotion.models import User


def person_of(request: HttpRequest) -> User:
    """The person signed in; pages are behind the sign-in, so anybody else is refused."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user
