"""Asking that the release that runs somewhere is verified again: by a person, or by the schedule."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError, ThroughlineError
from promotion.gates.runs import running_release
from promotion.models import (
    Environment,
    Promotion,
    Reverification,
    ReverificationSchedule,
    Service,
    User,
    Verification,
)
from promotion.rules.pipeline import PipelineForm
from promotion.rules.states import State
from promotion.steps.known import VERIFICATIONS

from .audit import record
from .content import current_version, plan

ORIGIN = Reverification.Origin


@transaction.atomic
def ask_for_reverification(
    service: Service, environment: Environment, *, person: User | None, at: datetime
) -> Reverification:
    """Begins it, or returns the one under way; `person` is None where the schedule asks.

    NotAllowedError where the person may not ask for promotions of the service, ConflictError where
    nothing runs there, a promotion is under way there, or the stage verifies nothing; InputError
    where there is no such stage.
    """
    service = (
        Service.objects.select_for_update(no_key=True).select_related("team").get(pk=service.pk)
    )
    if person is not None and not person.may_ask(service.team):
        raise NotAllowedError(
            f"{person.name} may not have {service.slug} verified again: that takes a member or release"
            f" manager of {service.team.name}. Nothing was begun."
        )
    lane = {"service": service, "environment": environment}
    under_way = Reverification.objects.filter(state=Reverification.State.RUNNING, **lane).first()
    if under_way is not None:
        return under_way
    release = running_release(service, environment, at)
    if release is None:
        raise ConflictError(
            f"Nothing of {service.slug} is known to run in {environment.name}. Nothing was begun."
        )
    busy = Promotion.objects.filter(state=State.RUNNING.value, **lane).first()
    if busy is not None:
        raise ConflictError(
            f"{busy.number} is under way in {environment.name} and verifies by itself. Nothing was begun."
        )
    version = current_version(service)
    planned = plan(release, environment, Promotion.Kind.NORMAL, version)
    steps = [
        {
            "kind": step.kind,
            "targets": list(step.targets),
            "inputs": step.inputs,
            "timeout": step.timeout.total_seconds() if step.timeout else None,
        }
        for step in planned.steps
        if step.kind in VERIFICATIONS
    ]
    if not steps:
        raise ConflictError(
            f"The stage {planned.stage.name} has no step that verifies. Nothing was begun. Add"
            " verify-http or verify-metric to the pipeline."
        )
    made = Reverification.objects.create(
        release=release,
        pipeline_version=version,
        stage=planned.stage.name,
        origin=ORIGIN.PERSON if person else ORIGIN.SCHEDULE,
        asked_by=person,
        asked_at=at,
        steps=steps,
        next_look_at=at,
        **lane,
    )
    record("reverification.ask", made, actor=person, at=at, details={"release": release.version})
    return made


def schedule_reverifications(service: Service, form: PipelineForm, at: datetime) -> None:
    """Keeps what the stages of a new pipeline version ask for; call it inside their transaction."""
    wanted = {
        stage.environment: stage.reverify_every
        for stage in form.stages
        if stage.reverify_every is not None
    }
    kept = ReverificationSchedule.objects.filter(service=service)
    kept.exclude(environment__slug__in=wanted).delete()
    for place in Environment.objects.filter(slug__in=wanted):
        every = wanted[place.slug]
        held, is_new = ReverificationSchedule.objects.get_or_create(
            service=service,
            environment=place,
            defaults={"every": every, "next_at": at + every},
        )
        if not is_new and held.every != every:
            held.every, held.next_at = every, min(held.next_at, at + every)
            held.save(update_fields=["every", "next_at"])


@transaction.atomic
def begin_scheduled(schedule: int, *, at: datetime) -> Reverification | None:
    """Begins what the schedule asks for now; None where it is not due, or there is nothing to verify."""
    due = ReverificationSchedule.objects.filter(pk=schedule, next_at__lte=at)
    # The service first, as whoever applies a pipeline does.
    Service.objects.select_for_update(no_key=True).filter(pk__in=due.values("service")).first()
    held = due.select_related("service", "environment").first()
    if held is None:
        return None
    release = running_release(held.service, held.environment, at)
    last = (
        Verification.objects.filter(release=release, environment=held.environment, at__lte=at)
        .order_by("-at", "-pk")
        .first()
        if release
        else None
    )
    is_recent = last is not None and last.at + held.every > at
    held.next_at = last.at + held.every if last is not None and is_recent else at + held.every
    held.save(update_fields=["next_at"])
    if release is None or is_recent:
        return None
    try:
        with transaction.atomic():
            return ask_for_reverification(held.service, held.environment, person=None, at=at)
    except ThroughlineError:
        return None
