"""What runs is verified again, by a person, the API or a schedule; a failed one takes availability back."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from promotion.actions.advance import advance
from promotion.actions.apply_pipeline import apply_pipeline
from promotion.actions.ask_reverification import ask_for_reverification, begin_scheduled
from promotion.actions.promote import Request, ask_for_promotion
from promotion.actions.reverify import look_at_reverification
from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import (
    AuditEntry,
    Promotion,
    Release,
    Reverification,
    ReverificationSchedule,
    Role,
    Token,
    Verification,
)
from promotion.rules.pipeline import PipelineError, pipeline_document, read_document, read_pipeline
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
    make_token,
)
from tests.parts.recording_server import Answer, RecordingServer, run_recording_server

pytestmark = pytest.mark.django_db

PIPELINE = """
service: shipment-api
stages:
  - name: staging
    environment: staging
    steps:
      - verify-http: {url: "ADDRESS/health", good: "2 of 2", every: 10s}
      - verify-http: {url: "ADDRESS/second", good: "1 of 1"}
    reverify: {every: 1h}
  - name: production
    environment: production
    after: [staging]
    gates: [order]
    steps: [{pause: {for: 1m}}]
"""
STATES = Reverification.State


class Health:
    """What the server says of itself; each address may be ill."""

    def __init__(self) -> None:
        self.ill: set[str] = set()
        self.server: RecordingServer | None = None

    def answer(self, asked: Any) -> Answer:
        return Answer(503 if asked.path in self.ill else 200)


@pytest.fixture
def health(settings) -> Iterator[Health]:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    health = Health()
    with run_recording_server(health.answer) as server:
        health.server = server
        yield health


@pytest.fixture
def release(health: Health) -> Release:
    """4.18.0 was verified in staging and runs there."""
    service = make_service()
    places = make_environments()
    make_pipeline(service, PIPELINE.replace("ADDRESS", health.server.base_url))
    release = make_release(service)
    make_deployment(release, places["staging"], at=NOW - timedelta(hours=2))
    Verification.objects.create(
        release=release,
        environment=places["staging"],
        has_passed=True,
        at=NOW - timedelta(hours=2),
    )
    return release


def begin(release: Release, at: datetime = NOW) -> Reverification:
    person = make_person("tomasz", Role.MEMBER)
    return ask_for_reverification(
        release.service, make_environments()["staging"], person=person, at=at
    )


def look(run: Reverification, at: datetime) -> Reverification:
    while look_at_reverification(run.pk, now=lambda: at):
        pass
    run.refresh_from_db()
    return run


def ask(release: Release) -> Promotion:
    wish = Request(
        release, make_environments()["production"], person=make_person("tomasz", Role.MEMBER)
    )
    return ask_for_promotion(wish, at=NOW).promotion


def test_one_that_passes_is_a_new_verification_on_record(release: Release) -> None:
    run = look(begin(release), NOW)
    assert run.state == STATES.RUNNING
    run = look(run, NOW + timedelta(seconds=10))
    assert (run.state, run.message) == (STATES.PASSED, "1 of 1 tries were good.")
    newest = Verification.objects.order_by("-pk")[0]
    assert (newest.has_passed, newest.reverification) == (True, run)
    assert AuditEntry.objects.filter(action="reverification.passed").exists()


def test_one_that_fails_takes_availability_back_at_once_and_one_that_passes_gives_it_again(
    release: Release, health: Health
) -> None:
    promotion = ask(release)
    assert promotion.gate_results.count() == 0
    health.ill = {"/second"}
    run = look(look(begin(release), NOW), NOW + timedelta(seconds=10))
    assert run.state == STATES.FAILED
    at = NOW + timedelta(seconds=11)
    advance(promotion.pk, at=at)
    promotion.refresh_from_db()
    assert promotion.state == State.WAITING
    order = promotion.gate_results.get(gate="order")
    assert "latest verification of 4.18.0 in staging failed" in order.reason
    health.ill = set()
    again = begin(release, at)
    look(look(again, at), at + timedelta(seconds=10))
    advance(promotion.pk, at=at + timedelta(seconds=10))
    promotion.refresh_from_db()
    assert promotion.state == State.RUNNING


def test_an_answer_of_before_is_not_used_once_it_failed(release: Release, health: Health) -> None:
    promotion = ask(release)
    Promotion.objects.update(not_before=NOW + timedelta(minutes=1))
    advance(promotion.pk, at=NOW)
    assert promotion.gate_results.get(gate="order").verdict == "open"
    health.ill = {"/health"}
    run = look(begin(release), NOW)
    assert run.state == STATES.FAILED
    promotion.refresh_from_db()
    assert promotion.next_look_at == NOW
    assert promotion.gate_results.get(gate="order").fresh_until <= NOW


def test_asking_twice_is_one_and_it_needs_something_that_runs_and_somebody_who_may(
    release: Release,
) -> None:
    run = begin(release)
    assert begin(release) == run
    places = make_environments()
    with pytest.raises(NotAllowedError, match="member"):
        ask_for_reverification(
            release.service, places["staging"], person=make_person("vera", Role.VIEWER), at=NOW
        )
    with pytest.raises(ConflictError, match="known to run"):
        ask_for_reverification(release.service, places["production"], person=None, at=NOW)
    make_deployment(release, places["production"])
    with pytest.raises(ConflictError, match="no step that verifies"):
        ask_for_reverification(release.service, places["production"], person=None, at=NOW)


def test_it_ends_without_a_finding_where_something_else_comes(release: Release) -> None:
    run = look(begin(release), NOW)
    newer = make_release(release.service, "4.19.0")
    place = make_environments()["staging"]
    busy = make_promotion(newer, place, state=State.RUNNING, started_at=NOW)
    run = look(run, NOW + timedelta(seconds=10))
    assert run.state == STATES.CANCELLED
    assert busy.number in run.message
    with pytest.raises(ConflictError, match="under way"):
        begin(release)
    Promotion.objects.update(state=State.SUCCEEDED.value)
    second = begin(release)
    make_deployment(newer, place, at=NOW)
    assert "no longer runs" in look(second, NOW + timedelta(seconds=1)).message
    assert Verification.objects.count() == 1


def test_a_worker_that_ends_is_followed_by_another_but_not_for_ever(
    release: Release, settings, monkeypatch
) -> None:
    settings.STEP_MOST_TAKEOVERS = 1
    run = begin(release)

    class WorkerEndedError(BaseException):
        pass

    def end(*_: object) -> None:
        raise WorkerEndedError

    at = NOW
    with monkeypatch.context() as ending:
        ending.setattr("promotion.actions.reverify._try", end)
        for _ in range(2):
            with pytest.raises(WorkerEndedError):
                look(run, at)
            assert look(run, at + timedelta(seconds=10)).state == STATES.RUNNING
            at += timedelta(minutes=5)
        run = look(run, at)
    assert run.state == STATES.ERRORED
    assert "2 workers in a row" in run.message
    assert Verification.objects.count() == 1


def test_an_address_nobody_allowed_is_no_finding(release: Release, settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    run = look(begin(release), NOW)
    assert run.state == STATES.ERRORED
    assert Verification.objects.count() == 1


def test_the_schedule_of_a_stage_begins_it_when_the_last_one_is_old_enough(
    release: Release, health: Health
) -> None:
    text = PIPELINE.replace("ADDRESS", health.server.base_url)
    apply_pipeline(text + "# again\n", person=None, at=NOW)
    apply_pipeline(text.replace("every: 1h", "every: 2h"), person=None, at=NOW)
    apply_pipeline(text, person=None, at=NOW)
    (schedule,) = ReverificationSchedule.objects.all()
    hour = timedelta(hours=1)
    assert (schedule.every, schedule.next_at) == (hour, NOW + hour)
    assert begin_scheduled(schedule.pk, at=NOW) is None
    Verification.objects.update(at=NOW + hour / 2)
    assert begin_scheduled(schedule.pk, at=NOW + hour) is None
    schedule.refresh_from_db()
    assert schedule.next_at == NOW + hour * 1.5
    begun = begin_scheduled(schedule.pk, at=NOW + hour * 1.5)
    assert begun is not None
    assert (begun.origin, begun.asked_by) == ("schedule", None)
    schedule.refresh_from_db()
    assert schedule.next_at == NOW + hour * 2.5
    apply_pipeline(text.replace("    reverify: {every: 1h}\n", ""), person=None, at=NOW)
    assert not ReverificationSchedule.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{every: 30s}", "a minute"),
        ("{}", "every is missing"),
        ("{often: 1h}", "not a key of reverify"),
        ("1h", "must be a mapping"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(given: str, said: str) -> None:
    with pytest.raises(PipelineError) as caught:
        read_pipeline(PIPELINE.replace("{every: 1h}", given))
    assert any(said in problem.sentence for problem in caught.value.problems)


def test_a_schedule_without_a_step_that_verifies_is_refused() -> None:
    text = PIPELINE.replace("gates: [order]", "reverify: {every: 1h}")
    with pytest.raises(PipelineError, match="no step that verifies"):
        read_pipeline(text)
    form = read_pipeline(PIPELINE)
    assert read_document(pipeline_document(form)) == form


def test_the_api_asks_for_it_and_tells_how_it_stands(release: Release) -> None:
    _, secret = make_token(
        Token.Scope.PROMOTE, Token.Scope.READ, user=make_person("tomasz", Role.MEMBER)
    )
    head = {"Authorization": f"Bearer {secret}"}
    wish = {"service": "shipment-api", "environment": "staging"}
    answer = Client().post(
        "/api/v1/reverifications", wish, content_type="application/json", headers=head
    )
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["state"], told["release"]["version"]) == ("running", "4.18.0")
    again = Client().post(
        "/api/v1/reverifications", wish, content_type="application/json", headers=head
    )
    assert (again.status_code, again.json()["id"]) == (200, told["id"])
    read = Client().get(f"/api/v1/reverifications/{told['id']}", headers=head)
    assert read.json()["state"] == "running"
    assert Client().post("/api/v1/reverifications", wish).status_code == 401


def test_the_page_of_what_brought_it_offers_it_and_lists_what_was_found(
    release: Release, health: Health
) -> None:
    place = make_environments()["staging"]
    promotion = make_promotion(release, place, state=State.SUCCEEDED, started_at=NOW, ended_at=NOW)
    client = Client()
    client.force_login(make_person("tomasz", Role.MEMBER))
    page = client.get(f"/promotions/{promotion.pk}/").content.decode()
    assert "Verify again" in page
    answer = client.post(f"/promotions/{promotion.pk}/verify/", follow=True)
    assert "is being verified again" in answer.content.decode()
    run = Reverification.objects.get()
    health.ill = {"/health"}
    Reverification.objects.update(next_look_at=NOW)
    look(run, NOW)
    page = client.get(f"/promotions/{promotion.pk}/").content.decode()
    assert "asked for by Tomasz" in page
    assert "0 of 1 tries were good" in page
    client.force_login(make_person("vera", Role.VIEWER))
    assert client.post(f"/promotions/{promotion.pk}/verify/").status_code == 403
    assert client.get(f"/promotions/{promotion.pk}/verify/").status_code == 405
