"""Lists and details of what there is. No list costs more queries the longer it is."""

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Exists, Max, Model, OuterRef, Prefetch, QuerySet
from django.http import Http404
from rest_framework import generics
from rest_framework.parsers import BaseParser

from promotion.models import (
    Artifact,
    ArtifactTag,
    Correction,
    Deployment,
    Environment,
    Incident,
    Release,
    Service,
)

from . import queries, serializers
from .paging import SlugCursorPagination
from .parsing import BoundedJSONParser
from .schema import ReadSchema

Row = TypeVar("Row", bound=Model)


class RowList(generics.ListAPIView[Row], Generic[Row]):
    """The rows that fit the query, a page at a time."""

    query: ClassVar[type[queries.ListQuery]]
    operation: ClassVar[str]
    schema = ReadSchema()
    parser_classes: Sequence[type[BaseParser]] = (BoundedJSONParser,)

    def filter_queryset(self, queryset: Any) -> Any:
        """Those that fit."""
        return self.query.narrow(queryset, self.request.query_params)


class RowDetail(generics.RetrieveAPIView[Row], Generic[Row]):
    """One row."""

    operation: ClassVar[str]
    schema = ReadSchema()


def services() -> "QuerySet[Service]":
    """With team and the newest version of the pipeline."""
    return Service.objects.select_related("team").annotate(
        pipeline_version=Max("pipeline__versions__number")
    )


def environments() -> "QuerySet[Environment]":
    """With their targets."""
    return Environment.objects.prefetch_related("targets")


def artifacts() -> "QuerySet[Artifact]":
    """With all that the serializer names of each."""
    return Artifact.objects.select_related("service", "index").prefetch_related(
        Prefetch("tags", ArtifactTag.objects.with_moves()), "builds", "releases__service"
    )


def releases() -> "QuerySet[Release]":
    """With digests, who vetoed, and whether the version was built again."""
    return (
        Release.objects.select_related("service", "vetoed_by")
        .prefetch_related("artifacts")
        .annotate(was_built_again=Exists(Release.objects.others_of_version()))
    )


def deployments() -> "QuerySet[Deployment]":
    """With their lane and whether a person declared them wrong."""
    return Deployment.objects.select_related("service", "environment").annotate(
        is_voided=_is_voided(Correction.Subject.DEPLOYMENT)
    )


def incidents() -> "QuerySet[Incident]":
    """With their lane and whether a person declared them wrong."""
    return Incident.objects.select_related("service", "environment").annotate(
        is_voided=_is_voided(Correction.Subject.INCIDENT)
    )


def _is_voided(subject: str) -> Exists:
    return Exists(Correction.objects.filter(subject=subject, subject_id=OuterRef("pk")))


class ServiceList(RowList[Service]):
    """The services, by name."""

    operation = "list_services"
    queryset = services()
    serializer_class = serializers.ServiceSerializer
    pagination_class = SlugCursorPagination
    query = queries.ServiceQuery


class ServiceDetail(RowDetail[Service]):
    """One service."""

    operation = "read_service"
    queryset = services()
    serializer_class = serializers.ServiceSerializer
    lookup_field = "slug"


class EnvironmentList(RowList[Environment]):
    """The environments, by name."""

    operation = "list_environments"
    queryset = environments()
    serializer_class = serializers.EnvironmentSerializer
    pagination_class = SlugCursorPagination
    query = queries.EnvironmentQuery


class EnvironmentDetail(RowDetail[Environment]):
    """One environment."""

    operation = "read_environment"
    queryset = environments()
    serializer_class = serializers.EnvironmentSerializer
    lookup_field = "slug"


class ArtifactList(RowList[Artifact]):
    """The artifacts, the one heard of last first."""

    operation = "list_artifacts"
    queryset = artifacts()
    serializer_class = serializers.ArtifactSerializer
    query = queries.ArtifactQuery


class ArtifactDetail(RowDetail[Artifact]):
    """One artifact, by its digest."""

    operation = "read_artifact"
    queryset = artifacts()
    serializer_class = serializers.ArtifactSerializer
    lookup_field = "digest"


class ReleaseList(RowList[Release]):
    """The releases, the one made last first."""

    operation = "list_releases"
    queryset = releases()
    serializer_class = serializers.ReleaseSerializer
    query = queries.ReleaseQuery


class ReleaseDetail(RowDetail[Release]):
    """One release."""

    operation = "read_release"
    queryset = releases()
    serializer_class = serializers.ReleaseSerializer


class DeploymentList(RowList[Deployment]):
    """The deployments, the one heard of last first."""

    operation = "list_deployments"
    queryset = deployments()
    serializer_class = serializers.DeploymentSerializer
    query = queries.DeploymentQuery


class DeploymentDetail(RowDetail[Deployment]):
    """One deployment."""

    operation = "read_deployment"
    queryset = deployments()
    serializer_class = serializers.DeploymentSerializer


class IncidentList(RowList[Incident]):
    """The incidents, the one heard of last first."""

    operation = "list_incidents"
    queryset = incidents()
    serializer_class = serializers.IncidentSerializer
    query = queries.IncidentQuery


class IncidentDetail(RowDetail[Incident]):
    """One incident."""

    operation = "read_incident"
    queryset = incidents()
    serializer_class = serializers.IncidentSerializer


def find_or_404(rows: "QuerySet[Row]", **lookups: Any) -> Row:
    """The row; Http404 where there is none."""
    found = rows.filter(**lookups).first()
    if found is None:
        raise Http404
    return found
