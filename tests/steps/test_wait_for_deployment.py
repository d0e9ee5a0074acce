"""The step wait-for-deployment: what counts as running, where, and since when."""

from datetime import timedelta
from typing import Any

import pytest

from promotion.models import Correction, Observation, Promotion, Release, StepRun
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult
from promotion.steps.known import STEPS
from tests.factories import (
    NOW,
    digest_of,
    make_artifact,
    make_deployment,
    make_environment,
    make_environments,
    make_person,
    make_promotion,
    make_release,
    make_service,
    make_step_run,
)
from tests.steps.contexts import make_context

pytestmark = pytest.mark.django_db

STEP = STEPS["wait-for-deployment"]
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def promotion() -> Promotion:
    make_environments()
    production = make_environment("production", targets=("eu-1", "us-1"))
    release = make_release(make_service())
    return make_promotion(release, production, state=State.RUNNING, started_at=NOW)


def look(promotion: Promotion, targets: tuple[str, ...] = (), **inputs: Any) -> StepResult:
    run = make_step_run(promotion, STEP.kind, inputs, targets=list(targets))
    return STEP.start(make_context(promotion, STEP.kind, inputs, at=LATER, run=run))


def deploy(promotion: Promotion, target: str = "", release: Release | None = None, **fields: Any):
    fields = {"at": LATER, **fields}
    return make_deployment(
        release or promotion.release, promotion.environment, target=target, **fields
    )


def observe(promotion: Promotion, target: str = "", digest: str = "", at=LATER) -> Observation:
    return Observation.objects.create(
        service=promotion.service,
        environment=promotion.environment,
        target=target,
        digest=digest or promotion.release.digests[0],
        seen_at=at,
        received_at=at,
    )


def test_without_a_report_it_waits_and_looks_again(promotion: Promotion) -> None:
    result = look(promotion)
    assert result.outcome is Outcome.WAITING
    assert result.look_again_in is not None
    assert timedelta(seconds=30) <= result.look_again_in < timedelta(seconds=45)
    assert result.progress == 0
    assert "not yet" in result.message


def test_a_deployment_of_the_digest_ends_it(promotion: Promotion) -> None:
    deploy(promotion)
    assert look(promotion).outcome is Outcome.SUCCEEDED


def test_an_observation_of_the_digest_ends_it(promotion: Promotion) -> None:
    observe(promotion)
    assert look(promotion).outcome is Outcome.SUCCEEDED


def test_every_target_must_run_it(promotion: Promotion) -> None:
    deploy(promotion, "eu-1")
    result = look(promotion, ("eu-1", "us-1"))
    short = promotion.release.digests[0][7:19]
    assert (result.outcome, result.progress) == (Outcome.WAITING, 0.5)
    assert result.message == f"eu-1 runs {short}, us-1 not yet."
    observe(promotion, "us-1")
    assert look(promotion, ("eu-1", "us-1")).outcome is Outcome.SUCCEEDED


def test_only_the_targets_of_the_wave_are_waited_for(promotion: Promotion) -> None:
    deploy(promotion, "eu-1")
    assert look(promotion, ("eu-1",)).outcome is Outcome.SUCCEEDED


def test_a_report_without_a_target_counts_for_none_and_says_why(promotion: Promotion) -> None:
    deploy(promotion)
    result = look(promotion, ("eu-1",))
    assert result.outcome is Outcome.WAITING
    assert "named no target" in result.message


def test_what_happened_before_the_promotion_does_not_count(promotion: Promotion) -> None:
    deploy(promotion, at=NOW - timedelta(hours=1))
    observe(promotion, at=NOW - timedelta(minutes=1))
    assert look(promotion).outcome is Outcome.WAITING


def test_another_digest_does_not_count(promotion: Promotion) -> None:
    deploy(promotion, release=make_release(promotion.service, "4.17.0"))
    assert look(promotion).outcome is Outcome.WAITING


def test_another_environment_does_not_count(promotion: Promotion) -> None:
    make_deployment(promotion.release, make_environment("staging"), at=LATER)
    assert look(promotion).outcome is Outcome.WAITING


def test_a_failed_deployment_fails_it_and_says_where(promotion: Promotion) -> None:
    deploy(promotion, "eu-1")
    deploy(promotion, "us-1", result="failed", url="https://ci.example.com/7")
    result = look(promotion, ("eu-1", "us-1"))
    assert result.outcome is Outcome.FAILED
    assert "us-1: failed" in result.message
    assert "https://ci.example.com/7" in result.message


def test_a_failure_that_was_tried_again_successfully_is_none(promotion: Promotion) -> None:
    deploy(promotion, result="failed")
    deploy(promotion, at=LATER + timedelta(minutes=1))
    assert look(promotion).outcome is Outcome.SUCCEEDED


def test_a_success_that_was_rolled_back_fails_it(promotion: Promotion) -> None:
    deploy(promotion)
    deploy(promotion, result="rolled_back", at=LATER + timedelta(minutes=1))
    assert look(promotion).outcome is Outcome.FAILED


def test_a_deployment_under_way_is_told(promotion: Promotion) -> None:
    deploy(promotion, "eu-1", result="started", finished_at=None, started_at=LATER)
    result = look(promotion, ("eu-1",))
    assert result.outcome is Outcome.WAITING
    assert "eu-1 has begun" in result.message


def test_a_platforms_child_counts_as_its_index(promotion: Promotion) -> None:
    index = promotion.release.artifacts.get()
    child = make_artifact(promotion.service, "4.18.0", digest=digest_of("child"), index=index)
    observe(promotion, digest=child.digest)
    assert look(promotion).outcome is Outcome.SUCCEEDED


def test_every_artifact_of_the_release_is_waited_for_unless_some_are_named() -> None:
    environment = make_environments()["production"]
    service = make_service(artifact_names=["shipment-api", "shipment-migrations"])
    artifacts = [make_artifact(service, name=name) for name in service.artifact_names]
    release = make_release(service, artifacts=artifacts)
    promotion = make_promotion(release, environment, state=State.RUNNING, started_at=NOW)
    observe(promotion, digest=artifacts[0].digest)
    assert look(promotion).outcome is Outcome.WAITING
    assert "not yet shipment-migrations" in look(promotion).message
    assert look(promotion, artifacts=["shipment-api"]).outcome is Outcome.SUCCEEDED
    assert look(promotion, artifacts=["nothing"]).outcome is Outcome.ERRORED


def test_a_fact_declared_wrong_does_not_count(promotion: Promotion) -> None:
    row = deploy(promotion)
    Correction.objects.create(
        subject="deployment", subject_id=row.pk, why="Wrong cluster", by=make_person(), at=LATER
    )
    assert look(promotion).outcome is Outcome.WAITING


def committed(promotion: Promotion, *, is_unchanged: bool) -> None:
    make_step_run(
        promotion,
        "git-commit",
        state=StepRun.State.SUCCEEDED,
        output={"is_unchanged": is_unchanged},
    )


def test_what_ran_before_counts_where_the_commit_found_nothing_to_change(
    promotion: Promotion,
) -> None:
    committed(promotion, is_unchanged=True)
    deploy(promotion, at=NOW - timedelta(hours=1))
    assert look(promotion).outcome is Outcome.SUCCEEDED


def test_what_ran_before_does_not_count_where_the_commit_changed_something(
    promotion: Promotion,
) -> None:
    committed(promotion, is_unchanged=False)
    deploy(promotion, at=NOW - timedelta(hours=1))
    assert look(promotion).outcome is Outcome.WAITING


def test_what_was_replaced_since_does_not_count_though_nothing_was_committed(
    promotion: Promotion,
) -> None:
    committed(promotion, is_unchanged=True)
    deploy(promotion, at=NOW - timedelta(hours=2))
    deploy(
        promotion, release=make_release(promotion.service, "4.17.0"), at=NOW - timedelta(hours=1)
    )
    assert look(promotion).outcome is Outcome.WAITING


def test_settings_are_checked() -> None:
    assert list(STEP.problems_in({})) == []
    assert [key for key, _ in STEP.problems_in({"artifacts": "all", "x": 1})] == ["x", "artifacts"]
    assert STEP.repeat_is_safe({})
