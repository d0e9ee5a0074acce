"""Promotions: the list, one, asking for one, and what people do with one. The page calls the same actions."""

from typing import Any

from django.db import models
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion import tasks
from promotion.actions import promote
from promotion.actions.approve import Choice, decide
from promotion.actions.cancel import cancel_promotion
from promotion.actions.retry import retry_promotion
from promotion.models import Approval, Promotion, Token

from .asking import AskSerializer, find_environment, find_release, find_service
from .authentication import person_of, token_of
from .parsing import BoundedJSONParser
from .promotion_rows import PromotionDetailSerializer, PromotionSerializer, promotions
from .queries import PromotionQuery
from .reads import RowDetail, RowList, find_or_404
from .schema import problems


class DecisionSerializer(serializers.Serializer[Any]):
    """A decision on exactly the content that was seen."""

    content_hash = serializers.CharField(
        max_length=71, help_text="as the promotion showed it when the person looked"
    )
    comment = serializers.CharField(
        max_length=5000,
        required=False,
        allow_blank=True,
        default="",
        help_text="a rejection needs one",
    )


class CancelSerializer(serializers.Serializer[Any]):
    """Why it is cancelled."""

    reason = serializers.CharField(max_length=900, required=False, allow_blank=True, default="")


class PromotionList(RowList[Promotion]):
    """The promotions, the one asked for last first."""

    operation = "list_promotions"
    scope = Token.Scope.PROMOTE
    serializer_class = PromotionSerializer
    query = PromotionQuery

    def get_queryset(self) -> "models.QuerySet[Promotion]":
        """All of them."""
        return promotions()

    @extend_schema(
        operation_id="ask_for_promotion",
        request=AskSerializer,
        responses={
            201: PromotionSerializer,
            200: PromotionSerializer,
            **problems(400, 409, 413, 415),
        },
    )
    def post(self, request: Request) -> Response:
        """Ask for a promotion: 201 for a new one, 200 with the open one there is."""
        person = person_of(request)
        said = read_body(AskSerializer, request)
        service = find_service(said["service"])
        asked = promote.ask_for_promotion(
            promote.Request(
                release=find_release(service, said.get("release"), said.get("digest", "")),
                environment=find_environment(said["environment"]),
                person=person,
                kind=said["kind"],
                fields=said.get("fields"),
                not_before=said.get("not_before"),
            ),
            at=timezone.now(),
        )
        return tell_asked(asked)


class PromotionDetail(RowDetail[Promotion]):
    """One promotion with its decisions and moves."""

    operation = "read_promotion"
    serializer_class = PromotionDetailSerializer
    lookup_field = "pk"
    lookup_url_kwarg = "number"

    def get_queryset(self) -> "models.QuerySet[Promotion]":
        """With its history."""
        return promotions().prefetch_related("transitions__actor", "approvals__person")


class PromotionAct(APIView):
    """Something a person does with a promotion."""

    parser_classes = (BoundedJSONParser,)
    scope = Token.Scope.PROMOTE


class Approve(PromotionAct):
    """POST /api/v1/promotions/<id>/approve."""

    scope = Token.Scope.APPROVE

    @extend_schema(
        operation_id="approve_promotion",
        request=DecisionSerializer,
        responses={200: PromotionDetailSerializer, **problems(400, 404, 409, 413, 415)},
    )
    def post(self, request: Request, number: int) -> Response:
        """Approve exactly this content, as the person the token belongs to."""
        return decide_as(request, number, Approval.Decision.APPROVE)


class Reject(PromotionAct):
    """POST /api/v1/promotions/<id>/reject."""

    scope = Token.Scope.APPROVE

    @extend_schema(
        operation_id="reject_promotion",
        request=DecisionSerializer,
        responses={200: PromotionDetailSerializer, **problems(400, 404, 409, 413, 415)},
    )
    def post(self, request: Request, number: int) -> Response:
        """Reject it, which ends this promotion; the comment is needed."""
        return decide_as(request, number, Approval.Decision.REJECT)


class Cancel(PromotionAct):
    """POST /api/v1/promotions/<id>/cancel."""

    @extend_schema(
        operation_id="cancel_promotion",
        request=CancelSerializer,
        responses={200: PromotionDetailSerializer, **problems(400, 404, 409, 413, 415)},
    )
    def post(self, request: Request, number: int) -> Response:
        """Cancel what waits at once; what runs stops before its next effect."""
        person = person_of(request)
        find_or_404(Promotion.objects.all(), pk=number)
        reason = read_body(CancelSerializer, request)["reason"]
        cancel_promotion(number, person=person, reason=reason, at=timezone.now())
        return tell(number)


class Retry(PromotionAct):
    """POST /api/v1/promotions/<id>/retry."""

    @extend_schema(
        operation_id="retry_promotion",
        request=None,
        responses={
            201: PromotionSerializer,
            200: PromotionSerializer,
            **problems(400, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, number: int) -> Response:
        """Ask again for what ended without success: a new promotion, the next attempt."""
        person = person_of(request)
        find_or_404(Promotion.objects.all(), pk=number)
        return tell_asked(retry_promotion(number, person=person, at=timezone.now()))


def read_body(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the body says; ValidationError names what is wrong with it."""
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def decide_as(request: Request, number: int, decision: Approval.Decision) -> Response:
    """Records the person's decision on the content they name, and the promotion after it."""
    person = person_of(request)
    find_or_404(Promotion.objects.all(), pk=number)
    said = read_body(DecisionSerializer, request)
    choice = Choice(decision, said["content_hash"], said["comment"], token_of(request))
    decide(number, choice, person=person, at=timezone.now())
    return tell(number)


def tell_asked(asked: promote.Asked) -> Response:
    """The promotion and its address; what the request did to its lane is looked at soon."""
    number = asked.promotion.pk
    tasks.advance.delay_on_commit(number)
    row = promotions().get(pk=number)
    return Response(
        PromotionSerializer(row).data,
        status=201 if asked.is_new else 200,
        headers={"Location": f"/api/v1/promotions/{number}"},
    )


def tell(number: int) -> Response:
    """The promotion after the act; the engine looks at it and at its lane."""
    row = promotions().prefetch_related("transitions__actor", "approvals__person").get(pk=number)
    tasks.advance.delay_on_commit(number)
    if not row.is_open:
        tasks.look_at_service.delay_on_commit(row.service_id)
    return Response(PromotionDetailSerializer(row).data)
