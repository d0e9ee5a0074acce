"""Going past gates: exceptions, broken glasses and their reviews. The pages call the same actions."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion import tasks
from promotion.actions.break_glass import Emergency, break_glass
from promotion.actions.exceptions import Wanted, grant_exception, revoke_exception
from promotion.actions.review import review_break_glass
from promotion.exceptions import InputError
from promotion.models import BreakGlass, GateException, Promotion, Token, User

from .asking import VersionOrIdField, find_environment, find_release, find_service
from .authentication import person_of
from .fields import DigestField, PersonSerializer, RowSerializer, UtcDateTimeField
from .parsing import BoundedJSONParser
from .promotion_rows import PromotedReleaseSerializer
from .promotions import read_body
from .queries import ListQuery, plain, text
from .reads import RowList, find_or_404
from .schema import problems


class ExceptionSerializer(RowSerializer[GateException]):
    """A granted deviation from one gate."""

    number = serializers.CharField(source="__str__", help_text="EX-7")
    release = PromotedReleaseSerializer()
    environment = serializers.CharField(source="environment.slug")
    owner = PersonSerializer()
    granted_by = PersonSerializer()

    class Meta:
        model = GateException
        fields = (
            "id",
            "number",
            "release",
            "environment",
            "gate",
            "reason",
            "owner",
            "granted_by",
            "granted_at",
            "ends_at",
            "revoked_at",
        )


class NewExceptionSerializer(serializers.Serializer[Any]):
    """Which gate of which environment the release is let past, why, who answers for it, until when."""

    service = serializers.CharField(max_length=100)
    release = VersionOrIdField(help_text="its version or id")
    digest = DigestField(required=False, help_text="where a version has several sets")
    environment = serializers.CharField(max_length=100)
    gate = serializers.CharField(max_length=40)
    reason = serializers.CharField(max_length=500)
    owner = serializers.CharField(max_length=150, help_text="user name")
    ends_at = UtcDateTimeField()


class BreakGlassSerializer(RowSerializer[BreakGlass]):
    """A broken glass, and its review where somebody has done it."""

    number = serializers.CharField(source="__str__", help_text="BG-3")
    promotion = serializers.CharField(source="promotion.number")
    service = serializers.CharField(source="promotion.service.slug")
    environment = serializers.CharField(source="promotion.environment.slug")
    broken_by = PersonSerializer()
    reviewed_by = PersonSerializer(allow_null=True)
    passed = serializers.ListField(
        child=serializers.DictField(), help_text="what it passed: gate and reason"
    )

    class Meta:
        model = BreakGlass
        fields = (
            "id",
            "number",
            "promotion",
            "service",
            "environment",
            "content_hash",
            "reason",
            "incident_url",
            "broken_by",
            "broken_at",
            "used_at",
            "passed",
            "review_due_at",
            "reviewed_at",
            "reviewed_by",
            "outcome",
            "review_words",
        )


class NewBreakGlassSerializer(serializers.Serializer[Any]):
    """Exactly what is let past its gates, and why."""

    content_hash = serializers.CharField(max_length=71, help_text="as the promotion showed it")
    reason = serializers.CharField(max_length=1000)
    incident_url = serializers.CharField(max_length=1000, help_text="a link to the incident")


class ReviewSerializer(serializers.Serializer[Any]):
    """What somebody else says of it."""

    outcome = serializers.ChoiceField(choices=BreakGlass.Outcome.choices)
    words = serializers.CharField(max_length=5000)


class RevokeSerializer(serializers.Serializer[Any]):
    """Why it ends."""

    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class ExceptionQuery(ListQuery):
    """Of exceptions."""

    service = text("release__service__slug", "whose release it is")
    environment = text("environment__slug", "where")
    gate = plain("the gate's kind")


class BreakGlassQuery(ListQuery):
    """Of broken glasses."""

    service = text("promotion__service__slug", "what was promoted")
    environment = text("promotion__environment__slug", "where to")
    is_reviewed = serializers.BooleanField(
        required=False, help_text="false: only those whose review is owed"
    )

    def fitting(self, rows: "QuerySet[Any]", lookups: dict[str, Any]) -> "QuerySet[Any]":
        """Reviewed is what has a time of review."""
        wanted = lookups.pop("is_reviewed", None)
        found = rows.filter(**lookups)
        return found if wanted is None else found.filter(reviewed_at__isnull=not wanted)


def exceptions() -> "QuerySet[GateException]":
    """With all that the serializer names of each."""
    return GateException.objects.select_related(
        "release__service", "environment", "owner", "granted_by"
    ).prefetch_related("release__artifacts")


def broken_glasses() -> "QuerySet[BreakGlass]":
    """With all that the serializer names of each."""
    return BreakGlass.objects.select_related(
        "promotion__service", "promotion__environment", "broken_by", "reviewed_by"
    )


class ExceptionList(RowList[GateException]):
    """The exceptions, the newest first."""

    operation = "list_exceptions"
    scope = Token.Scope.EXCEPT
    queryset = exceptions()
    serializer_class = ExceptionSerializer
    query = ExceptionQuery

    @extend_schema(
        operation_id="grant_exception",
        request=NewExceptionSerializer,
        responses={201: ExceptionSerializer, **problems(400, 409, 413)},
    )
    def post(self, request: Request) -> Response:
        """Let a release past one gate of one environment, for a time."""
        person = person_of(request)
        said = read_body(NewExceptionSerializer, request)
        service = find_service(said["service"])
        release = find_release(service, said["release"], said.get("digest", ""))
        wanted = Wanted(
            release,
            find_environment(said["environment"]),
            said["gate"],
            said["reason"],
            find_person(said["owner"], "owner"),
            said["ends_at"],
        )
        made = grant_exception(wanted, person=person, at=timezone.now())
        tasks.look_at_service.delay_on_commit(service.pk)
        return Response(ExceptionSerializer(exceptions().get(pk=made.pk)).data, status=201)


class ExceptingAct(APIView):
    """Something a person does to go past gates, or about it."""

    parser_classes = (BoundedJSONParser,)
    scope = Token.Scope.EXCEPT


class RevokeException(ExceptingAct):
    """POST /api/v1/exceptions/<id>/revoke."""

    @extend_schema(
        operation_id="revoke_exception",
        request=RevokeSerializer,
        responses={200: ExceptionSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """End the exception now."""
        person = person_of(request)
        found = find_or_404(GateException.objects.select_related("release"), pk=pk)
        reason = read_body(RevokeSerializer, request)["reason"]
        revoke_exception(pk, person=person, reason=reason, at=timezone.now())
        tasks.look_at_service.delay_on_commit(found.release.service_id)
        return Response(ExceptionSerializer(exceptions().get(pk=pk)).data)


class BreakTheGlass(ExceptingAct):
    """POST /api/v1/promotions/<id>/break-glass."""

    @extend_schema(
        operation_id="break_glass",
        request=NewBreakGlassSerializer,
        responses={201: BreakGlassSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, number: int) -> Response:
        """Let the promotion past its gates in an emergency; a review by somebody else is owed for it."""
        person = person_of(request)
        find_or_404(Promotion.objects.all(), pk=number)
        said = read_body(NewBreakGlassSerializer, request)
        made = break_glass(number, Emergency(**said), person=person, at=timezone.now())
        tasks.advance.delay_on_commit(number)
        return Response(BreakGlassSerializer(broken_glasses().get(pk=made.pk)).data, status=201)


class BreakGlassList(RowList[BreakGlass]):
    """The broken glasses with their reviews, the newest first."""

    operation = "list_break_glasses"
    queryset = broken_glasses()
    serializer_class = BreakGlassSerializer
    query = BreakGlassQuery


class Review(ExceptingAct):
    """POST /api/v1/break-glasses/<id>/review."""

    @extend_schema(
        operation_id="review_break_glass",
        request=ReviewSerializer,
        responses={200: BreakGlassSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Do the review that is owed; never by who broke the glass."""
        person = person_of(request)
        found = find_or_404(broken_glasses(), pk=pk)
        said = read_body(ReviewSerializer, request)
        review_break_glass(pk, person=person, at=timezone.now(), **said)
        tasks.look_at_service.delay_on_commit(found.promotion.service_id)
        return Response(BreakGlassSerializer(broken_glasses().get(pk=pk)).data)


def find_person(username: str, key: str) -> User:
    """The person; InputError where there is none."""
    found = User.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise InputError(f"There is no person {username!r}. Nothing was changed.", key=key)
    return found
