"""A worker is killed before, during and after each kind of step: one effect, and the promotion ends."""

import pytest
from django.db import transaction
from django.utils import timezone

from promotion.actions.finish import wake_service
from promotion.models import AuditEntry, Promotion, StepRun, Verification
from promotion.rules.states import State
from tests.factories import make_deployment
from tests.kill.lanes import (
    KINDS,
    VERSION,
    FarSides,
    ended_as,
    is_at,
    read_target,
    runs_of,
    start_promotion,
)
from tests.parts.processes import Processes, wait_until

RUNNING, WAITING = StepRun.State.RUNNING, StepRun.State.WAITING
# These hold no far side: they are under way while they wait.
PATIENT = ("wait-for-deployment", "pause")
POOL = ("--pool", "prefork", "--concurrency", "5")

Lanes = dict[str, Promotion]


def start_lanes(sides: FarSides) -> Lanes:
    return {kind: start_promotion(sides, kind) for kind in KINDS}


def report_deployment(promotion: Promotion) -> None:
    """The runtime's word arrives; its hint is lost, as there is nobody to send it."""
    with transaction.atomic():
        make_deployment(promotion.release, promotion.environment, at=timezone.now())
        wake_service(promotion.service_id, timezone.now())


def finish(processes: Processes, lanes: Lanes) -> None:
    """A new worker and the sweep, and no hint but what the broker still has."""
    processes.begin_worker(*POOL)
    for kind, promotion in lanes.items():
        wait_until(lambda promotion=promotion: bool(ended_as(promotion)), f"{kind} ends")


def check_effects(sides: FarSides, lanes: Lanes) -> None:
    """One effect each at the far side."""
    keys = {kind: runs_of(promotion)[0].effect_key for kind, promotion in lanes.items()}
    assert sides.service.done == {keys["http"]: 1}
    assert sides.count_commits(keys["git-commit"]) == 1
    name = lanes["oci-copy"].service.slug
    assert read_target(sides, name, VERSION) == sides.digests[name]
    (verification,) = Verification.objects.all()
    assert verification.has_passed
    pause = runs_of(lanes["pause"])[0]
    assert (pause.finished_at - pause.begun_at).total_seconds() >= 3


def check_record(lanes: Lanes, *, claims: int) -> None:
    """One attempt each, claimed as often as a worker had it, and every act on the record once."""
    for kind, promotion in lanes.items():
        assert promotion.state == State.SUCCEEDED, (kind, promotion.reason)
        (run,) = runs_of(promotion)
        assert (run.state, run.attempt, run.lease_until) == (StepRun.State.SUCCEEDED, 1, None)
        if kind not in PATIENT:
            assert run.token == claims, kind
        moves = [move.to_state for move in promotion.transitions.all()]
        assert moves == ["waiting", "running", "succeeded"], kind
        acts = list(entries(promotion).values_list("action", flat=True))
        assert acts == ["promotion.ask", "promotion.start", "promotion.succeeded"], kind
        outcomes = AuditEntry.objects.filter(subject_type="steprun", subject_id=str(run.pk))
        said = [entry.details["outcome"] for entry in outcomes.order_by("pk")]
        assert said.count("succeeded") == 1, kind
        assert set(said) <= {"waiting", "succeeded"}, kind


def entries(promotion: Promotion) -> "list[AuditEntry]":
    return AuditEntry.objects.filter(
        subject_type="promotion", subject_id=str(promotion.pk)
    ).order_by("pk")


def test_killed_before_the_step_is_claimed(processes: Processes, far_sides: FarSides) -> None:
    worker = processes.have_worker(*POOL)
    worker.freeze()
    lanes = start_lanes(far_sides)
    for promotion in lanes.values():
        processes.advance(promotion.pk)
    worker.kill()
    assert {run.token for run in StepRun.objects.all()} == {0}
    report_deployment(lanes["wait-for-deployment"])
    finish(processes, lanes)
    check_effects(far_sides, lanes)
    check_record(lanes, claims=1)


@pytest.mark.parametrize("moment", ["during", "after"])
def test_killed_while_the_far_side_does_it_or_before_its_answer_arrives(
    processes: Processes, far_sides: FarSides, moment: str
) -> None:
    worker = processes.have_worker(*POOL)
    bars = far_sides.bars(moment)
    for bar in bars.values():
        bar.close()
    lanes = start_lanes(far_sides)
    for promotion in lanes.values():
        processes.advance(promotion.pk)
    for kind, bar in bars.items():
        wait_until(bar.has_been_reached, f"the far side of {kind} is reached")
    for kind in PATIENT:
        wait_until(lambda kind=kind: is_at(lanes[kind], WAITING), f"{kind} waits")
    assert all(is_at(lanes[kind], RUNNING) for kind in bars)
    worker.kill()
    report_deployment(lanes["wait-for-deployment"])
    far_sides.open_all()
    finish(processes, lanes)
    check_effects(far_sides, lanes)
    check_record(lanes, claims=2)
