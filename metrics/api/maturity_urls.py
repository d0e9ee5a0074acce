"""Addresses of a team's assessments in the API."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, path

from . import maturity

ASSESSMENTS = "maturity/<str:team>/assessments"

# Signed in or by token: the views themselves ask.
urlpatterns: list[URLPattern] = [
    path(
        ASSESSMENTS,
        login_not_required(maturity.TeamAssessments.as_view()),
        name="api-team-assessments",
    ),
    path(
        f"{ASSESSMENTS}/<str:cycle>",
        login_not_required(maturity.TeamAssessment.as_view()),
        name="api-team-assessment",
    ),
    path(
        f"{ASSESSMENTS}/<str:cycle>/pack",
        login_not_required(maturity.TeamAssessmentPack.as_view()),
        name="api-evidence-pack",
    ),
]
