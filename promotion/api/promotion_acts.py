"""More that people do with a promotion: withdraw, roll back, stop, and tell why it ended badly."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from promotion.actions.cancel import stop_promotion
from promotion.actions.roll_back import roll_back
from promotion.actions.tell_cause import Told, set_action_done, tell_cause
from promotion.models import Approval, Promotion, Token

from .authentication import person_of
from .excepting import find_person
from .promotion_rows import PromotionDetailSerializer, PromotionSerializer
from .promotions import (
    CancelSerializer,
    DecisionSerializer,
    PromotionAct,
    decide_as,
    read_body,
    tell,
    tell_asked,
)
from .reads import find_or_404
from .schema import problems


class StopSerializer(serializers.Serializer[Any]):
    """What follows the stop, and why."""

    then = serializers.ChoiceField(choices=Promotion.StopThen.choices)
    reason = serializers.CharField(max_length=900, required=False, allow_blank=True, default="")


class CauseSerializer(serializers.Serializer[Any]):
    """Why it ended badly, and what is done about it."""

    cause = serializers.ChoiceField(choices=Promotion.Cause.choices)
    words = serializers.CharField(max_length=5000)
    action = serializers.CharField(max_length=5000)
    owner = serializers.CharField(max_length=150, help_text="user name")
    due = serializers.DateField()
    url = serializers.CharField(
        max_length=1000,
        required=False,
        allow_blank=True,
        default="",
        help_text="where it is tracked",
    )


class ActionSerializer(serializers.Serializer[Any]):
    """How the action stands."""

    state = serializers.ChoiceField(choices=[("open", "Open"), ("done", "Done")])


class Withdraw(PromotionAct):
    """POST /api/v1/promotions/<id>/withdraw."""

    scope = Token.Scope.APPROVE

    @extend_schema(
        operation_id="withdraw_approval",
        request=DecisionSerializer,
        responses={200: PromotionDetailSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, number: int) -> Response:
        """Take the person's own approval back, until the promotion runs."""
        return decide_as(request, number, Approval.Decision.WITHDRAW)


class RollBack(PromotionAct):
    """POST /api/v1/promotions/<id>/rollback."""

    @extend_schema(
        operation_id="roll_back_promotion",
        request=CancelSerializer,
        responses={
            201: PromotionSerializer,
            200: PromotionSerializer,
            **problems(400, 404, 409),
        },
    )
    def post(self, request: Request, number: int) -> Response:
        """Ask for the last good release again: 201 for a new promotion, 200 with the open one there is."""
        person = person_of(request)
        find_or_404(Promotion.objects.all(), pk=number)
        reason = read_body(CancelSerializer, request)["reason"]
        return tell_asked(roll_back(number, person=person, at=timezone.now(), reason=reason))


class Stop(PromotionAct):
    """POST /api/v1/promotions/<id>/stop."""

    @extend_schema(
        operation_id="stop_promotion",
        request=StopSerializer,
        responses={200: PromotionDetailSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, number: int) -> Response:
        """Stop what runs before its next effect, and then leave it as it is or roll back."""
        person = person_of(request)
        find_or_404(Promotion.objects.all(), pk=number)
        said = read_body(StopSerializer, request)
        stop_promotion(number, person=person, at=timezone.now(), **said)
        return tell(number)


class Cause(PromotionAct):
    """POST /api/v1/promotions/<id>/cause."""

    @extend_schema(
        operation_id="tell_cause",
        request=CauseSerializer,
        responses={200: PromotionDetailSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, number: int) -> Response:
        """Tell why it failed, errored or was rolled back, and what is done; the later telling stands."""
        person = person_of(request)
        find_or_404(Promotion.objects.all(), pk=number)
        said = read_body(CauseSerializer, request)
        told = Told(**{**said, "owner": find_person(said["owner"], "owner")})
        tell_cause(number, told, person=person, at=timezone.now())
        return tell(number)


class Action(PromotionAct):
    """POST /api/v1/promotions/<id>/action."""

    @extend_schema(
        operation_id="settle_action",
        request=ActionSerializer,
        responses={200: PromotionDetailSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, number: int) -> Response:
        """Say that the action is done, or open again."""
        person = person_of(request)
        find_or_404(Promotion.objects.all(), pk=number)
        is_done = read_body(ActionSerializer, request)["state"] == "done"
        set_action_done(number, is_done=is_done, person=person, at=timezone.now())
        return tell(number)
