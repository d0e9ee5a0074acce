"""Addresses of metrics: measures, assessments, maturity."""

from django.urls import URLPattern, URLResolver, include, path

from metrics.views import (
    annotations,
    anomalies,
    assessing,
    assessments,
    facts,
    flow,
    measure_rows,
    measures,
    team_maturity,
)
from metrics.views.sharing import shared_page

ONE = "assessments/<str:team>/<str:cycle>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("metrics.api.urls")),
    path("", include("metrics.out_urls")),
    path("measures/", measures.list_measures, name="measure-list"),
    path("measures/viewed/", measures.tell_view, name="measure-viewed"),
    path("measures/anomalies/", anomalies.list_anomalies, name="anomaly-list"),
    path("measures/anomalies.csv", anomalies.export_anomalies, name="anomaly-csv"),
    path("measures/anomalies/<int:pk>/", anomalies.show_anomaly, name="anomaly-detail"),
    path("measures/anomalies/<int:pk>/dismiss/", anomalies.dismiss, name="anomaly-dismiss"),
    path("measures/annotations/", annotations.list_annotations, name="annotation-list"),
    path("measures/annotations/make/", annotations.make, name="annotation-make"),
    path("measures/annotations/<int:pk>/", annotations.change, name="annotation-change"),
    path("measures/annotations/<int:pk>/remove/", annotations.remove, name="annotation-remove"),
    path("measures/facts/<str:kind>/<int:pk>/", facts.show_fact, name="fact-detail"),
    path("measures/facts/<str:kind>/<int:pk>/void/", facts.void, name="fact-void"),
    path("measures/facts/<str:kind>/<int:pk>/judge/", facts.judge, name="fact-judge"),
    path("measures/failures/incidents/", facts.list_incidents, name="incident-list"),
    path("measures/flow/", flow.show_flow, name="flow"),
    path("measures/flow/rows/", flow.list_flow_rows, name="flow-rows"),
    path("measures/flow/rows.csv", flow.export_flow, name="flow-csv"),
    path("measures/<slug:slug>/", measures.show_measure, name="measure-detail"),
    path("measures/<slug:slug>/rows/", measure_rows.list_rows, name="measure-rows"),
    path("measures/<slug:slug>/rows.csv", measure_rows.export_rows, name="measure-rows-csv"),
    path("measures/<slug:slug>/target/", measure_rows.change_target, name="measure-target"),
    path("maturity/disputes/<int:pk>/decide/", team_maturity.decide, name="dispute-decide"),
    path("maturity/<str:team>/", shared_page(team_maturity.show_team), name="maturity-team"),
    path("maturity/<str:team>/dispute/", team_maturity.dispute, name="check-dispute"),
    path("maturity/<str:team>/measure/", team_maturity.measure, name="team-measure"),
    path("", include("metrics.team_urls")),
    path("", include("metrics.maturity_urls")),
    path("assessments/", assessments.list_assessments, name="assessment-list"),
    path("assessments/<str:team>/start/", assessing.start, name="assessment-start"),
    path(ONE, shared_page(assessments.show_assessment), name="assessment-detail"),
    path(f"{ONE}submit/", assessing.submit_for_review, name="assessment-submit"),
    path(f"{ONE}return/", assessing.return_to_draft, name="assessment-return"),
    path(f"{ONE}agree/", assessing.agree_result, name="assessment-agree"),
    path(f"{ONE}<str:statement>/", assessing.save, name="assessment-save"),
    path(f"{ONE}<str:statement>/accept/", assessing.accept, name="assessment-accept"),
    path(
        f"{ONE}<str:statement>/not-applicable/",
        assessing.agree_na,
        name="assessment-not-applicable",
    ),
]
