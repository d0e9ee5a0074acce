"""Addresses of what goes out of the measures; they stand before those that take any word."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, path

from metrics.api import embed
from metrics.views import exporting, summary

urlpatterns: list[URLPattern | URLResolver] = [
    path("metrics", exporting.show_metrics, name="metrics"),
    # Signed in or by token: the view itself asks.
    path("api/v1/embed/<str:name>", login_not_required(embed.Embed.as_view()), name="api-embed"),
    path("measures.csv", exporting.export_measures, name="measures-csv"),
    path("measures/summary/", summary.show_summary, name="measure-summary"),
    path("measures/services.csv", exporting.export_services, name="measure-services-csv"),
    path("measures/<slug:slug>/series.csv", exporting.export_series, name="measure-series-csv"),
]
