"""Who calls the API: a token in the Authorization header, or a signed-in person."""

from typing import Any

from django.utils import timezone
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from promotion.models import Token, User


class Machine:
    """Stands for a token without a person: it may send events and nothing else."""

    is_authenticated = True
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
        return token.user or Machine(), token

    def authenticate_header(self, request: Request) -> str:
        """Makes a refusal a 401 and not a 403."""
        return "Bearer"


def find_token(text: str) -> Token | None:
    """The usable token of that text, its use noted at most once a minute."""
    at = timezone.now()
    token = Token.objects.usable(at).select_related("user").filter(hashed=Token.hash(text)).first()
    if token is None or (token.user is not None and not token.user.is_active):
        return None
    if token.last_used_at is None or (at - token.last_used_at).total_seconds() > 60:
        Token.objects.filter(pk=token.pk).update(last_used_at=at)
    return token


class HasScope(permissions.BasePermission):
    """Views name the scope they need in `scope`; a signed-in person has what their roles give."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """False for a token without the scope, and for anybody not signed in."""
        if not request.user or not request.user.is_authenticated:
            return False
        if isinstance(request.auth, Token):
            needed = getattr(view, "scope", Token.Scope.READ)
            self.message = f"This token lacks the scope '{needed}'."
            return needed in request.auth.scopes
        return True
