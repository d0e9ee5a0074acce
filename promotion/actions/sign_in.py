"""Slowing down whoever guesses passwords, on the sign-in page and in the administration alike."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from promotion.models import RefusedSignIn, User

REMEMBERED_FOR = timedelta(minutes=15)
MOST_FROM_ONE_ADDRESS = 5
MOST_FOR_ONE_NAME = 30


class SlowDownBackend:
    """Stands first: refuses before any password is looked at. It knows nobody and lets nobody in."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """PermissionDenied, which ends the search for a backend, after too many refusals."""
        username = str(credentials.get("username") or "")
        if request is not None and is_slowed_down(username, address_of(request), timezone.now()):
            raise PermissionDenied


def is_slowed_down(username: str, address: str, at: datetime) -> bool:
    """Too many refusals of this name lately: from this address, or from everywhere together."""
    recent = RefusedSignIn.objects.filter(username=_key(username), at__gt=at - REMEMBERED_FOR)
    counted = [
        row == address for row in recent.values_list("address", flat=True)[:MOST_FOR_ONE_NAME]
    ]
    return sum(counted) >= MOST_FROM_ONE_ADDRESS or len(counted) >= MOST_FOR_ONE_NAME


def note_refusal(username: str, address: str, at: datetime) -> None:
    """Counts a refusal, and forgets what no longer counts."""
    RefusedSignIn.objects.filter(at__lte=at - REMEMBERED_FOR).delete()
    RefusedSignIn.objects.create(username=_key(username), address=address, at=at)


def forget_refusals(person: User, address: str) -> None:
    """Who signed in is believed again, from where they did."""
    name = Q(username=_key(person.get_username()))
    RefusedSignIn.objects.filter(name, address=address).delete()


def address_of(request: HttpRequest) -> str:
    """The peer's address; a header that anybody can write is not believed."""
    return str(request.META.get("REMOTE_ADDR") or "")[:45]


def _key(username: str) -> str:
    return username.strip().lower()[:150]
