"""May this digest be there, and where does it come from?"""

from datetime import timedelta

import pytest

from promotion.actions.veto import veto_release
from promotion.models import Correction, Observation
from promotion.rules.states import State
from tests.factories import (
    NOW,
    digest_of,
    make_artifact,
    make_build,
    make_commit,
    make_deployment,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
)

pytestmark = pytest.mark.django_db


def ask(client, digest, environment="production", **more):
    return client.get("/api/v1/assert", {"digest": digest, "environment": environment, **more})


def test_a_digest_that_is_good_upstream_is_allowed(lane, reader):
    answer = ask(reader, lane.digest)
    assert answer.status_code == 200
    told = answer.json()
    assert told["allowed"] is True
    assert told["has_build"] is True
    assert told["reasons"] == ["shipment-api 4.18.0: 4.18.0 is good in staging."]


def test_a_digest_that_was_never_upstream_is_not_allowed_and_the_answer_says_why(lane, reader):
    release = make_release(lane.service, "4.19.0")
    answer = ask(reader, release.digests[0])
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["allowed"] is False
    assert answer.json()["reasons"] == [
        "shipment-api 4.19.0: 4.19.0 was never deployed to staging."
    ]
    assert "never deployed to staging" in answer.json()["detail"]


def test_a_digest_nobody_told_of_is_not_allowed(lane, reader):
    answer = ask(reader, digest_of("unknown"))
    assert answer.status_code == 409
    assert "known" in answer.json()["reasons"][0]


def test_a_vetoed_release_is_not_allowed_though_it_is_good_upstream(lane, reader):
    veto_release(lane.release.pk, person=lane.manager, reason="Loses parcels.", at=NOW)
    answer = ask(reader, lane.digest)
    assert answer.status_code == 409
    assert "Loses parcels." in answer.json()["detail"]


def test_what_was_promoted_stays_allowed_when_upstream_fails_later(lane, reader):
    make_promotion(lane.release, lane.production, state=State.SUCCEEDED)
    make_deployment(lane.release, lane.staging, at=NOW, result="failed")
    told = ask(reader, lane.digest).json()
    assert told["allowed"] is True
    assert told["releases"][0]["was_promoted"] is True
    assert told["releases"][0]["is_available"] is False


def test_what_failed_upstream_and_was_not_promoted_is_not_allowed(lane, reader):
    make_deployment(lane.release, lane.staging, at=NOW, result="failed")
    assert ask(reader, lane.digest).status_code == 409


def test_a_digest_without_a_build_is_not_allowed_where_the_stage_requires_one(lane, reader):
    make_pipeline(
        lane.service,
        "service: {service}\nstages:\n  - {{name: dev, environment: dev, require_build: true}}\n",
    )
    release = make_release(lane.service, "5.0.0", artifacts=[make_artifact(lane.service, "5.0.0")])
    make_promotion(release, lane.dev, state=State.SUCCEEDED)
    answer = ask(reader, release.digests[0], "dev")
    assert answer.status_code == 409
    assert answer.json()["has_build"] is False
    assert "No build of it is known." in answer.json()["reasons"]


def test_an_artifact_of_no_release_is_not_allowed(lane, reader):
    artifact = make_artifact(lane.service, "loose")
    assert "belongs to no release" in ask(reader, artifact.digest).json()["detail"]


def test_a_platform_counts_as_its_index(lane, reader):
    whole = lane.release.artifacts.get()
    platform = make_artifact(lane.service, "arm64", index=whole)
    assert ask(reader, platform.digest).status_code == 200


def test_an_environment_without_a_stage_admits_nothing(lane, reader):
    make_pipeline(
        lane.service, "service: {service}\nstages:\n  - {{name: dev, environment: dev}}\n"
    )
    assert "no stage for production" in ask(reader, lane.digest).json()["detail"]


def test_a_digest_of_two_services_is_judged_for_the_one_named(lane, reader):
    other = make_service("label-printer")
    make_release(other, "1.0.0", artifacts=list(lane.release.artifacts.all()))
    assert ask(reader, lane.digest, service="shipment-api").status_code == 200
    assert ask(reader, lane.digest, service="label-printer").status_code == 409


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"digest": "latest", "environment": "production"},
        {"digest": digest_of("x"), "environment": "moon"},
        {"digest": digest_of("x"), "environment": "production", "service": "moon"},
        {"digest": digest_of("x"), "environment": "\x00"},
    ],
)
def test_a_question_that_cannot_be_understood_is_neither_yes_nor_no(lane, reader, query):
    assert reader.get("/api/v1/assert", query).status_code == 400


def test_a_trace_leads_from_the_commit_to_what_was_seen(lane, reader):
    commit = make_commit(lane.service, "Count parcels once\n\nAnd not twice.")
    build = make_build(lane.service, commit.sha, finished_at=NOW - timedelta(hours=3))
    artifact = make_artifact(lane.service, "5.0.0", build=build)
    release = make_release(lane.service, "5.0.0", artifacts=[artifact])
    promotion = make_promotion(release, lane.production, state=State.SUCCEEDED)
    promotion.approvals.create(
        person=lane.manager, decision="approve", content_hash=promotion.content_hash, at=NOW
    )
    deployment = make_deployment(release, lane.production)
    Observation.objects.create(
        service=lane.service,
        environment=lane.production,
        digest=artifact.digest,
        artifact=artifact,
        seen_at=NOW,
        received_at=NOW,
    )
    told = reader.get(f"/api/v1/trace/{artifact.digest}").json()
    assert [one["title"] for one in told["commits"]] == ["Count parcels once"]
    assert [(one["id"], one["found"]) for one in told["builds"]] == [(build.pk, "stated")]
    assert [one["version"] for one in told["releases"]] == ["5.0.0"]
    assert told["promotions"][0]["approvals"][0]["person"]["username"] == "ines"
    assert [(one["id"], one["found"]) for one in told["deployments"]] == [(deployment.pk, "stated")]
    assert told["observations"][0]["seen_at"] == "2026-11-23T14:20:00Z"
    links = {link["name"]: link["is_there"] for link in told["links"]}
    assert links["commit"]
    assert links["deployment"]
    assert not links["upstream"]


def test_a_digest_that_was_only_seen_has_a_trace_without_a_beginning(lane, reader):
    digest = digest_of("smuggled in")
    Observation.objects.create(
        service=lane.service,
        environment=lane.production,
        digest=digest,
        seen_at=NOW,
        received_at=NOW,
    )
    told = reader.get(f"/api/v1/trace/{digest}").json()
    assert told["artifact"] is None
    assert told["builds"] == []
    assert len(told["observations"]) == 1


def test_a_fact_declared_wrong_is_not_in_the_trace(lane, reader):
    deployment = lane.release.deployments.first()
    Correction.objects.create(
        subject="deployment", subject_id=deployment.pk, why="Test", by=lane.manager, at=NOW
    )
    told = reader.get(f"/api/v1/trace/{lane.digest}").json()
    assert deployment.pk not in [one["id"] for one in told["deployments"]]


def test_a_platform_is_traced_as_its_index(lane, reader):
    platform = make_artifact(lane.service, "arm64", index=lane.release.artifacts.get())
    told = reader.get(f"/api/v1/trace/{platform.digest}").json()
    assert told["artifact"]["digest"] == lane.digest
    assert told["releases"][0]["version"] == "4.18.0"


def test_a_trace_costs_the_same_queries_however_long_the_history_is(
    lane, reader, django_assert_max_num_queries
):
    for number in range(4):
        make_deployment(lane.release, lane.production, at=NOW + timedelta(minutes=number))
        make_promotion(lane.release, lane.dev, state=State.SUCCEEDED)
    reader.get(f"/api/v1/trace/{lane.digest}")
    with django_assert_max_num_queries(40) as captured:
        reader.get(f"/api/v1/trace/{lane.digest}")
    before = len(captured)
    for number in range(8):
        make_deployment(lane.release, lane.production, at=NOW + timedelta(hours=number + 1))
        make_promotion(lane.release, lane.dev, state=State.SUCCEEDED)
    with django_assert_max_num_queries(before):
        assert reader.get(f"/api/v1/trace/{lane.digest}").status_code == 200


def test_without_a_build_the_commit_of_the_labels_begins_the_trace(lane, reader):
    commit = make_commit(lane.service, "Print labels")
    artifact = make_artifact(lane.service, "6.0.0", commit=commit.sha)
    told = reader.get(f"/api/v1/trace/{artifact.digest}").json()
    assert [one["sha"] for one in told["commits"]] == [commit.sha]
    assert told["builds"] == []


def test_a_digest_is_found_however_its_letters_are_written(lane, reader):
    shouted = "sha256:" + lane.digest.removeprefix("sha256:").upper()
    assert reader.get(f"/api/v1/trace/{shouted}").status_code == 200
    assert ask(reader, shouted).status_code == 200
