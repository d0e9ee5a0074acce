"""Addresses of metrics: measures, assessments, maturity."""

from django.urls import URLPattern, URLResolver, path

from metrics.views import measure_rows, measures

urlpatterns: list[URLPattern | URLResolver] = [
    path("measures/", measures.list_measures, name="measure-list"),
    path("measures/viewed/", measures.tell_view, name="measure-viewed"),
    path("measures/<slug:slug>/", measures.show_measure, name="measure-detail"),
    path("measures/<slug:slug>/rows/", measure_rows.list_rows, name="measure-rows"),
    path("measures/<slug:slug>/rows.csv", measure_rows.export_rows, name="measure-rows-csv"),
    path("measures/<slug:slug>/target/", measure_rows.change_target, name="measure-target"),
]
