"""Addresses of what a team does with an assessment besides answering it, and of its actions."""

from django.urls import URLPattern, path

from metrics.models import Share
from metrics.views import assessing, comparing, improvements
from metrics.views.sharing import shared, shared_file

# What outsiders see only of teams that share their evidence, too.
ALL = Share.EVIDENCE
ONE = "assessments/<str:team>/<str:cycle>/"

urlpatterns: list[URLPattern] = [
    path(
        "maturity/<str:team>/actions/",
        shared(ALL, improvements.list_actions),
        name="team-actions",
    ),
    path("maturity/<str:team>/actions/open/", improvements.plan, name="action-open"),
    path("maturity/actions/<int:key>/move/", improvements.move, name="action-move"),
    path(
        "assessments/evidence/<int:key>/file/",
        shared_file(assessing.download_evidence),
        name="evidence-file",
    ),
    path(f"{ONE}what-if/", shared(ALL, comparing.what_if), name="assessment-what-if"),
    path(f"{ONE}difference/", shared(ALL, comparing.show_difference), name="assessment-difference"),
    path(f"{ONE}services/", shared(ALL, comparing.show_services), name="assessment-services"),
    path(f"{ONE}alone/", assessing.answer_alone_first, name="assessment-alone"),
    path(f"{ONE}hand-in/", assessing.hand_in_own, name="assessment-hand-in"),
    path(f"{ONE}discuss/", assessing.discuss, name="assessment-discuss"),
    path(
        f"{ONE}<str:statement>/evidence/",
        shared(ALL, assessing.show_evidence),
        name="assessment-evidence",
    ),
]
