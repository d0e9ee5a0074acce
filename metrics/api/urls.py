"""Addresses of the API of the measures."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, include, path

from . import anomalies, flow, maturity, measures

# Signed in or by token: the views themselves ask.
urlpatterns: list[URLPattern | URLResolver] = [
    path("measures", login_not_required(measures.Measures.as_view()), name="api-measures"),
    path(
        "measures/<str:name>/rows",
        login_not_required(measures.MeasureRows.as_view()),
        name="api-measure-rows",
    ),
    path("flow", login_not_required(flow.FlowOf.as_view()), name="api-flow"),
    path("anomalies", login_not_required(anomalies.AnomalyList.as_view()), name="api-anomalies"),
    path("maturity", login_not_required(maturity.Maturity.as_view()), name="api-maturity"),
    path(
        "maturity/<str:team>",
        login_not_required(maturity.TeamMaturity.as_view()),
        name="api-team-maturity",
    ),
    path(
        "maturity/<str:team>/checks",
        login_not_required(maturity.TeamChecks.as_view()),
        name="api-team-checks",
    ),
    path("", include("metrics.api.maturity_urls")),
]
