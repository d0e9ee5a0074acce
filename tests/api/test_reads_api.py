"""Lists, details, paging and filters."""

import base64
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from promotion.models import Correction, Incident
from promotion.rules.states import State
from tests.factories import (
    NOW,
    digest_of,
    make_artifact,
    make_build,
    make_deployment,
    make_environment,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
    make_team,
)

pytestmark = pytest.mark.django_db
LISTS = [
    "services",
    "environments",
    "artifacts",
    "releases",
    "deployments",
    "promotions",
    "incidents",
    "events",
]


def make_incident(number, **fields):
    return Incident.objects.create(
        source="pagerduty", external_id=str(number), opened_at=NOW, received_at=NOW, **fields
    )


def fill(first, last):
    """One of everything for each number."""
    for number in range(first, last):
        service = make_service(f"service-{number:03}", team=make_team(f"team-{number}"))
        make_pipeline(service)
        place = make_environment(f"place-{number:03}", targets=("eu-1", "us-1"))
        release = make_release(service, f"1.0.{number}")
        make_deployment(release, place)
        release_in_dev = make_environment("dev")
        make_promotion(release, release_in_dev, requested_by=make_person(f"person-{number}"))
        make_incident(number, service=service, environment=place)


def values(answer, name):
    return [row[name] for row in answer.json()["results"]]


@pytest.mark.parametrize("noun", LISTS)
def test_a_list_costs_the_same_queries_however_long_it_is(reader, noun):
    counts = []
    for first, last in ((0, 2), (2, 12)):
        fill(first, last)
        reader.get(f"/api/v1/{noun}")
        with CaptureQueriesContext(connection) as queries:
            assert reader.get(f"/api/v1/{noun}").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("noun", LISTS)
def test_nobody_reads_without_a_token_or_a_session(noun):
    answer = APIClient().get(f"/api/v1/{noun}")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("noun", LISTS)
def test_a_signed_in_person_reads(noun):
    client = APIClient()
    client.force_login(make_person())
    assert client.get(f"/api/v1/{noun}").status_code == 200


@pytest.mark.parametrize("noun", LISTS)
def test_lists_are_changed_by_nobody(reader, noun):
    assert reader.delete(f"/api/v1/{noun}").status_code in {403, 405}
    assert reader.put(f"/api/v1/{noun}").status_code in {403, 405}


def test_paging_shows_each_row_once_though_rows_come_in_between(reader, lane):
    made = [make_release(lane.service, f"5.0.{number}").pk for number in range(7)]
    seen, url = [], "/api/v1/releases?limit=3"
    while url:
        page = reader.get(url).json()
        seen += [row["id"] for row in page["results"]]
        make_release(lane.service, f"6.0.{len(seen)}")
        url = page["next"]
    assert seen == sorted([*made, lane.release.pk], reverse=True)


def test_the_page_before_is_the_one_that_was_before(reader):
    fill(0, 6)
    first = reader.get("/api/v1/services?limit=2")
    second = reader.get(first.json()["next"])
    assert values(second, "slug") == ["service-002", "service-003"]
    assert values(reader.get(second.json()["previous"]), "slug") == values(first, "slug")


@pytest.mark.parametrize("said", ["p=abc", "p=2026-99-99", "o=x", "p=" + "9" * 40, "p=%00"])
@pytest.mark.parametrize("noun", ["releases", "services"])
def test_a_cursor_nobody_gave_breaks_nothing(reader, said, noun):
    cursor = base64.b64encode(said.encode()).decode()
    for value in (cursor, "%%%", said):
        answer = reader.get(f"/api/v1/{noun}", {"cursor": value})
        assert answer.status_code in {200, 400, 404}


def test_a_filter_that_is_not_known_is_refused_with_those_there_are(reader):
    answer = reader.get("/api/v1/deployments", {"enviroment": "production"})
    assert answer.status_code == 400
    assert answer.json()["key"] == "enviroment"
    assert "environment" in answer.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "state=broken",
        "digest=latest",
        "since=yesterday",
        "since=2026-11-01T00:00:00",
        "service=",
        "service=%00",
        "service=a&service=b",
    ],
)
def test_a_filter_whose_value_cannot_be_used_is_refused(reader, query):
    answer = reader.get(f"/api/v1/deployments?{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_deployments_are_narrowed(reader, lane):
    old = make_deployment(
        lane.release, lane.production, at=NOW - timedelta(days=9), result="failed"
    )
    other = make_release(lane.service, "4.19.0")
    new = make_deployment(other, lane.production)
    expected = {
        "service=shipment-api&environment=production": [new.pk, old.pk],
        "environment=production&state=failed": [old.pk],
        "environment=production&since=2026-11-20T00:00:00Z": [new.pk],
        "environment=production&until=2026-11-20T00:00:00Z": [old.pk],
        f"digest={other.digests[0].upper().replace('SHA', 'sha')}": [new.pk],
        "version=4.19.0": [new.pk],
        "service=another": [],
    }
    assert {
        query: values(reader.get(f"/api/v1/deployments?{query}"), "id") for query in expected
    } == expected


def test_a_deployment_declared_wrong_says_so(reader, lane):
    deployment = lane.release.deployments.first()
    Correction.objects.create(
        subject="deployment", subject_id=deployment.pk, why="Test", by=lane.manager, at=NOW
    )
    assert reader.get(f"/api/v1/deployments/{deployment.pk}").json()["is_voided"] is True


def test_promotions_are_narrowed(reader, lane):
    waiting = make_promotion(lane.release, lane.production)
    make_promotion(lane.release, lane.dev, state=State.SUCCEEDED)
    found = reader.get("/api/v1/promotions?state=waiting&version=4.18.0&environment=production")
    assert values(found, "id") == [waiting.pk]
    assert values(reader.get(f"/api/v1/promotions?digest={digest_of('x')}"), "id") == []


def test_artifacts_are_found_by_a_tag_once_each(reader, lane):
    artifact = lane.release.artifacts.get()
    artifact.tags.create(repository="mirror/shipment-api", tag="4.18.0", seen_at=NOW)
    found = reader.get("/api/v1/artifacts?version=4.18.0")
    assert values(found, "digest") == [lane.digest]
    assert len(found.json()["results"][0]["tags"]) == 2


def test_incidents_are_open_until_they_are_resolved(reader):
    opened = make_incident(1)
    make_incident(2, resolved_at=NOW)
    assert values(reader.get("/api/v1/incidents?state=opened"), "id") == [opened.pk]


def test_every_row_has_a_page_of_its_own(reader, lane):
    promotion = make_promotion(lane.release, lane.production)
    incident = make_incident(1)
    pages = {
        f"services/{lane.service.slug}": ("slug", "shipment-api"),
        "environments/production": ("name", "Production"),
        f"artifacts/{lane.digest}": ("digest", lane.digest),
        f"releases/{lane.release.pk}": ("version", "4.18.0"),
        f"promotions/P-{promotion.pk}": ("number", promotion.number),
        f"incidents/{incident.pk}": ("external_id", "1"),
    }
    for path, (name, value) in pages.items():
        assert reader.get(f"/api/v1/{path}").json()[name] == value


def test_a_service_tells_its_pipelines_newest_version(reader, lane):
    make_pipeline(lane.service)
    assert reader.get("/api/v1/services/shipment-api").json()["pipeline_version"] == 2


@pytest.mark.parametrize(
    "path",
    [
        "services/unknown",
        "environments/unknown",
        f"artifacts/{digest_of('unknown')}",
        "releases/999999999999999999999999",
        "deployments/1",
        "promotions/P-1",
        "incidents/1",
        "events/1",
        f"trace/{digest_of('unknown')}",
        "promotions/1/explain",
    ],
)
def test_what_is_not_there_is_a_problem_with_a_sentence(reader, path):
    answer = reader.get(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_times_are_in_utc_whatever_zone_the_person_reads_in(lane):
    person = make_person("sofia", time_zone="America/New_York")
    client = APIClient()
    client.force_login(person)
    told = client.get(f"/api/v1/releases/{lane.release.pk}").json()
    assert told["created_at"] == "2026-11-23T14:20:00Z"


def test_a_build_and_its_artifact_know_each_other(reader):
    service = make_service()
    make_environments()
    build = make_build(service)
    artifact = make_artifact(service, build=build)
    assert reader.get(f"/api/v1/artifacts/{artifact.digest}").json()["builds"] == [build.pk]
