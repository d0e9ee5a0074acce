"""Signing in."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth

from promotion.models import User

DEMO_LOGINS_SHOWN = 8


class SignInView(auth.LoginView):
    """The form; with the demonstration organisation it names who can be tried."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Adds the demo logins where, and only where, the demonstration was started."""
        context = super().get_context_data(**kwargs)
        if settings.SHOW_DEMO_LOGINS:
            people = User.objects.filter(demo_login__isnull=False)
            context["demo_logins"] = [
                {
                    "username": p.username,
                    "name": p.name,
                    "password": p.demo_login.password,
                    "what_for": p.demo_login.what_for,
                }
                for p in people.select_related("demo_login").order_by("demo_login__pk")[
                    :DEMO_LOGINS_SHOWN
                ]
            ]
        return context
