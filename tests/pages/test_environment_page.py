"""The page of environments: what holds them, freezing and lifting."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from promotion.models import AuditEntry, Freeze, Lock, Promotion, Role, Service
from tests.factories import (
    make_environment,
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


@pytest.fixture(autouse=True)
def scheduled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    services: list[int] = []
    monkeypatch.setattr(
        "promotion.tasks.look_at_service.delay_on_commit", lambda pk: services.append(pk)
    )
    return services


@pytest.fixture
def ines(client: Client) -> Any:
    make_environments()
    person = make_release_manager()
    client.force_login(person)
    return person


def make_freeze(**fields: Any) -> Freeze:
    return Freeze.objects.create(
        **{
            "reason": "Peak days.",
            "starts_at": timezone.now() - timedelta(hours=1),
            "created_by": make_release_manager("rita"),
            **fields,
        }
    )


def test_the_page_shows_targets_freezes_and_locks(client: Client, ines: Any) -> None:
    production = make_environment("production", targets=("eu-1",))
    make_freeze(tier="production", reason="Peak <days>.")
    Lock.objects.create(
        environment=production, reason="Load test.", created_by=ines, created_at=timezone.now()
    )
    html = client.get("/environments/").content.decode()
    assert "eu-1" in html
    assert "Peak &lt;days&gt;." in html
    assert "frozen: production" in html
    assert "locked for every service" in html
    assert "Held back now: production frozen; 1 lock in force." in html


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("everything", "everything"),
        ("tier:production", "production"),
        ("environment:staging", "Staging"),
        ("team:shipping", "Shipping"),
        ("service:shipment-api", "shipment-api"),
    ],
)
def test_a_release_manager_freezes_a_scope_and_what_waits_there_is_looked_at(
    client: Client, ines: Any, scheduled: list[int], scope: str, words: str
) -> None:
    service = make_service()
    make_pipeline(service)
    waiting = make_promotion(make_release(service), make_environment("production"))
    Promotion.objects.filter(pk=waiting.pk).update(next_look_at=None)
    response = client.post("/freezes/", {"scope": scope, "reason": "Peak days."})
    assert response.status_code == 302
    made = Freeze.objects.get()
    assert made.scope == words
    assert AuditEntry.objects.get(action="freeze.make").reason == "Peak days."
    assert scheduled == [service.pk]
    waiting.refresh_from_db()
    assert waiting.next_look_at == made.starts_at


def test_lifting_ends_a_freeze_and_wakes_what_it_held(
    client: Client, ines: Any, scheduled: list[int]
) -> None:
    service = make_service()
    other = make_service("billing-worker", team=make_team("billing"))
    freeze = make_freeze(team=service.team)
    assert client.post(f"/freezes/{freeze.pk}/lift/").status_code == 302
    freeze.refresh_from_db()
    assert freeze.lifted_by == ines
    assert not Freeze.objects.not_over(timezone.now()).exists()
    assert scheduled == [service.pk]
    woken = Service.objects.exclude(next_look_at=None)
    assert list(woken) == [service]
    assert other not in woken
    assert AuditEntry.objects.get(action="freeze.lift").actor == ines
    again = client.post(f"/freezes/{freeze.pk}/lift/")
    assert again.status_code == 409
    assert "Ines lifted it" in again.content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": "", "reason": "x"},
        {"scope": "everything", "reason": " "},
        {"scope": "tier:moon", "reason": "x"},
        {"scope": "service:nothing", "reason": "x"},
        {"scope": "everything", "reason": "x" * 501},
        {"scope": "everything", "reason": "x", "ends_at": "2001-01-01T00:00"},
        {"scope": "everything", "reason": "x", "ends_at": "tomorrow"},
        {},
    ],
)
def test_a_freeze_that_cannot_be_is_told_under_its_field(
    client: Client, ines: Any, fields: dict[str, str]
) -> None:
    response = client.post("/freezes/", fields)
    assert response.status_code == 400
    assert 'aria-invalid="true"' in response.content.decode()
    assert not Freeze.objects.exists()


def test_a_teams_release_manager_freezes_that_team_and_no_more(client: Client) -> None:
    make_environments()
    service = make_service()
    make_service("billing-worker", team=make_team("billing"))
    client.force_login(make_release_manager("otto", team=service.team))
    for scope in ("everything", "tier:production", "environment:staging", "team:billing"):
        assert client.post("/freezes/", {"scope": scope, "reason": "x"}).status_code == 403
    assert client.post("/freezes/", {"scope": "team:shipping", "reason": "x"}).status_code == 302
    wide = make_freeze()
    assert client.post(f"/freezes/{wide.pk}/lift/").status_code == 403
    html = client.get("/environments/").content.decode()
    assert f"lift-{wide.pk}" not in html
    assert Freeze.objects.filter(lifted_at=None).count() == 2


@pytest.mark.parametrize("role", [Role.MEMBER, Role.PLATFORM_ENGINEER, Role.ADMINISTRATOR])
def test_nobody_else_freezes(client: Client, role: str) -> None:
    make_environments()
    client.force_login(make_person("mara", role))
    assert "Freeze now" not in client.get("/environments/").content.decode()
    assert client.post("/freezes/", {"scope": "everything", "reason": "x"}).status_code == 403
    assert not Freeze.objects.exists()


def test_an_unknown_freeze_is_not_found_and_none_is_lifted_by_a_get(
    client: Client, ines: Any
) -> None:
    freeze = make_freeze()
    assert client.post("/freezes/0/lift/").status_code == 404
    assert client.get(f"/freezes/{freeze.pk}/lift/").status_code == 405


def test_the_pages_queries_do_not_grow_with_freezes_and_environments(
    client: Client, ines: Any, django_assert_num_queries: Any
) -> None:
    make_freeze(service=make_service())
    client.get("/environments/")
    with CaptureQueriesContext(connection) as few:
        client.get("/environments/")
    for number in range(8):
        make_environment(f"test-{number}", targets=("a", "b"))
        make_freeze(service=make_service(f"s-{number}", team=make_team(f"t-{number}")))
    with django_assert_num_queries(len(few)):
        client.get("/environments/")


def test_an_environment_is_locked_and_released_on_the_page(client: Client) -> None:
    from tests import factories

    ines = factories.make_release_manager()
    viewer = factories.make_person("vera", "viewer")
    factories.make_environment()
    factories.make_service()
    locked = {"environment": "production", "service": "shipment-api", "reason": "Moving house"}
    client.force_login(viewer)
    assert "Lock now" not in client.get("/environments/").content.decode()
    assert client.post("/locks/", locked).status_code == 403
    client.force_login(ines)
    assert client.get("/locks/").status_code == 405
    for wrong in ({"reason": ""}, {"environment": "moon"}, {"ends_at": "2020-01-01T00:00"}):
        assert client.post("/locks/", {**locked, **wrong}).status_code == 400
    assert not Lock.objects.exists()
    assert client.post("/locks/", locked).status_code == 302
    assert client.post("/locks/", locked).status_code == 409
    lock = Lock.objects.get()
    shown = client.get("/environments/").content.decode()
    assert "Production for shipment-api" in shown
    assert "until it is released" in " ".join(shown.split()) or "it is released" in shown
    client.force_login(viewer)
    assert client.post(f"/locks/{lock.pk}/release/").status_code == 403
    client.force_login(ines)
    assert client.post(f"/locks/{lock.pk}/release/").status_code == 302
    assert client.post(f"/locks/{lock.pk}/release/").status_code == 409
    assert "Nobody has locked an environment." in client.get("/environments/").content.decode()
