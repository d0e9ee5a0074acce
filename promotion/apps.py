"""The application that goes from 'a tool told us' to 'it is deployed'."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.utils import timezone


class PromotionConfig(AppConfig):
    """Its name and title, and who hears of refused passwords."""

    name = "promotion"
    verbose_name = "Promotion"

    def ready(self) -> None:
        """Counts refusals wherever somebody signs in."""
        user_login_failed.connect(_count_refusal, dispatch_uid="count-refusal")
        user_logged_in.connect(_forget_refusals, dispatch_uid="forget-refusals")


def _count_refusal(credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    from promotion.actions.sign_in import address_of, is_slowed_down, note_refusal

    if request is None:
        return
    username, at = str(credentials.get("username") or ""), timezone.now()
    # While slowed down nothing more is counted, so that waiting helps.
    if not is_slowed_down(username, address_of(request), at):
        note_refusal(username, address_of(request), at)


def _forget_refusals(user: Any, request: Any = None, **_: Any) -> None:
    from promotion.actions.sign_in import address_of, forget_refusals

    if request is not None:
        forget_refusals(user, address_of(request))
