"""Breaking the glass: who may, what it passes and what never, and the review that is owed for it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promotion.actions.advance import advance
from promotion.actions.break_glass import Emergency, break_glass
from promotion.actions.freeze import Scope, freeze
from promotion.actions.lock import make_lock
from promotion.actions.past_gates import pass_gates
from promotion.actions.promote import Request, ask_for_promotion
from promotion.actions.review import review_break_glass, reviews_for
from promotion.actions.veto import veto_release
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import (
    AuditEntry,
    BreakGlass,
    CheckedDigest,
    GateResult,
    Promotion,
    Release,
    Role,
    User,
)
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_release_manager,
    make_service,
    make_team,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
INCIDENT = "https://incidents.example/77"
PIPELINE = """
service: shipment-api
stages:
  - {name: dev, environment: dev}
  - name: production
    environment: production
    after: [dev]
    gates: [{soak: {for: 24h}}, {tests: {names: [unit]}}, debt]
    approvals: [{name: managers, count: 2, from: ["role:release manager"]}]
    steps: [{pause: {for: 10m}}]
"""
CHECKED = """
service: shipment-api
stages:
  - name: production
    environment: production
    gates: [checksum]
    steps: [{pause: {for: 10m}}]
"""


@pytest.fixture
def release() -> Release:
    make_environments()
    service = make_service()
    make_pipeline(service, PIPELINE)
    return make_release(service, at=NOW - HOUR)


@pytest.fixture
def sven() -> User:
    """A member of the service's team who has the right by a group."""
    return make_breaker("sven")


def make_breaker(username: str, team: str = "shipping") -> User:
    person = make_person(username, Role.MEMBER, team=make_team(team))
    group = Group.objects.get_or_create(name="on call")[0]
    group.permissions.add(Permission.objects.get(codename="break_glass"))
    person.groups.add(group)
    return person


def ask(release: Release) -> Promotion:
    production = make_environments()["production"]
    mia = make_person("mia", Role.MEMBER)
    made = ask_for_promotion(Request(release, production, person=mia), at=NOW).promotion
    return look(made)


def look(promotion: Promotion, at=NOW) -> Promotion:
    advance(promotion.pk, at=at)
    promotion.refresh_from_db()
    return promotion


def smash(promotion: Promotion, person: User, at=NOW, **changed: str) -> BreakGlass:
    given = {
        "content_hash": promotion.content_hash,
        "reason": "Nothing is shipped.",
        "incident_url": INCIDENT,
        **changed,
    }
    return break_glass(promotion.pk, Emergency(**given), person=person, at=at)


def verdicts(promotion: Promotion) -> dict[str, str]:
    return {one.gate: one.verdict for one in promotion.gate_results.all()}


def test_it_passes_waiting_and_closed_gates_and_says_so_everywhere(
    release: Release, sven: User
) -> None:
    promotion = ask(release)
    before = verdicts(promotion)
    assert (before["order"], before["approval"]) == ("closed", "closed")
    glass = smash(promotion, sven)
    look(promotion)
    assert promotion.state == State.RUNNING
    assert promotion.glass_broken_at == NOW
    assert promotion.reason.startswith("Sven broke the glass: Nothing is shipped. Passed: ")
    assert set(verdicts(promotion).values()) == {"open"}
    passed = promotion.gate_results.get(gate="approval")
    assert passed.break_glass == glass
    assert passed.reason.startswith(f"Sven broke the glass ({glass}). Without it: ")
    glass.refresh_from_db()
    assert glass.used_at is not None and NOW <= glass.used_at < NOW + HOUR
    assert {one["gate"] for one in glass.passed} == {"order", "soak", "tests", "approval"}
    entry = AuditEntry.objects.get(action="promotion.break_glass")
    assert (entry.actor, entry.reason) == (sven, "Nothing is shipped.")
    assert entry.details["incident"] == INCIDENT
    start = AuditEntry.objects.get(action="promotion.start")
    assert start.details["passed_by_break_glass"] == ["soak", "tests", "order", "approval"]


def test_it_passes_closed_windows_freezes_locks_and_the_time_asked_for(
    release: Release, sven: User
) -> None:
    promotion = ask(release)
    Promotion.objects.filter(pk=promotion.pk).update(not_before=NOW + 9 * HOUR)
    carla = make_release_manager("carla")
    freeze(Scope(), person=carla, reason="Year end", at=NOW)
    make_lock(promotion.environment, None, person=carla, reason="Moving house", at=NOW)
    smash(promotion, sven)
    assert look(promotion).state == State.RUNNING


def test_freezes_hold_it_where_the_pipeline_says_so(release: Release, sven: User) -> None:
    make_pipeline(
        release.service,
        PIPELINE + "    break_glass: {freezes_apply: true}\n",
    )
    promotion = ask(release)
    carla = make_release_manager("carla")
    freeze(Scope(), person=carla, reason="Year end", at=NOW, ends_at=NOW + HOUR)
    smash(promotion, sven)
    assert look(promotion).state == State.WAITING
    assert verdicts(promotion)["window"] == "waiting"
    assert look(promotion, NOW + HOUR).state == State.RUNNING


def test_what_runs_there_is_waited_for_and_nothing_else(release: Release, sven: User) -> None:
    other = make_release(release.service, "4.17.0", at=NOW - 3 * HOUR)
    running = make_promotion(other, make_environments()["production"], state=State.RUNNING)
    promotion = ask(release)
    smash(promotion, sven)
    assert look(promotion).state == State.WAITING
    assert verdicts(promotion)["lock"] == "waiting"
    Promotion.objects.filter(pk=running.pk).update(state=State.FAILED.value)
    assert look(promotion).state == State.RUNNING


def test_a_vetoed_release_never_goes(release: Release, sven: User) -> None:
    promotion = ask(release)
    carla = make_release_manager("carla")
    veto_release(release.pk, person=carla, reason="Loses data", at=NOW)
    with pytest.raises(NotAllowedError, match="Even with the glass broken"):
        smash(promotion, sven)
    Release.objects.filter(pk=release.pk).update(vetoed_at=None)
    smash(promotion, sven)
    Release.objects.filter(pk=release.pk).update(vetoed_at=NOW, veto_reason="Loses data")
    assert look(promotion).state == State.WAITING
    assert verdicts(promotion)["order"] == "closed"


def test_another_services_release_never_goes(release: Release, sven: User) -> None:
    promotion = ask(release)
    foreign = make_release(make_service("rate-engine"), "1.0.0")
    Promotion.objects.filter(pk=promotion.pk).update(release=foreign)
    with pytest.raises(NotAllowedError, match="Even with the glass broken"):
        smash(promotion, sven)
    assert not BreakGlass.objects.exists()


def test_unchecked_bytes_never_go_and_an_earlier_check_of_the_same_digest_will_do(
    sven: User,
) -> None:
    production = make_environments()["production"]
    service = make_service()
    make_pipeline(service, CHECKED)
    release = make_release(service)
    promotion = ask(release)
    smash(promotion, sven)
    look(promotion)
    assert promotion.state == State.WAITING
    stage = promotion.pipeline_version.form.stage("production")
    waiting = GateResult(
        promotion=promotion, position=0, gate="checksum", verdict="waiting", reason="Out of reach.",
        content_hash=promotion.content_hash, measured_at=NOW, fresh_until=NOW,
    )  # fmt: skip

    def passed(verdict: str) -> str:
        waiting.verdict = verdict
        return pass_gates(promotion, stage, [waiting], at=NOW)[0].verdict

    assert passed("waiting") == "waiting"
    earlier = make_promotion(release, production, state=State.SUCCEEDED, at=NOW - HOUR)
    CheckedDigest.objects.create(
        artifact=release.artifacts.get(), promotion=earlier, checked_at=NOW - HOUR, reason="All."
    )
    assert passed("waiting") == "open"
    assert passed("closed") == "closed"


def test_it_needs_the_right_and_a_part_in_the_services_team(release: Release) -> None:
    promotion = ask(release)
    everything = make_person("root", *Role.values, is_superuser=True)
    elsewhere = make_breaker("nora", team="billing")
    viewer = make_breaker("vera", team="billing")
    for person in (everything, elsewhere, viewer, promotion.requested_by):
        with pytest.raises(NotAllowedError, match="a right of its own"):
            smash(promotion, person)
    assert not BreakGlass.objects.exists()
    assert look(promotion).state == State.WAITING


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"incident_url": ""}, "incident_url"),
        ({"incident_url": "INC-77"}, "incident_url"),
        ({"incident_url": "javascript:alert(1)"}, "incident_url"),
        ({"incident_url": "https://x.example/" + "y" * 1000}, "incident_url"),
    ],
    ids=str,
)
def test_it_needs_a_reason_and_a_link_to_the_incident(
    release: Release, sven: User, changed: dict[str, str], key: str
) -> None:
    promotion = ask(release)
    with pytest.raises(InputError) as caught:
        smash(promotion, sven, **changed)
    assert caught.value.key == key
    assert not BreakGlass.objects.exists()


def test_it_is_bound_to_the_content_that_was_seen(release: Release, sven: User) -> None:
    promotion = ask(release)
    with pytest.raises(ConflictError, match="has changed since"):
        smash(promotion, sven, content_hash="sha256:" + "0" * 64)
    smash(promotion, sven)
    make_pipeline(release.service, PIPELINE.replace("10m", "20m"))
    assert look(promotion).state == State.WAITING
    assert smash(promotion, sven)
    assert look(promotion).state == State.RUNNING


def test_a_second_press_and_one_that_comes_late_change_nothing(
    release: Release, sven: User
) -> None:
    promotion = ask(release)
    smash(promotion, sven)
    with pytest.raises(ConflictError, match="Sven has broken the glass"):
        smash(promotion, sven)
    look(promotion)
    with pytest.raises(ConflictError, match="is running"):
        smash(promotion, sven)
    assert BreakGlass.objects.count() == 1


def test_a_stage_that_only_observes_has_no_glass(release: Release, sven: User) -> None:
    observing = PIPELINE.replace("    after: [dev]\n", "    after: [dev]\n    mode: observe\n")
    make_pipeline(release.service, observing)
    production = make_environments()["production"]
    asked = ask_for_promotion(Request(release, production, person=sven), at=NOW).promotion
    with pytest.raises(ConflictError, match="only observes"):
        smash(asked, sven)


def test_the_review_is_due_as_the_pipeline_says_else_as_the_installation_does(
    release: Release, sven: User, settings
) -> None:
    settings.BREAK_GLASS_REVIEW_HOURS = 48
    promotion = ask(release)
    assert smash(promotion, sven).review_due_at == NOW + timedelta(hours=48)
    make_pipeline(release.service, PIPELINE + "    break_glass: {review_within: 4h}\n")
    look(promotion)
    assert smash(promotion, sven).review_due_at == NOW + timedelta(hours=4)


def test_somebody_else_reviews_it_once_with_words(release: Release, sven: User) -> None:
    glass = smash(ask(release), sven)
    sven.memberships.create(role=Role.RELEASE_MANAGER)
    carla = make_release_manager("carla")

    def review(person: User, outcome: str = "justified", words: str = "It was right.") -> None:
        review_break_glass(glass.pk, person=person, outcome=outcome, words=words, at=NOW + HOUR)

    with pytest.raises(NotAllowedError, match="somebody else reviews"):
        review(User.objects.get(pk=sven.pk))
    for person in (
        make_person("mia", Role.MEMBER),
        make_release_manager("nora", team=make_team("billing")),
    ):
        with pytest.raises(NotAllowedError, match="may not review"):
            review(person)
    for outcome, words, key in (("justified", " ", "words"), ("fine", "Yes.", "outcome")):
        with pytest.raises(InputError) as caught:
            review(carla, outcome, words)
        assert caught.value.key == key
    assert list(reviews_for(carla)) == [glass]
    assert not reviews_for(User.objects.get(pk=sven.pk)).exists()
    review(carla, "avoidable")
    with pytest.raises(ConflictError, match="Carla has reviewed"):
        review(make_person("aud", Role.AUDITOR))
    glass.refresh_from_db()
    assert (glass.reviewed_by, glass.outcome) == (carla, "avoidable")
    assert not reviews_for(carla).exists()
    entry = AuditEntry.objects.get(action="promotion.review")
    assert (entry.actor, entry.details["outcome"]) == (carla, "avoidable")


def test_debt_closes_the_gate_once_a_review_is_overdue_and_opens_when_it_is_done(
    release: Release, sven: User
) -> None:
    glass = smash(ask(release), sven)
    other = make_release(release.service, "4.19.0", at=NOW)
    Promotion.objects.update(state=State.CANCELLED.value)
    waiting = ask(other)
    assert verdicts(waiting)["debt"] == "open"
    assert "is due in" in waiting.gate_results.get(gate="debt").reason
    look(waiting, glass.review_due_at)
    assert verdicts(waiting)["debt"] == "open"
    late = glass.review_due_at + timedelta(seconds=1)
    look(waiting, late)
    debt = waiting.gate_results.get(gate="debt")
    assert debt.verdict == "closed"
    assert debt.evidence[0]["url"] == f"/promotions/{glass.promotion_id}/#review"
    review_break_glass(
        glass.pk, person=make_release_manager("carla"), outcome="justified", words="Yes.", at=late
    )
    waiting.refresh_from_db()
    assert waiting.next_look_at == late
    assert verdicts(look(waiting, late))["debt"] == "open"


def test_debt_is_the_services_own(release: Release, sven: User) -> None:
    glass = smash(ask(release), sven)
    rates = make_service("rate-engine")
    make_pipeline(rates, PIPELINE.replace("shipment-api", "rate-engine"))
    other = ask(make_release(rates, "1.0.0"))
    look(other, glass.review_due_at + HOUR)
    assert verdicts(other)["debt"] == "open"


GATES = st.sampled_from(["order", "soak", "window", "lock", "approval", "tests", "checksum"])
ANSWERS = st.lists(
    st.tuples(GATES, st.sampled_from(["open", "waiting", "closed"]), st.booleans()), max_size=8
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(answers=ANSWERS, is_vetoed=st.booleans(), is_checked=st.booleans())
def test_whatever_gates_answer_only_checksum_and_veto_hold_with_the_glass_broken(
    release: Release, answers, is_vetoed: bool, is_checked: bool
) -> None:
    production = make_environments()["production"]
    promotion = make_promotion(release, production, glass_broken_at=NOW)
    release.vetoed_at = NOW if is_vetoed else None
    promotion.release = release
    BreakGlass.objects.create(
        promotion=promotion, content_hash=promotion.content_hash, reason="x",
        incident_url=INCIDENT, broken_by=make_breaker("sven"), broken_at=NOW, review_due_at=NOW,
    )  # fmt: skip
    CheckedDigest.objects.all().delete()
    if is_checked:
        artifact = release.artifacts.get()
        CheckedDigest.objects.create(artifact=artifact, promotion=promotion, checked_at=NOW)
    rows = [
        GateResult(
            promotion=promotion, position=n, gate=gate, verdict=verdict, is_required=required,
            reason="Because.", content_hash=promotion.content_hash, measured_at=NOW, fresh_until=NOW,
        )
        for n, (gate, verdict, required) in enumerate(answers)
    ]  # fmt: skip
    stage = promotion.pipeline_version.form.stage("production")
    for before, after in zip(rows, pass_gates(promotion, stage, rows, at=NOW), strict=True):
        is_held = before.gate == "checksum" and not (is_checked and before.verdict == "waiting")
        if before.verdict == "open" or not before.is_required or is_vetoed or is_held:
            assert after is before
        else:
            assert (after.verdict, after.gate) == ("open", before.gate)
            assert after.break_glass is not None
            assert after.reason.endswith("Because.")
