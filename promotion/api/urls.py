"""Addresses of the API."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, URLResolver, path, register_converter
from drf_spectacular.views import SpectacularAPIView
from rest_framework.views import APIView

from . import (
    assertion,
    converters,
    events,
    evidence,
    excepting,
    explain,
    holding,
    notifications,
    observations,
    promotion_acts,
    promotions,
    reads,
    reverifying,
    step_acts,
    trace,
    webhooks,
)

register_converter(converters.NameConverter, "name")
register_converter(converters.DigestConverter, "digest")
register_converter(converters.NumberConverter, "number")


def address(route: str, view: type[APIView], name: str) -> URLPattern:
    """One address of version 1; the views let in whom a token or a session lets in."""
    return path(f"api/v1/{route}", login_not_required(view.as_view()), name=name)


urlpatterns: list[URLPattern | URLResolver] = [
    path("hooks/<name:slug>", webhooks.deliver, name="hook"),
    path("api/schema/", login_not_required(SpectacularAPIView.as_view()), name="api-schema"),
    address("events", events.EventList, "api-events"),
    address("events/<int:pk>", events.EventDetail, "api-event"),
    address("evidence", evidence.EvidenceFiles, "api-evidence"),
    address("observations", observations.Observations, "api-observations"),
    address("services", reads.ServiceList, "api-services"),
    address("services/<name:slug>", reads.ServiceDetail, "api-service"),
    address("environments", reads.EnvironmentList, "api-environments"),
    address("environments/<name:slug>", reads.EnvironmentDetail, "api-environment"),
    address("artifacts", reads.ArtifactList, "api-artifacts"),
    address("artifacts/<digest:digest>", reads.ArtifactDetail, "api-artifact"),
    address("releases", reads.ReleaseList, "api-releases"),
    address("releases/<int:pk>", reads.ReleaseDetail, "api-release"),
    address("deployments", reads.DeploymentList, "api-deployments"),
    address("deployments/<int:pk>", reads.DeploymentDetail, "api-deployment"),
    address("incidents", reads.IncidentList, "api-incidents"),
    address("incidents/<int:pk>", reads.IncidentDetail, "api-incident"),
    address("notifications", notifications.NotificationList, "api-notifications"),
    address("notifications/read", notifications.NotificationReadAll, "api-notifications-read"),
    address("notifications/<int:pk>/read", notifications.NotificationRead, "api-notification-read"),
    address("promotions", promotions.PromotionList, "api-promotions"),
    address("promotions/<number:number>", promotions.PromotionDetail, "api-promotion"),
    address("promotions/<number:number>/approve", promotions.Approve, "api-promotion-approve"),
    address("promotions/<number:number>/reject", promotions.Reject, "api-promotion-reject"),
    address("promotions/<number:number>/cancel", promotions.Cancel, "api-promotion-cancel"),
    address("promotions/<number:number>/retry", promotions.Retry, "api-promotion-retry"),
    address("promotions/<number:number>/withdraw", promotion_acts.Withdraw, "api-withdraw"),
    address("promotions/<number:number>/rollback", promotion_acts.RollBack, "api-rollback"),
    address("promotions/<number:number>/stop", promotion_acts.Stop, "api-stop"),
    address("promotions/<number:number>/go-on", step_acts.GoOn, "api-go-on"),
    address("promotions/<number:number>/cause", promotion_acts.Cause, "api-cause"),
    address("promotions/<number:number>/action", promotion_acts.Action, "api-action"),
    address("promotions/<number:number>/break-glass", excepting.BreakTheGlass, "api-break-glass"),
    address("break-glasses", excepting.BreakGlassList, "api-break-glasses"),
    address("break-glasses/<int:pk>/review", excepting.Review, "api-review"),
    address("exceptions", excepting.ExceptionList, "api-exceptions"),
    address("exceptions/<int:pk>/revoke", excepting.RevokeException, "api-exception-revoke"),
    address("releases/<int:pk>/veto", holding.Veto, "api-veto"),
    address("releases/<int:pk>/unveto", holding.Unveto, "api-unveto"),
    address("freezes", holding.FreezeList, "api-freezes"),
    address("freezes/<int:pk>/lift", holding.LiftFreeze, "api-freeze-lift"),
    address("locks", holding.LockList, "api-locks"),
    address("locks/<int:pk>/release", holding.ReleaseLock, "api-lock-release"),
    address("holds", holding.HoldList, "api-holds"),
    address("holds/<int:pk>/lift", holding.LiftHold, "api-hold-lift"),
    address("reverifications", reverifying.Reverifications, "api-reverifications"),
    address("reverifications/<int:pk>", reverifying.ReverificationDetail, "api-reverification"),
    address("promotions/<number:number>/explain", explain.Explain, "api-promotion-explain"),
    address("assert", assertion.Assert, "api-assert"),
    address("trace/<digest:digest>", trace.Trace, "api-trace"),
]
