"""Signing in."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.utils.module_loading import import_string


class SignInView(auth.LoginView):
    """The form; with the demonstration organisation it names who can be tried."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Adds the demo logins where, and only where, the demonstration was started."""
        context = super().get_context_data(**kwargs)
        if settings.DEMO_LOGINS:
            context["demo_logins"] = import_string(settings.DEMO_LOGINS)()
        return context
