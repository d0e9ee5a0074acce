"""Signing in."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.messages.views import SuccessMessageMixin
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.module_loading import import_string

from promotion.actions.sign_in import address_of, is_slowed_down


class SignInView(auth.LoginView):
    """The form; with the demonstration organisation it names who can be tried."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Adds the demo logins where, and only where, the demonstration was started."""
        context = super().get_context_data(**kwargs)
        form = context["form"]
        if form.errors:
            name, address = str(form.data.get("username") or ""), address_of(self.request)
            context["is_slowed_down"] = is_slowed_down(name, address, timezone.now())
        if settings.DEMO_LOGINS:
            context["demo_logins"] = import_string(settings.DEMO_LOGINS)()
        return context


class PasswordView(SuccessMessageMixin, auth.PasswordChangeView):  # type: ignore[type-arg]
    """A person's own password."""

    template_name = "registration/password.html"
    success_url = reverse_lazy("password")
    success_message = "The password is changed. Other sessions of yours have ended."
