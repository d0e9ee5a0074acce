"""Addresses of the API of the measures."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, path

from . import measures

# Signed in or by token: the views themselves ask.
urlpatterns: list[URLPattern | URLResolver] = [
    path("measures", login_not_required(measures.Measures.as_view()), name="api-measures"),
    path(
        "measures/<str:name>/rows",
        login_not_required(measures.MeasureRows.as_view()),
        name="api-measure-rows",
    ),
]
