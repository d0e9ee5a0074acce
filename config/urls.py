"""Every address of the application."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("promotion.urls")),
    path("", include("metrics.urls")),
    path("", include("demo.urls")),
]
