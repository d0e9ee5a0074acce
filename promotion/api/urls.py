"""Addresses of the API."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularAPIView

from . import events, webhooks

urlpatterns: list[URLPattern | URLResolver] = [
    path("hooks/<slug:slug>", webhooks.deliver, name="hook"),
    path("api/v1/events", login_not_required(events.EventIntake.as_view()), name="api-events"),
    path(
        "api/v1/events/<int:pk>", login_not_required(events.EventDetail.as_view()), name="api-event"
    ),
    path("api/schema/", login_not_required(SpectacularAPIView.as_view()), name="api-schema"),
]
