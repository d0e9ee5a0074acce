"""What happens between two looks, and what must neither start nor keep a worker busy."""

from datetime import timedelta

import pytest

from promotion.actions.advance import advance, follow_newest_pipeline
from promotion.actions.approve import Choice, decide
from promotion.actions.cancel import cancel_promotion
from promotion.actions.execute import claim, execute
from promotion.actions.outcome import record_outcome
from promotion.actions.promote import Request, ask_for_promotion
from promotion.actions.promote_automatically import promote_automatically
from promotion.actions.retry import retry_promotion
from promotion.actions.roll_back import roll_back
from promotion.actions.veto import veto_release
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.gates.approval import approval_facts
from promotion.gates.authors import authors_of
from promotion.models import Approval, Promotion, Role, StepRun
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepResult
from tests.factories import (
    NOW,
    make_commit,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_release_manager,
    make_service,
)

pytestmark = pytest.mark.django_db

ONE_STAGE = "service: shipment-api\nstages:\n  - name: dev\n    environment: dev\n"
ONLY_STAGING = "service: shipment-api\nstages:\n  - name: staging\n    environment: staging\n"
RENAMED = "service: shipment-api\nstages:\n  - name: first\n    environment: dev\n"
PER_TARGET = """
service: shipment-api
stages:
  - name: dev
    environment: dev
    steps:
      - http: {url: "https://example.com/{target}"}
"""
PAUSED = """
service: shipment-api
stages:
  - name: dev
    environment: dev
    steps:
      - pause: {for: 2d}
"""


@pytest.fixture
def service():
    """A service with the ordinary pipeline."""
    made = make_service()
    make_pipeline(made)
    return made


@pytest.fixture
def places():
    """The environments."""
    return make_environments()


def ask(release, place, **fields):
    return ask_for_promotion(
        Request(release=release, environment=place, **fields), at=NOW
    ).promotion


def look(promotion, at=NOW):
    advance(promotion.pk, at=at)
    promotion.refresh_from_db()
    return promotion


def test_one_whose_stage_is_gone_is_put_off_with_the_reason_and_expires(service, places):
    promotion = ask(make_release(service), places["dev"])
    make_pipeline(service, ONLY_STAGING)
    look(promotion)
    assert (promotion.state, promotion.next_look_at) == (State.WAITING, NOW + timedelta(minutes=5))
    assert "no stage for dev" in promotion.reason
    assert look(promotion, promotion.expires_at).state == State.EXPIRED


def test_one_that_breaks_the_engine_is_put_off(service, places, monkeypatch):
    promotion = ask(make_release(service), places["dev"])

    def break_down(*_args, **_fields):
        raise KeyError("nobody expected this")

    monkeypatch.setattr("promotion.actions.advance.evaluate_gates", break_down)
    look(promotion)
    assert promotion.next_look_at > NOW
    assert "could not be judged (KeyError)" in promotion.reason


def test_a_renamed_stage_is_followed(service, places):
    promotion = ask(make_release(service), places["dev"])
    make_pipeline(service, RENAMED)
    follow_newest_pipeline(promotion, NOW)
    promotion.refresh_from_db()
    assert promotion.stage == "first"
    assert approval_facts(promotion, NOW).verdict.met


def test_an_approval_withdrawn_while_the_gates_are_asked_does_not_let_it_start(
    service, places, monkeypatch
):
    release = make_release(service)
    make_deployment(release, places["staging"], at=NOW - timedelta(hours=1))
    manager = make_release_manager("ines")
    promotion = ask(release, places["production"], person=make_person("tomasz", Role.MEMBER))
    choice = Choice(Approval.Decision.APPROVE, promotion.content_hash, "")
    decide(promotion.pk, choice, person=manager, at=NOW)
    from promotion.actions import advance as module

    asked = module.evaluate_gates

    def ask_then_withdraw(*args, **fields):
        outcomes = asked(*args, **fields)
        back = Choice(Approval.Decision.WITHDRAW, promotion.content_hash, "")
        decide(promotion.pk, back, person=manager, at=NOW)
        return outcomes

    monkeypatch.setattr(module, "evaluate_gates", ask_then_withdraw)
    assert look(promotion).state == State.WAITING


def test_a_pipeline_applied_while_the_gates_are_asked_is_looked_at_first(
    service, places, monkeypatch
):
    promotion = ask(make_release(service), places["dev"])
    from promotion.actions import advance as module

    asked = module.evaluate_gates

    def ask_then_apply(*args, **fields):
        outcomes = asked(*args, **fields)
        make_pipeline(service, RENAMED)
        return outcomes

    monkeypatch.setattr(module, "evaluate_gates", ask_then_apply)
    assert look(promotion).state == State.WAITING


def test_a_vetoed_release_is_not_rolled_back_to(service, places):
    release = make_release(service)
    manager = make_release_manager("ines")
    promotion = ask(release, places["production"], person=manager, kind=Promotion.Kind.ROLLBACK)
    veto_release(release.pk, person=manager, reason="It loses orders.", at=NOW)
    assert look(promotion).state == State.WAITING
    assert promotion.reason == "4.18.0 was vetoed: It loses orders."


def test_a_member_may_not_go_back_by_retrying_a_rollback(service, places):
    ended = make_promotion(
        make_release(service), places["production"], state=State.ERRORED, kind="rollback"
    )
    with pytest.raises(NotAllowedError):
        retry_promotion(ended.pk, person=make_person("tomasz", Role.MEMBER), at=NOW)


def test_a_rollback_does_not_wait_behind_what_waits(service, places):
    waiting = ask(make_release(service, "4.19.0"), places["production"])
    person = make_release_manager("ines")
    choice = Choice(Approval.Decision.APPROVE, waiting.content_hash, "")
    decide(waiting.pk, choice, person=person, at=NOW)
    back = ask(
        make_release(service, "4.17.0"),
        places["production"],
        origin=Promotion.Origin.AUTOMATIC,
        kind=Promotion.Kind.ROLLBACK,
    )
    assert look(back).state == State.SUCCEEDED
    waiting.refresh_from_db()
    assert waiting.state == State.WAITING


def test_what_another_promotion_has_gone_over_is_not_rolled_back(service, places):
    old, new = make_release(service, "4.17.0"), make_release(service, "4.18.0")
    first = make_promotion(old, places["dev"], state=State.SUCCEEDED, ended_at=NOW)
    later = NOW + timedelta(hours=1)
    make_promotion(new, places["dev"], state=State.SUCCEEDED, at=later, ended_at=later)
    with pytest.raises(ConflictError, match="is not what runs there"):
        roll_back(first.pk, person=make_release_manager(), at=later)


def test_a_release_without_artifacts_is_not_asked_for(service, places):
    release = make_release(service)
    release.artifacts.clear()
    with pytest.raises(InputError, match="has no artifacts"):
        ask(release, places["dev"])


def test_a_stop_is_not_kept_waiting_by_a_step_that_looks_again_in_days(places):
    service = make_service()
    make_pipeline(service, PAUSED)
    person = make_person("tomasz", Role.MEMBER)
    promotion = ask(make_release(service), places["dev"], person=person)
    run = claim(advance(promotion.pk, at=NOW).step_run, at=NOW)
    cancel_promotion(promotion.pk, person=person, reason="Stop", at=NOW)
    waits = StepResult(Outcome.WAITING, "Until then", look_again_in=timedelta(days=2))
    assert record_outcome(run, waits, at=NOW)
    promotion.refresh_from_db()
    assert promotion.next_look_at == NOW
    execute(run.pk, now=lambda: NOW)
    promotion.refresh_from_db()
    assert promotion.state == State.CANCELLED


def test_targets_that_go_while_it_runs_end_it_as_errored(places):
    service = make_service()
    make_pipeline(service, PER_TARGET)
    places["dev"].targets.create(name="eu-1")
    promotion = ask(make_release(service), places["dev"])
    step = advance(promotion.pk, at=NOW).step_run
    places["dev"].targets.all().delete()
    assert claim(step, at=NOW) is None
    promotion.refresh_from_db()
    assert promotion.state == State.ERRORED
    assert promotion.step_runs.get().state == StepRun.State.CANCELLED


def test_another_target_changes_what_was_approved(places):
    service = make_service()
    make_pipeline(service, PAUSED)
    promotion = ask(make_release(service), places["dev"])
    before = promotion.content_hash
    places["dev"].targets.create(name="eu-1")
    assert follow_newest_pipeline(promotion, NOW).content_hash != before


def test_the_authors_are_counted_from_what_runs_now(service, places):
    first = make_commit(service, "First", author="luca")
    second = make_commit(service, "Second", parent=first, author="ines")
    third = make_commit(service, "Third", parent=second, author="daniel")
    old, middle, new = (
        make_release(service, f"4.{n}.0", commit=one.sha)
        for n, one in enumerate((first, second, third))
    )
    for name in ("luca", "ines", "daniel"):
        make_person(name)
    make_deployment(middle, places["dev"], at=NOW - timedelta(hours=2))
    promotion = ask(new, places["dev"])
    assert authors_of(promotion).people == {"daniel"}
    make_deployment(old, places["dev"], at=NOW - timedelta(hours=1))
    follow_newest_pipeline(promotion, NOW)
    assert authors_of(promotion).people == {"daniel", "ines"}


def test_a_refused_automatic_request_is_judged_again_later(places):
    service = make_service()
    make_pipeline(
        service, PER_TARGET.replace("environment: dev", "environment: dev\n    auto: true")
    )
    make_release(service)
    assert promote_automatically(service.pk, at=NOW) == []
    service.refresh_from_db()
    assert service.next_look_at == NOW + timedelta(hours=1)
