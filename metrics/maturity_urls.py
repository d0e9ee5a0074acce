"""Addresses of the leadership's page, of what goes out of maturity, and of what a team shares."""

from django.urls import URLPattern, path

from metrics.views import assessment_exports, leadership, sharing

ONE = "assessments/<str:team>/<str:cycle>/"

urlpatterns: list[URLPattern] = [
    path("maturity/", leadership.show_landscape, name="maturity"),
    path("maturity/teams.csv", leadership.export_csv, name="maturity-csv"),
    path("maturity/teams.json", leadership.export_json, name="maturity-json"),
    path("maturity/<str:team>/sharing/", sharing.choose, name="team-sharing"),
    path(f"{ONE}export.csv", assessment_exports.export_csv, name="assessment-csv"),
    path(f"{ONE}export.json", assessment_exports.export_json, name="assessment-json"),
    path(f"{ONE}pack.zip", assessment_exports.export_pack, name="assessment-pack"),
]
