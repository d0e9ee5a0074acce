"""Asking for a promotion, and what that does to the others of its lane."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from promotion.exceptions import InputError, NotAllowedError
from promotion.gates.candidates import candidate_for
from promotion.gates.runs import running_release
from promotion.models import Approval, Environment, Promotion, Release, Role, Service, User
from promotion.rules.pipeline import StageForm
from promotion.rules.queueing import NewRequest, Queue, QueuedPromotion, judge_request
from promotion.rules.states import State

from .audit import record
from .content import current_version, plan_of, stage_of
from .tell_moves import tell_move


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: who, why, and what the stage wants to know."""

    release: Release
    environment: Environment
    person: User | None = None
    origin: str = Promotion.Origin.PERSON
    kind: str = Promotion.Kind.NORMAL
    fields: Mapping[str, Any] | None = None
    not_before: datetime | None = None
    retry_of: Promotion | None = None
    undoes: Promotion | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The promotion, and whether this request made it or found it open already."""

    promotion: Promotion
    is_new: bool


@transaction.atomic
def ask_for_promotion(request: Request, *, at: datetime) -> Asked:
    """Makes a promotion that waits at its gates, or returns the open one of the same release and environment.

    Raises InputError where the pipeline has no such stage or a field is missing, NotAllowedError
    where the person may not ask or the release is vetoed. Nothing was changed then.
    """
    service = Service.objects.select_for_update(no_key=True).get(pk=request.release.service_id)
    _check_allowed(request, service)
    version = current_version(service)
    stage = stage_of(version.form, request.environment)
    lane = _queued(service, request.environment)
    automatic = request.origin == Promotion.Origin.AUTOMATIC
    verdict = judge_request(
        Queue(stage.queue), NewRequest(str(request.release.pk), automatic), lane
    )
    if verdict.returned is not None:
        return Asked(Promotion.objects.for_display().get(pk=verdict.returned), is_new=False)
    fields = dict(request.fields or {})
    if request.person and request.kind != Promotion.Kind.ROLLBACK:
        check_fields(stage, fields)
    promotion = _create(request, service, stage, version, fields, at)
    for number in verdict.superseded:
        _supersede(Promotion.objects.for_display().get(pk=number), promotion, at)
    return Asked(promotion, is_new=True)


def check_fields(stage: StageForm, fields: Mapping[str, Any]) -> None:
    """InputError for the first field the stage asks for that is missing or does not fit."""
    for ask in stage.ask:
        value = str(fields.get(ask.name, "")).strip()
        if not value:
            if ask.required:
                raise InputError(
                    f"{ask.name} is asked for and was not given. Nothing was asked for.",
                    key=ask.name,
                )
            continue
        if ask.pattern and not re.search(ask.pattern, value):
            raise InputError(
                f"{ask.name} must match {ask.pattern}. Nothing was asked for.", key=ask.name
            )
        if ask.choices and value not in ask.choices:
            raise InputError(f"{ask.name} must be one of {', '.join(ask.choices)}.", key=ask.name)
        if ask.kind == "link" and not re.match(r"https?://\S+$", value):
            raise InputError(f"{ask.name} must be a link that begins with https://.", key=ask.name)


def _check_allowed(request: Request, service: Service) -> None:
    if request.person and not request.person.may_ask(service.team):
        raise NotAllowedError(
            f"{request.person.name} may not ask for promotions of {service.slug}: that takes a member or release"
            f" manager of {service.team.name}. Nothing was asked for."
        )
    if (
        request.person
        and request.kind == Promotion.Kind.ROLLBACK
        and not request.person.has_role(service.team, Role.RELEASE_MANAGER)
    ):
        raise NotAllowedError(
            f"{request.person.name} may not roll back {service.slug}: that takes a release manager of"
            f" {service.team.name}. Nothing was asked for."
        )
    request.release.refresh_from_db(fields=["vetoed_at", "veto_reason"])
    if request.release.is_vetoed:
        raise NotAllowedError(
            f"{request.release} was vetoed: {request.release.veto_reason} It is not promoted anywhere."
        )
    if not request.release.artifacts.exists():
        raise InputError(
            f"{request.release} has no artifacts, so there is nothing to promote. Nothing was asked for."
        )


def _queued(service: Service, environment: Environment) -> list[QueuedPromotion]:
    lane = Promotion.objects.of(service, environment).open()
    approved = set(
        Approval.objects.filter(promotion__in=lane, decision=Approval.Decision.APPROVE).values_list(
            "promotion", flat=True
        )
    )
    return [
        QueuedPromotion(
            one.pk, str(one.release_id), one.asked_at, State(one.state), one.pk in approved
        )
        for one in lane
    ]


def _create(
    request: Request,
    service: Service,
    stage: StageForm,
    version: Any,
    fields: dict[str, Any],
    at: datetime,
) -> Promotion:
    promotion = Promotion.objects.create(
        release=request.release,
        service=service,
        environment=request.environment,
        stage=stage.name,
        kind=request.kind,
        origin=request.origin,
        requested_by=request.person,
        fields=fields,
        pipeline_version=version,
        replaces=running_release(service, request.environment, at),
        candidate=candidate_for(service, version.form, stage, at) if stage.auto else None,
        undoes=request.undoes,
        retry_of=request.retry_of,
        attempt=request.retry_of.attempt + 1 if request.retry_of else 1,
        asked_at=at,
        expires_at=at + stage.expires,
        not_before=request.not_before,
        next_look_at=at,
    )
    content = plan_of(promotion, version)
    promotion.content, promotion.content_hash = content.content, content.content_hash
    promotion.save(update_fields=["content", "content_hash"])
    asker = request.person.name if request.person else "Automatic promotion"
    promotion.move_to(State.WAITING, reason=f"{asker} asked for it.", at=at, actor=request.person)
    record(
        "promotion.ask",
        promotion,
        actor=request.person,
        at=at,
        reason=str(fields.get("reason", "")),
        details={"content_hash": promotion.content_hash, "kind": promotion.kind, "fields": fields},
    )
    return promotion


def _supersede(older: Promotion, newer: Promotion, at: datetime) -> None:
    older.move_to(
        State.SUPERSEDED, reason=f"{newer.number} asks for {newer.release.version} instead.", at=at
    )
    record("promotion.supersede", older, actor=None, at=at, details={"by": newer.number})
    tell_move(older, at=at, actor=newer.requested_by)
