"""The demonstration, loaded small: its history came in through the intake, and its steps are real."""

import json
import re
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from demo import acting
from demo.gitops import digest_in, gitops_path
from demo.loading import load
from demo.models import DemoProgress
from demo.organisation import DIRECTORY, PRODUCTION_REGISTRY
from demo.runtime import rolling_out
from demo.runtime.health import serve_health
from demo.runtime.place import Place
from demo.runtime.running import look_once
from demo.runtime.telling import write_message
from metrics.check_results import find_counterexample_address
from metrics.facts import load_record
from metrics.measures.periods import Period
from metrics.measures.registry import compute_all
from metrics.models import Assessment, MeasureTarget, TeamLevel
from promotion.actions.advance import advance
from promotion.actions.process_event import process_event
from promotion.integrity.git.committing import open_remote, read_file
from promotion.integrity.oci.errors import ImageNotFoundError
from promotion.integrity.oci.layout import OciLayoutStore
from promotion.integrity.oci.verifying import verify_image
from promotion.models import (
    Build,
    Deployment,
    DeploymentReport,
    Event,
    Incident,
    Observation,
    Promotion,
    Release,
    Sender,
    Service,
    User,
)

DAYS = 45
SERVICES = [
    "label-printer", "surcharge-rules", "quote-api", "dispatch-board", "payment-ledger",
    "billing-worker", "driver-app-bff", "route-planner",
]  # fmt: skip


class KilledError(Exception):
    """Stands for the end of the process."""


def _count_rows() -> Counter[str]:
    models = (
        Event, Build, Release, Promotion, Deployment, DeploymentReport, Observation, Incident,
        MeasureTarget, Assessment,
    )  # fmt: skip
    return Counter({model.__name__: model.objects.count() for model in models})


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker, tmp_path_factory):
    """Loaded once for all tests here, killed half-way and gone on with; undone at the end."""

    def die_half_way(sentence: str) -> None:
        if " 5" in sentence:
            raise KilledError

    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr("django.conf.settings.DATA_DIR", tmp_path_factory.mktemp("data"))
        with transaction.atomic():
            with pytest.raises(KilledError):
                load(die_half_way, days=DAYS, services=SERVICES)
            assert 0 < DemoProgress.objects.get().percent < 100
            yield load(lambda _: None, days=DAYS, services=SERVICES)
            transaction.set_rollback(True)


def _waiting(slug: str) -> Promotion:
    return Promotion.objects.for_display().get(service__slug=slug, state="waiting")


def test_a_killed_load_goes_on_and_ends_whole(loaded, db):
    assert loaded.is_finished
    assert loaded.done == loaded.total
    assert loaded.percent == 100


def test_loading_again_changes_nothing(loaded, db):
    before = _count_rows()
    load(lambda _: None, days=DAYS, services=SERVICES)
    assert _count_rows() == before


def test_nothing_in_the_history_is_told_twice(loaded, db):
    assert set(Counter(Event.objects.values_list("sender", "delivery_id")).values()) == {1}
    assert Event.objects.filter(state=Event.State.RECEIVED).count() == 0


def test_every_build_and_deployment_came_with_an_event(loaded, db):
    assert Build.objects.filter(event=None).count() == 0
    assert DeploymentReport.objects.filter(event=None).count() == 0
    assert {"github", "generic"} <= set(Event.objects.values_list("source", flat=True))


def test_the_history_has_promotions_in_its_states(loaded, db):
    states = set(Promotion.objects.values_list("state", flat=True))
    assert {"waiting", "succeeded", "errored", "superseded"} <= states
    assert Promotion.objects.filter(kind="rollback", state="succeeded").exists()


def test_promotions_are_numbered_in_the_order_of_time(loaded, db):
    asked = list(Promotion.objects.order_by("pk").values_list("asked_at", flat=True))
    assert asked == sorted(asked)


def test_deployments_differ_by_mechanism_and_some_were_seen_that_nobody_deployed(loaded, db):
    mechanisms = set(Deployment.objects.values_list("mechanism", flat=True))
    assert {"automated", "manual"} <= mechanisms
    assert Observation.objects.filter(artifact=None).exists()


def test_one_version_has_two_digests(loaded, db):
    versions = Counter(
        Release.objects.filter(service__slug="payment-ledger").values_list("version", flat=True)
    )
    assert 2 in versions.values()


def test_an_incident_was_resolved_and_an_event_fits_nowhere(loaded, db):
    assert Incident.objects.exclude(resolved_at=None).exists()
    assert Event.objects.filter(state=Event.State.UNMAPPED).exists()
    assert Event.objects.filter(state=Event.State.UNREADABLE).exists()


def test_what_is_open_stays_open_when_it_is_looked_at(loaded, db):
    before = dict(Promotion.objects.open().values_list("pk", "state"))
    for number in before:
        advance(number, at=timezone.now())
    assert dict(Promotion.objects.open().values_list("pk", "state")) == before


def test_nothing_is_promoted_by_itself_after_the_load(loaded, db):
    before = Promotion.objects.count()
    for service in Service.objects.all():
        acting.promote_what_is_due(service.slug, timezone.now())
    assert Promotion.objects.count() == before


@pytest.mark.parametrize(
    ("slug", "gate", "verdict"),
    [
        ("label-printer", "approval", "waiting"),
        ("surcharge-rules", "approval", "closed"),
        ("driver-app-bff", "window", "waiting"),
    ],
)
def test_each_waits_for_its_own_reason_alone(loaded, db, slug, gate, verdict):
    promotion = _waiting(slug)
    advance(promotion.pk, at=timezone.now())
    held = promotion.gate_results.exclude(verdict="open").values_list("gate", "verdict")
    assert list(held) == [(gate, verdict)]


def test_what_waits_for_the_release_manager_is_in_her_inbox(loaded, db):
    ines = User.objects.get(username="ines")
    waiting = set(Promotion.objects.waiting_for(ines).values_list("service__slug", flat=True))
    assert {"label-printer", "route-planner"} <= waiting


def test_the_bytes_of_what_runs_in_production_hash_to_its_digest(loaded, db):
    promotion = Promotion.objects.filter(
        service__slug="label-printer", environment__slug="production", state="succeeded"
    ).latest("ended_at")
    digest = promotion.release.digests[0]
    assert verify_image(_production("label-printer", loaded), digest).is_intact


def test_approving_moves_bytes_commits_and_ends_in_a_deployment_that_a_measure_counts(
    loaded, db, client, monkeypatch
):
    an_hour_on = timezone.now() + timedelta(hours=1)
    automated, counted = _automated_share(an_hour_on)
    promotion = _waiting("label-printer")
    digest = promotion.release.digests[0]
    with pytest.raises(ImageNotFoundError):
        _production("label-printer", loaded).read_manifest(digest)

    acting.approve(digest, "production", "ines", timezone.now())
    assert verify_image(_production("label-printer", loaded), digest).is_intact
    committed = read_file(open_remote("gitops"), "apps/label-printer/production-us-1.yaml")
    assert digest_in(committed) == digest

    def tell(identity, fact):
        secret = Sender.objects.get(slug="gitops-controller").secret
        body, headers = write_message(secret, identity, fact, timezone.now())
        answer = client.post(
            "/hooks/gitops-controller", body, content_type="application/json", headers=headers
        )
        process_event(json.loads(answer.content)["event"], at=timezone.now())
        return answer.status_code == 202

    monkeypatch.setattr(rolling_out, "TAKES", timedelta(0))
    place = Place()
    look_once(place, loaded, tell)
    assert place.rollouts == []
    server = serve_health(loaded.runtime_port, place.running)
    try:
        at = timezone.now()
        for seconds in range(0, 40, 2):
            acting.go_on(promotion.pk, at + timedelta(seconds=seconds))
    finally:
        server.shutdown()
        server.server_close()

    promotion.refresh_from_db()
    assert (promotion.state, promotion.reason) == ("succeeded", "Every step succeeded.")
    deployments = promotion.deployments.filter(result="succeeded", digest=digest)
    assert set(deployments.values_list("target", flat=True)) == {"eu-1", "us-1"}
    assert _automated_share(an_hour_on) == (automated + 1, counted + 1)


def test_the_measures_page_judges_every_figure_by_a_target(loaded, db, client):
    client.force_login(User.objects.get(username="henrik"))
    answer = client.get("/measures/")
    lines = answer.context["lines"]
    assert len(lines) == 5
    assert all(line.has_target for line in lines)
    assert {line.verdict for line in lines} & {"Meets target", "Misses target"}
    assert "No target set" not in answer.content.decode()


def test_a_team_that_wants_more_is_judged_by_its_own_target(loaded, db, client):
    client.force_login(User.objects.get(username="henrik"))
    pages = [client.get(f"/measures/{query}") for query in ("", "?team=shipping-core")]
    targets = [page.context["lines"][0].target.replace("\xa0", " ") for page in pages]
    assert targets == ["Target ≥ 80 %", "Target ≥ 95 %"]


def test_the_assessment_of_billing_waits_half_answered_for_its_lead(loaded, db, client):
    client.force_login(User.objects.get(username="ruth"))
    draft = Assessment.objects.get(team__slug="billing", state="draft")
    assert draft.answers.count() == 16
    listed = client.get("/assessments/").content.decode()
    assert {"Agreed", "In review", "Draft"} <= set(re.findall(r"Agreed|In review|Draft", listed))
    answer = client.get(reverse("assessment-detail", args=[draft.team.slug, draft.cycle]))
    assert "16 of 32" in answer.content.decode()


def test_the_facts_contradict_some_claims_and_say_more_than_others(loaded, client):
    levels = list(TeamLevel.objects.order_by("team", "-day").select_related("team"))
    newest = list({level.team_id: level for level in reversed(levels)}.values())
    contradicted = [
        (level, statement) for level in newest for statement in level.result["contradicted"]
    ]
    assert len(contradicted) >= 2
    assert any(level.result["undersold"] for level in newest)
    assert len({(level.claimed, level.verified) for level in newest}) >= 2

    client.force_login(User.objects.get(username="ines"))
    linked = [
        find_counterexample_address(each)
        for level, statement in contradicted
        for each in level.result["checks"][statement]["counterexamples"][:1]
    ]
    assert linked
    assert {client.get(address).status_code for address in linked if address} == {200}


def _automated_share(as_of: datetime) -> tuple[int, int]:
    day = as_of.date()
    period = Period(day - timedelta(days=30), day + timedelta(days=2))
    result = compute_all(load_record(as_of), period, as_of=as_of)["automated_share"]
    return result.numerator, result.n


def _production(slug: str, loaded: DemoProgress):
    root = gitops_path().parent / PRODUCTION_REGISTRY
    assert root.parent.name == Path(DIRECTORY).name
    return OciLayoutStore(root).open_repository(f"meridian/{slug}")
