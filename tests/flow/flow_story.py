"""A small history of promotions to production, each with what its measures of flow need."""

from datetime import datetime, timedelta

from promotion.models import Approval, GateResult, GateWait, Promotion, Role, User
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
    make_step_run,
    make_team,
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
CONTROLS = ("order", "window", "lock", "approval")


def deliver(slug: str = "shipment-api", team: str = "shipping", count: int = 6) -> list[Promotion]:
    """Promotions a day apart: 2 h for approval, 1 h for a window, 30 min of steps; the last is rejected.

    Of those that started the first had a person let a pause go on, and missed its window.
    """
    service, places = make_service(slug, team=make_team(team)), make_environments()
    make_pipeline(service, at=NOW - DAY)
    mei, ines = make_person("mei"), make_person("ines", Role.RELEASE_MANAGER)
    made = []
    for number in range(count):
        at = NOW + number * DAY
        release = make_release(service, f"1.{number}.0", at=at - HOUR)
        for place in ("dev", "staging"):
            make_deployment(release, places[place], at=at, mechanism="automated")
        is_rejected = number == count - 1
        started_at = None if is_rejected else at + 3 * HOUR
        ended_at = at + 2 * HOUR if is_rejected else at + 3 * HOUR + 30 * MINUTE
        promotion = make_promotion(
            release,
            places["production"],
            at=at,
            state=State.REJECTED if is_rejected else State.SUCCEEDED,
            requested_by=mei,
            started_at=started_at,
            ended_at=ended_at,
        )
        _wait_for(promotion, at, None if is_rejected else at + 2 * HOUR)
        decide(promotion, ines, at + 2 * HOUR, "reject" if is_rejected else "approve")
        if started_at is not None:
            _pass_controls(promotion, started_at, misses="window" if number == 0 else "")
            make_deployment(
                release,
                places["production"],
                at=ended_at,
                promotion=promotion,
            )
        if number == 0:
            make_step_run(
                promotion, "pause", state="succeeded", gone_on_by=mei, finished_at=ended_at
            )
        made.append(promotion)
    return made


def _wait_for(promotion: Promotion, at: datetime, approved_at: datetime | None) -> None:
    rule = {"promotion": promotion, "gate": "approval", "rule": "release managers"}
    GateWait.objects.create(**rule, since=at, until=approved_at, reason="Waits for Ines.")
    if approved_at is not None:
        GateWait.objects.create(promotion=promotion, gate="window", since=at, reason="Closed.")


def decide(promotion: Promotion, person: User, at: datetime, decision: str) -> None:
    Approval.objects.create(
        promotion=promotion,
        person=person,
        decision=decision,
        content_hash=promotion.content_hash,
        readiness={"verdict": "ready", "reason": "Every required gate is open.", "gates": []},
        at=at,
    )


def _pass_controls(promotion: Promotion, at: datetime, misses: str) -> None:
    for position, gate in enumerate(CONTROLS):
        GateResult.objects.create(
            promotion=promotion,
            position=position,
            gate=gate,
            verdict="waiting" if gate == misses else "open",
            reason="Told.",
            content_hash=promotion.content_hash,
            measured_at=at,
            fresh_until=at + HOUR,
        )
