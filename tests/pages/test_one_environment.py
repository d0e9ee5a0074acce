"""The page of one environment: what runs there, drift, the calendar of its windows, and what holds it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from promotion.models import Environment, Freeze, Lock, Observation, Pin
from tests.factories import (
    NOW,
    digest_of,
    make_deployment,
    make_environment,
    make_person,
    make_pipeline,
    make_release,
    make_release_manager,
    make_service,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
WINDOWS = """
service: {service}
stages:
  - name: production
    environment: production
    windows:
      allow:
        - {{rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH", start: "2026-01-05T08:00", duration: 8h, zone: Europe/Berlin}}
"""


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def ines(client: Client) -> Any:
    person = make_release_manager()
    client.force_login(person)
    return person


@pytest.fixture
def production() -> Environment:
    return make_environment("production", targets=("eu-1", "us-1"))


def see(service: Any, place: Environment, digest: str, at: datetime, target: str = "") -> None:
    Observation.objects.create(
        service=service, environment=place, target=target, digest=digest, seen_at=at, received_at=at
    )


def page(client: Client) -> Any:
    return client.get("/environments/production/")


def test_it_tells_what_runs_on_each_target_and_since_when(
    client: Client, ines: Any, production: Environment
) -> None:
    service = make_service()
    old, new = make_release(service, "4.17.2"), make_release(service, "4.18.0")
    make_deployment(old, production, at=NOW - 30 * HOUR, target="us-1")
    make_deployment(old, production, at=NOW - 30 * HOUR, target="eu-1")
    make_deployment(new, production, at=NOW - 2 * HOUR, target="eu-1")
    rows = page(client).context["running"]
    assert [(row.target, row.deployment.release.version) for row in rows] == [
        ("eu-1", "4.18.0"),
        ("us-1", "4.17.2"),
    ]
    html = page(client).content.decode()
    assert "1 service deployed here." in html
    assert "2\u00a0h ago" in html


def test_who_deploys_the_whole_environment_deploys_its_targets(
    client: Client, ines: Any, production: Environment
) -> None:
    service = make_service()
    release = make_release(service, "4.18.0")
    make_deployment(release, production, at=NOW - 2 * HOUR)
    see(service, production, release.digests[0], NOW - HOUR, "eu-1")
    rows = page(client).context["running"]
    assert [(row.target, row.drift) for row in rows] == [("", None), ("eu-1", None)]


def test_drift_says_what_runs_instead_since_when_and_leads_to_its_trace(
    client: Client, ines: Any, production: Environment
) -> None:
    service = make_service()
    old, new = make_release(service, "4.17.2"), make_release(service, "4.18.0")
    make_deployment(new, production, at=NOW - 20 * HOUR)
    see(service, production, new.digests[0], NOW - 19 * HOUR)
    for hours in (6, 5, 1):
        see(service, production, old.digests[0], NOW - hours * HOUR)
    response = page(client)
    [row] = response.context["drifting"]
    assert row.drift.since == NOW - 6 * HOUR
    assert row.drift.release == old
    html = response.content.decode()
    assert "shipment-api: 4.17.2 runs instead of 4.18.0" in html
    assert f"/releases/shipment-api/4.17.2/?digest={old.digests[0]}" in html
    assert "Another digest than the deployed one runs of shipment-api." in html


def test_a_digest_nobody_knows_can_be_searched_for(
    client: Client, ines: Any, production: Environment
) -> None:
    service = make_service()
    make_deployment(make_release(service), production, at=NOW - 20 * HOUR)
    see(service, production, digest_of("own"), NOW - HOUR, "eu-1")
    html = page(client).content.decode()
    assert "shipment-api on eu-1: an unknown digest runs instead of 4.18.0" in html
    assert f"/search/?q={digest_of('own')}" in html.replace("%3A", ":")


def test_what_was_seen_before_the_last_deployment_is_no_drift(
    client: Client, ines: Any, production: Environment
) -> None:
    service = make_service()
    old, new = make_release(service, "4.17.2"), make_release(service, "4.18.0")
    see(service, production, old.digests[0], NOW - 5 * HOUR)
    make_deployment(new, production, at=NOW - 2 * HOUR)
    response = page(client)
    assert not response.context["drifting"]
    assert response.context["running"][0].is_unheard_of


def test_the_calendar_follows_the_clocks_of_the_windows_zone(
    client: Client, ines: Any, production: Environment
) -> None:
    make_pipeline(make_service(), WINDOWS)
    with time_machine.travel(datetime(2026, 10, 20, 12, tzinfo=UTC), tick=False):
        [calendar] = page(client).context["calendars"]
    days = {day.day.isoformat(): day.text for week in calendar.weeks for day in week}
    assert len(days) == 28
    assert days["2026-10-22"] == "06:00\u201314:00"
    assert days["2026-10-23"] == "closed"
    assert days["2026-10-26"] == "07:00\u201315:00"


def test_a_freeze_shows_in_the_calendar_of_what_it_touches_alone(
    client: Client, ines: Any, production: Environment
) -> None:
    frozen, free = make_service(), make_service("billing-worker")
    make_pipeline(frozen, WINDOWS)
    make_pipeline(free, WINDOWS)
    Freeze.objects.create(
        service=frozen,
        reason="Peak.",
        starts_at=NOW,
        ends_at=NOW + 48 * HOUR,
        created_by=ines,
    )
    calendars = {one.services: one for one in page(client).context["calendars"]}
    week = calendars["shipment-api",].weeks[0]
    assert [(day.text, day.is_frozen) for day in week[:4]] == [
        ("07:00\u201314:20", True),
        ("frozen", True),
        ("14:20\u201315:00", True),
        ("07:00\u201315:00", False),
    ]
    assert not any(day.is_frozen for day in calendars["billing-worker",].weeks[0])


def test_services_with_the_same_windows_share_a_calendar(
    client: Client, ines: Any, production: Environment
) -> None:
    for slug in ("a", "b", "c"):
        make_pipeline(make_service(slug), WINDOWS)
    make_pipeline(make_service("d"))
    response = page(client)
    assert [one.services for one in response.context["calendars"]] == [("a", "b", "c"), ("d",)]
    assert "windows written for Europe/Berlin" in response.content.decode()


def test_freezing_and_lifting_come_back_to_the_page(
    client: Client, ines: Any, production: Environment
) -> None:
    html = page(client).content.decode()
    assert '<option value="environment:production" selected>' in html
    wish = {"scope": "environment:production", "reason": "Peak days.", "back": "production"}
    made = client.post("/freezes/", wish, follow=True)
    assert made.redirect_chain == [("/environments/production/", 302)]
    assert "Held back now: frozen: Production." in made.content.decode()
    number = Freeze.objects.get().pk
    lifted = client.post(f"/freezes/{number}/lift/", {"back": "production"})
    assert lifted["Location"] == "/environments/production/"
    elsewhere = client.post("/freezes/", {**wish, "back": "//evil.example"})
    assert elsewhere["Location"] == "/environments/"


def test_a_freeze_or_lock_of_another_environment_is_not_shown(
    client: Client, ines: Any, production: Environment
) -> None:
    staging = make_environment("staging")
    Freeze.objects.create(environment=staging, reason="S", starts_at=NOW, created_by=ines)
    Lock.objects.create(environment=staging, reason="L", created_by=ines, created_at=NOW)
    response = page(client)
    assert not response.context["freezes"]
    assert not response.context["locks"]


def test_an_unknown_environment_has_no_page_and_an_empty_one_says_so(
    client: Client, ines: Any, production: Environment
) -> None:
    assert client.get("/environments/moon/").status_code == 404
    html = page(client).content.decode()
    assert "Nothing is known to run here." in html
    assert "No pipeline leads here" in html


def test_the_queries_do_not_grow_with_services_pins_freezes_and_drift(
    client: Client, ines: Any, production: Environment, django_assert_num_queries: Any
) -> None:
    def fill(number: int) -> None:
        service = make_service(f"service-{number}")
        make_pipeline(service, WINDOWS)
        release = make_release(service, "1.0.0")
        make_deployment(release, production, at=NOW - 20 * HOUR, target="eu-1")
        see(service, production, digest_of(f"other {number}"), NOW - HOUR, "eu-1")
        person = make_person(f"person-{number}")
        Freeze.objects.create(service=service, reason="F", starts_at=NOW, created_by=person)
        Pin.objects.create(
            service=service, environment=production, release=release, reason="P",
            made_by=person, made_at=NOW,
        )  # fmt: skip

    fill(0)
    page(client)
    with CaptureQueriesContext(connection) as few:
        page(client)
    for number in range(1, 9):
        fill(number)
    with django_assert_num_queries(len(few)):
        html = page(client).content.decode()
    assert "service-8" in html
