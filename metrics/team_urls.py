"""Addresses of what a team does with an assessment besides answering it, and of its actions."""

from django.urls import URLPattern, path

from metrics.views import assessing, comparing, improvements

ONE = "assessments/<str:team>/<str:cycle>/"

urlpatterns: list[URLPattern] = [
    path("maturity/<str:team>/actions/", improvements.list_actions, name="team-actions"),
    path("maturity/<str:team>/actions/open/", improvements.plan, name="action-open"),
    path("maturity/actions/<int:key>/move/", improvements.move, name="action-move"),
    path(
        "assessments/evidence/<int:key>/file/", assessing.download_evidence, name="evidence-file"
    ),
    path(f"{ONE}what-if/", comparing.what_if, name="assessment-what-if"),
    path(f"{ONE}difference/", comparing.show_difference, name="assessment-difference"),
    path(f"{ONE}services/", comparing.show_services, name="assessment-services"),
    path(f"{ONE}alone/", assessing.answer_alone_first, name="assessment-alone"),
    path(f"{ONE}hand-in/", assessing.hand_in_own, name="assessment-hand-in"),
    path(f"{ONE}discuss/", assessing.discuss, name="assessment-discuss"),
    path(f"{ONE}<str:statement>/evidence/", assessing.show_evidence, name="assessment-evidence"),
]
