"""Exceptions on the page of a promotion: offered to who has the right, granted, shown and revoked."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client

from promotion.actions.advance import advance
from promotion.actions.promote import Request, ask_for_promotion
from promotion.models import GateException, Promotion, User
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_environment,
    make_person,
    make_pipeline,
    make_release,
    make_release_manager,
    make_service,
)

pytestmark = pytest.mark.django_db

PIPELINE = """
service: shipment-api
stages:
  - name: production
    environment: production
    gates: [{tests: {names: [unit]}}]
    approvals: [{name: managers, from: ["role:release manager"]}]
"""


@pytest.fixture
def promotion() -> Promotion:
    service, production = make_service(), make_environment()
    make_pipeline(service, PIPELINE)
    mia = make_person("mia", "member")
    made = ask_for_promotion(Request(make_release(service), production, person=mia), at=NOW)
    advance(made.promotion.pk, at=NOW)
    return made.promotion


@pytest.fixture
def sven() -> User:
    person = make_release_manager("sven")
    person.user_permissions.add(Permission.objects.get(codename="grant_exception"))
    return person


def send(client: Client, path: str, person: User, **data: Any) -> HttpResponse:
    client.force_login(person)
    with time_machine.travel(NOW, tick=False):
        return client.post(path, data)


def grant(client: Client, promotion: Promotion, person: User, **changed: Any) -> HttpResponse:
    ends = (NOW + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    given = {"gate": "tests", "owner": "mia", "ends_at": ends, "reason": "Tried by hand."}
    path = f"/promotions/{promotion.pk}/exceptions/"
    return send(client, path, person, **{**given, **changed})


def page(client: Client, promotion: Promotion, person: User) -> str:
    client.force_login(person)
    with time_machine.travel(NOW, tick=False):
        return " ".join(client.get(f"/promotions/{promotion.pk}/").content.decode().split())


def test_it_is_offered_to_who_has_the_right_and_for_gates_that_may_be_passed(
    client: Client, promotion: Promotion, sven: User
) -> None:
    shown = page(client, promotion, sven)
    assert 'data-open="exception"' in shown
    assert '<option value="tests">Tests</option>' in shown
    assert '<option value="approval">' not in shown
    assert 'data-open="exception"' not in page(client, promotion, make_release_manager())


def test_a_granted_one_is_shown_with_its_gate_and_can_be_revoked(
    client: Client, promotion: Promotion, sven: User
) -> None:
    assert grant(client, promotion, sven).status_code == 302
    made = GateException.objects.get()
    assert (made.owner.username, made.granted_by, made.gate) == ("mia", sven, "tests")
    advance(promotion.pk, at=NOW)
    shown = page(client, promotion, sven)
    assert f"Exception {made} by Sven until" in shown
    assert "with exception" in shown
    assert "“Tried by hand.”" in shown
    path = f"/promotions/{promotion.pk}/exceptions/{made.pk}/revoke/"
    assert path in shown
    assert send(client, path, sven).status_code == 302
    made.refresh_from_db()
    assert made.revoked_at == NOW


def test_who_has_not_the_right_is_refused(client: Client, promotion: Promotion) -> None:
    answered = grant(client, promotion, make_release_manager())
    assert answered.status_code == 403
    assert not GateException.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"gate": "approval"},
        {"gate": "lock"},
        {"gate": "checksum"},
        {"owner": "nobody"},
        {"ends_at": "soon"},
        {"ends_at": "2020-01-01T00:00"},
        {"reason": ""},
    ],
    ids=str,
)
def test_what_cannot_be_granted_is_refused_with_a_sentence(
    client: Client, promotion: Promotion, sven: User, changed: dict[str, str]
) -> None:
    answered = grant(client, promotion, sven, **changed)
    assert answered.status_code == 400
    assert "Nothing was changed." in answered.content.decode()
    assert not GateException.objects.exists()


def test_the_exception_of_another_release_cannot_be_revoked_here(
    client: Client, promotion: Promotion, sven: User
) -> None:
    grant(client, promotion, sven)
    made = GateException.objects.get()
    other = make_release(promotion.service, "4.19.0")
    GateException.objects.filter(pk=made.pk).update(release=other)
    path = f"/promotions/{promotion.pk}/exceptions/{made.pk}/revoke/"
    assert send(client, path, sven).status_code == 404
    assert Promotion.objects.get(pk=promotion.pk).state == State.WAITING
