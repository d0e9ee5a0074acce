"""Who calls the API: a token in the Authorization header, or a signed-in person."""

from collections.abc import Callable, Collection
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from promotion.actions.audit import acting_through_tokens, name_token
from promotion.exceptions import NotAllowedError
from promotion.models import Token, User
from promotion.models.finding import find_known


class TokenOnRecordMiddleware:
    """Lets the audit record name the token of a request, and of no later one in the same thread."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer."""
        with acting_through_tokens():
            return self.get_response(request)


class Machine:
    """Stands for a token without a person: it may send events and read, and nothing else."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    pk = None


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer tl_…`."""

    def authenticate(self, request: Request) -> tuple[User | Machine, Token] | None:
        """The person and the token; None without the header, 401 with a wrong one."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = find_token(text.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(
                "This token is not known, was revoked, or has expired."
            )
        name_token(token)
        return token.user or Machine(), token

    def authenticate_header(self, request: Request) -> str:
        """Makes a refusal a 401 and not a 403."""
        return "Bearer"


def find_token(text: str) -> Token | None:
    """The usable token of that text, its use noted at most once a minute."""
    at = timezone.now()
    token = find_known(Token, "hashed", Token.hash(text))
    if token is None or not token.is_usable_at(at):
        return None
    if token.last_used_at is None or (at - token.last_used_at).total_seconds() > 60:
        Token.objects.filter(pk=token.pk).update(last_used_at=at)
    return token


class HasScope(permissions.BasePermission):
    """Reading takes one of the view's `read_scopes` (by default `read`), anything else its `scope`.

    A signed-in person has what their roles give, and the actions check those.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """False for a token without the scope, and for anybody not signed in."""
        if not request.user or not request.user.is_authenticated:
            return False
        if not isinstance(request.auth, Token):
            return True
        accepted = self._accepted(request, view)
        needed = " or ".join(f"'{scope}'" for scope in accepted)
        self.message = f"This token lacks the scope {needed}. Nothing was changed."
        return any(scope in request.auth.scopes for scope in accepted)

    @staticmethod
    def _accepted(request: Request, view: Any) -> Collection[str]:
        """A view that changes something and names no scope accepts no token at all."""
        if request.method in permissions.SAFE_METHODS:
            return getattr(view, "read_scopes", (Token.Scope.READ.value,))
        scope = getattr(view, "scope", None)
        return () if scope is None else (str(scope),)


def person_of(request: Request) -> User:
    """The person who acts; NotAllowedError where the token belongs to nobody."""
    if isinstance(request.user, User):
        return request.user
    raise NotAllowedError(
        "This token belongs to nobody, and only people ask, approve, cancel or retry."
        " Nothing was changed. Use a token of a person."
    )


def token_of(request: Request) -> Token | None:
    """The token that was used; None for a signed-in person."""
    return request.auth if isinstance(request.auth, Token) else None
