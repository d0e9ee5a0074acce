"""Every address of the application."""

from django.contrib import admin
from django.urls import include, path

handler404 = "promotion.api.errors.not_found"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("promotion.urls")),
    path("", include("metrics.urls")),
    path("", include("demo.urls")),
]
