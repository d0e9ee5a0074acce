"""Exceptions: who may grant one, which gates it passes, and that it ends."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group, Permission

from promotion.actions.advance import advance
from promotion.actions.exceptions import (
    NEVER_PASSED,
    Wanted,
    grant_exception,
    may_grant,
    revoke_exception,
)
from promotion.actions.preview import preview_request
from promotion.actions.promote import Request, ask_for_promotion
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import (
    AuditEntry,
    GateException,
    GateResult,
    Promotion,
    Release,
    Role,
    Service,
    User,
)
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_deployment,
    make_environments,
    make_person,
    make_pipeline,
    make_release,
    make_service,
)

pytestmark = pytest.mark.django_db

PIPELINE = """
service: shipment-api
stages:
  - {name: dev, environment: dev}
  - name: production
    environment: production
    after: [dev]
    gates:
      - soak: {for: 24h}
      - tests: {names: [unit]}
      - expression: {if: "release.commits > 100", advisory: true}
"""
HOUR = timedelta(hours=1)


@pytest.fixture
def release() -> Release:
    service = make_service()
    make_pipeline(service, PIPELINE)
    release = make_release(service, at=NOW - HOUR)
    make_deployment(release, make_environments()["dev"], at=NOW - HOUR)
    return release


@pytest.fixture
def sven() -> User:
    """Has the right by a group."""
    person = make_person("sven")
    group = Group.objects.create(name="exceptions")
    group.permissions.add(Permission.objects.get(codename="grant_exception"))
    person.groups.add(group)
    return person


def grant(
    release: Release, person: User, gate: str, *, at: datetime = NOW, lasts: timedelta = HOUR
) -> GateException:
    wanted = Wanted(
        release,
        make_environments()["production"],
        gate,
        "The suite is broken, tried by hand.",
        make_person("ola"),
        at + lasts,
    )
    return grant_exception(wanted, person=person, at=at)


def ask(release: Release) -> Promotion:
    person = make_person("mia", Role.MEMBER)
    production = make_environments()["production"]
    promotion = ask_for_promotion(Request(release, production, person=person), at=NOW).promotion
    advance(promotion.pk, at=NOW)
    promotion.refresh_from_db()
    return promotion


def result_of(promotion: Promotion, gate: str) -> GateResult:
    return promotion.gate_results.get(gate=gate)


def test_exceptions_for_every_holding_gate_let_it_go_and_each_says_so(
    release: Release, sven: User
) -> None:
    promotion = ask(release)
    assert promotion.state == State.WAITING
    soak = grant(release, sven, "soak")
    tests = grant(release, sven, "tests")
    assert Service.objects.get().next_look_at == NOW
    advance(promotion.pk, at=NOW)
    promotion.refresh_from_db()
    assert promotion.state in {State.RUNNING, State.SUCCEEDED}
    passed = result_of(promotion, "tests")
    assert (passed.verdict, passed.exception) == ("open", tests)
    assert f"Exception {tests} by Sven until" in passed.reason
    assert "No result yet: unit." in passed.reason
    assert result_of(promotion, "soak").exception == soak


def test_one_exception_passes_one_gate_of_one_environment(release: Release, sven: User) -> None:
    promotion = ask(release)
    grant(release, sven, "tests")
    advance(promotion.pk, at=NOW)
    promotion.refresh_from_db()
    assert promotion.state == State.WAITING
    assert result_of(promotion, "tests").verdict == "open"
    assert result_of(promotion, "soak").verdict == "waiting"
    assert result_of(promotion, "expression").exception is None


def test_another_release_is_not_let_past(release: Release, sven: User) -> None:
    grant(release, sven, "tests")
    other = make_release(release.service, "4.19.0", at=NOW)
    assert result_of(ask(other), "tests").verdict == "waiting"


def test_once_it_is_over_or_revoked_the_gate_holds_again(release: Release, sven: User) -> None:
    promotion = ask(release)
    made = grant(release, sven, "tests")
    advance(promotion.pk, at=NOW)
    assert result_of(promotion, "tests").verdict == "open"
    assert result_of(promotion, "tests").look_again_at == made.ends_at
    revoke_exception(made.pk, person=sven, reason="Tests run again.", at=NOW)
    advance(promotion.pk, at=NOW)
    assert result_of(promotion, "tests").verdict == "waiting"
    assert result_of(promotion, "tests").exception is None
    grant(release, sven, "tests", at=NOW + HOUR)
    advance(promotion.pk, at=NOW + 2 * HOUR)
    assert result_of(promotion, "tests").verdict == "waiting"


def test_a_preview_shows_what_an_exception_lets_past(release: Release, sven: User) -> None:
    grant(release, sven, "tests")
    production = make_environments()["production"]
    preview = preview_request(Request(release, production), at=NOW)
    verdicts = {result.gate: result.verdict for result in preview.results}
    assert (verdicts["tests"], verdicts["soak"]) == ("open", "waiting")


@pytest.mark.parametrize("gate", [*sorted(NEVER_PASSED), "nothing", ""])
def test_some_gates_let_nobody_past(release: Release, sven: User, gate: str) -> None:
    with pytest.raises(InputError, match="No exception"):
        grant(release, sven, gate)
    assert not GateException.objects.exists()


def test_a_row_for_such_a_gate_lets_nobody_past_either(release: Release, sven: User) -> None:
    made = grant(release, sven, "tests")
    GateException.objects.filter(pk=made.pk).update(gate="lock")
    promotion = ask(release)
    assert all(row.exception is None for row in promotion.gate_results.all())


def test_the_order_gate_keeps_its_own_rule(release: Release, sven: User) -> None:
    other = make_release(release.service, "4.19.0", at=NOW)
    grant(other, sven, "order")
    promotion = ask(other)
    assert result_of(promotion, "order").verdict != "open"


def test_the_right_is_nobodys_by_role_nor_by_being_an_administrator(release: Release) -> None:
    roles = make_person("root", *Role.values, is_superuser=True)
    assert not may_grant(roles)
    with pytest.raises(NotAllowedError, match="right of its own"):
        grant(release, roles, "tests")
    roles.user_permissions.add(Permission.objects.get(codename="grant_exception"))
    assert may_grant(roles)
    User.objects.filter(pk=roles.pk).update(is_active=False)
    assert not may_grant(User.objects.get(pk=roles.pk))


def test_it_needs_a_reason_an_end_soon_and_an_owner_who_is_here(
    release: Release, sven: User
) -> None:
    production, ola = make_environments()["production"], make_person("ola")
    gone = make_person("gone", is_active=False)
    for reason, owner, ends_at, key in (
        (" ", ola, NOW + HOUR, "reason"),
        ("x" * 501, ola, NOW + HOUR, "reason"),
        ("ok", gone, NOW + HOUR, "owner"),
        ("ok", ola, NOW, "ends_at"),
        ("ok", ola, NOW + timedelta(days=91), "ends_at"),
    ):
        wanted = Wanted(release, production, "tests", reason, owner, ends_at)
        with pytest.raises(InputError) as caught:
            grant_exception(wanted, person=sven, at=NOW)
        assert caught.value.key == key
    assert not GateException.objects.exists()


def test_a_second_one_is_refused_while_the_first_is_in_force(release: Release, sven: User) -> None:
    made = grant(release, sven, "tests")
    with pytest.raises(ConflictError, match=f"{made} is in force"):
        grant(release, sven, "tests")
    assert grant(release, sven, "tests", at=NOW + HOUR) != made


def test_its_owner_and_who_may_grant_may_revoke_it_once(release: Release, sven: User) -> None:
    made = grant(release, sven, "tests")
    with pytest.raises(NotAllowedError):
        revoke_exception(made.pk, person=make_person("mia"), reason="", at=NOW)
    revoke_exception(made.pk, person=made.owner, reason="Done.", at=NOW)
    with pytest.raises(ConflictError, match="over already"):
        revoke_exception(made.pk, person=sven, reason="", at=NOW)


def test_granting_and_revoking_are_on_the_record(release: Release, sven: User) -> None:
    made = grant(release, sven, "tests")
    revoke_exception(made.pk, person=sven, reason="Done.", at=NOW)
    granted, revoked = AuditEntry.objects.filter(subject_type="gateexception").order_by("pk")
    assert (granted.action, granted.actor, granted.reason) == (
        "exception.grant", sven, "The suite is broken, tried by hand.",
    )  # fmt: skip
    assert granted.details["gate"] == "tests"
    assert granted.details["owner"] == "ola"
    assert (revoked.action, revoked.reason) == ("exception.revoke", "Done.")
