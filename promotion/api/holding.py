"""What holds promotions back: freezes, locks, holds and vetoes. The pages call the same actions."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from promotion import tasks
from promotion.actions.freeze import Scope, freeze, lift_freeze, list_touched
from promotion.actions.holds import lift_hold
from promotion.actions.lock import list_locked, make_lock, release_lock
from promotion.actions.veto import take_back_veto, veto_release
from promotion.exceptions import InputError
from promotion.models import Freeze, Hold, Incident, Lock, Release, Team, Token

from .asking import find_environment, find_service
from .authentication import person_of
from .holding_rows import (
    FreezeSerializer,
    HeldQuery,
    HoldSerializer,
    LockSerializer,
    NewFreezeSerializer,
    NewLockSerializer,
    ReasonSerializer,
    freezes,
    holds,
    locks,
)
from .parsing import BoundedJSONParser
from .promotions import read_body
from .reads import RowList, find_or_404, releases
from .schema import problems
from .serializers import ReleaseSerializer


class FreezeList(RowList[Freeze]):
    """The freezes, the newest first."""

    operation = "list_freezes"
    scope = Token.Scope.HOLD
    queryset = freezes()
    serializer_class = FreezeSerializer
    query = HeldQuery

    @extend_schema(
        operation_id="make_freeze",
        request=NewFreezeSerializer,
        responses={201: FreezeSerializer, **problems(400, 413)},
    )
    def post(self, request: Request) -> Response:
        """Freeze from now on."""
        person = person_of(request)
        said = read_body(NewFreezeSerializer, request)
        made = freeze(
            _scope(said),
            person=person,
            reason=said["reason"],
            at=timezone.now(),
            ends_at=said.get("ends_at"),
            incident=_incident(said.get("incident")),
        )
        _look_at(list_touched(made))
        return Response(FreezeSerializer(freezes().get(pk=made.pk)).data, status=201)


class LockList(RowList[Lock]):
    """The locks, the newest first."""

    operation = "list_locks"
    scope = Token.Scope.HOLD
    queryset = locks()
    serializer_class = LockSerializer
    query = HeldQuery

    @extend_schema(
        operation_id="make_lock",
        request=NewLockSerializer,
        responses={201: LockSerializer, **problems(400, 409, 413)},
    )
    def post(self, request: Request) -> Response:
        """Lock an environment from now on, for one service or for all."""
        person = person_of(request)
        said = read_body(NewLockSerializer, request)
        made = make_lock(
            find_environment(said["environment"]),
            find_service(said["service"]) if said.get("service") else None,
            person=person,
            reason=said["reason"],
            at=timezone.now(),
            ends_at=said.get("ends_at"),
        )
        _look_at(list_locked(made))
        return Response(LockSerializer(locks().get(pk=made.pk)).data, status=201)


class HoldList(RowList[Hold]):
    """The holds of automatic promotion, the newest first."""

    operation = "list_holds"
    queryset = holds()
    serializer_class = HoldSerializer
    query = HeldQuery


class HoldingAct(APIView):
    """Something a person does with what holds promotions back."""

    parser_classes = (BoundedJSONParser,)
    scope = Token.Scope.HOLD


class LiftFreeze(HoldingAct):
    """POST /api/v1/freezes/<id>/lift."""

    @extend_schema(
        operation_id="lift_freeze",
        request=None,
        responses={200: FreezeSerializer, **problems(404, 409)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """End the freeze now."""
        person = person_of(request)
        find_or_404(Freeze.objects.all(), pk=pk)
        _look_at(list_touched(lift_freeze(pk, person=person, at=timezone.now())))
        return Response(FreezeSerializer(freezes().get(pk=pk)).data)


class ReleaseLock(HoldingAct):
    """POST /api/v1/locks/<id>/release."""

    @extend_schema(
        operation_id="release_lock",
        request=None,
        responses={200: LockSerializer, **problems(404, 409)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """End the lock now."""
        person = person_of(request)
        find_or_404(Lock.objects.all(), pk=pk)
        _look_at(list_locked(release_lock(pk, person=person, at=timezone.now())))
        return Response(LockSerializer(locks().get(pk=pk)).data)


class LiftHold(HoldingAct):
    """POST /api/v1/holds/<id>/lift."""

    @extend_schema(
        operation_id="lift_hold",
        request=None,
        responses={200: HoldSerializer, **problems(404, 409)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Let automatic promotion go on."""
        person = person_of(request)
        find_or_404(Hold.objects.all(), pk=pk)
        _look_at([lift_hold(pk, person=person, at=timezone.now()).service_id])
        return Response(HoldSerializer(holds().get(pk=pk)).data)


class Veto(HoldingAct):
    """POST /api/v1/releases/<id>/veto."""

    @extend_schema(
        operation_id="veto_release",
        request=ReasonSerializer,
        responses={200: ReleaseSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Never promote the release anywhere further."""
        return _judge(request, pk, veto_release)


class Unveto(HoldingAct):
    """POST /api/v1/releases/<id>/unveto."""

    @extend_schema(
        operation_id="take_back_veto",
        request=ReasonSerializer,
        responses={200: ReleaseSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take the veto back."""
        return _judge(request, pk, take_back_veto)


def _judge(request: Request, pk: int, act: Any) -> Response:
    person = person_of(request)
    find_or_404(Release.objects.all(), pk=pk)
    reason = read_body(ReasonSerializer, request)["reason"]
    _look_at([act(pk, person=person, reason=reason, at=timezone.now()).service_id])
    return Response(ReleaseSerializer(releases().get(pk=pk)).data)


def _look_at(services: list[int]) -> None:
    for service in services:
        tasks.look_at_service.delay_on_commit(service)


def _scope(said: dict[str, Any]) -> Scope:
    return Scope(
        tier=said.get("tier", ""),
        environment=find_environment(said["environment"]) if said.get("environment") else None,
        team=_team(said["team"]) if said.get("team") else None,
        service=find_service(said["service"]) if said.get("service") else None,
    )


def _team(slug: str) -> Team:
    found = Team.objects.select_related("parent").filter(slug=slug).first()
    if found is None:
        raise InputError(f"There is no team {slug!r}. Nothing was changed.", key="team")
    return found


def _incident(key: int | None) -> Incident | None:
    if key is None:
        return None
    found = Incident.objects.filter(pk=key).first()
    if found is None:
        raise InputError(f"There is no incident {key}. Nothing was changed.", key="incident")
    return found
