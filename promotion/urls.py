"""Addresses of promotion: pages, webhooks, API."""

from django.urls import include, path

from promotion.api import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("promotion.views.urls")),
    path("", include("promotion.api.urls")),
]
