"""Searching for whatever people paste."""

from typing import Any

import pytest
from django.test import Client

from promotion.models import Artifact, Release, Role
from tests.factories import (
    digest_of,
    make_artifact,
    make_environments,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_service,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(client: Client) -> Release:
    client.force_login(make_person("ada", Role.AUDITOR, first_name="Ada", last_name="Okafor"))
    service = make_service()
    make_pipeline(service)
    return make_release(service, "4.18.0")


def address(release: Release) -> str:
    return f"/releases/{release.service.slug}/{release.version}/?digest={release.digests[0]}"


@pytest.mark.parametrize(
    "written", ["{version}", "v{version}", "{service} {version}", "{service}@{version}"]
)
def test_the_only_release_of_a_version_is_opened_at_once(
    client: Client, release: Release, written: str
) -> None:
    make_release(make_service(), "4.19.0")
    text = written.format(version="4.18.0", service="shipment-api")
    response = client.get("/search/", {"q": text})
    assert response.status_code == 302
    assert response["Location"] == address(release)


def test_a_digest_is_found_by_its_beginning_with_and_without_its_algorithm(
    client: Client, release: Release
) -> None:
    digest = release.digests[0]
    for text in (digest, digest[7:], digest[7:13], digest[7:19].upper()):
        assert client.get("/search/", {"q": text})["Location"] == address(release)
    assert client.get("/search/", {"q": digest[7:12]}).status_code == 200


def test_a_platforms_digest_leads_to_the_release_of_its_index(
    client: Client, release: Release
) -> None:
    index = release.artifacts.get()
    Artifact.objects.create(digest=digest_of("arm"), index=index, first_seen_at=index.first_seen_at)
    response = client.get("/search/", {"q": digest_of("arm")})
    assert response["Location"] == address(release)


def test_a_digest_that_belongs_to_no_release_is_named(client: Client, release: Release) -> None:
    alone = make_artifact(make_service(), "nightly")
    html = client.get("/search/", {"q": alone.digest}).content.decode()
    assert "belongs to no release yet" in html


def test_a_commit_is_found_by_its_beginning(client: Client, release: Release) -> None:
    assert client.get("/search/", {"q": release.commit[:7]})["Location"] == address(release)


def test_a_number_opens_its_promotion(client: Client, release: Release) -> None:
    promotion = make_promotion(release, make_environments()["production"])
    for text in (promotion.number, promotion.number.lower(), f"p{promotion.pk}"):
        response = client.get("/search/", {"q": text})
        assert response["Location"] == f"/promotions/{promotion.pk}/"
    assert client.get("/search/", {"q": "P-999999"}).status_code == 200


def test_several_hits_are_grouped_and_not_opened(client: Client, release: Release) -> None:
    make_release(make_service("billing-worker"), "4.18.0")
    response = client.get("/search/", {"q": "4.18.0"})
    assert response.status_code == 200
    assert [len(group.hits) for group in response.context["groups"]] == [2]


def test_a_service_opens_its_releases_and_a_part_of_its_name_lists_it(
    client: Client, release: Release
) -> None:
    response = client.get("/search/", {"q": "shipment-api"})
    assert response["Location"] == "/releases/?service=shipment-api"
    assert "shipment-api" in client.get("/search/", {"q": "shipm"}).content.decode()


def test_a_person_is_found_by_name_and_leads_to_the_log_for_who_may_read_it(
    client: Client, release: Release
) -> None:
    html = client.get("/search/", {"q": "ada oka"}).content.decode()
    assert "Ada Okafor" in html
    assert "/audit/?who=ada" in html
    client.force_login(make_person("otto", Role.MEMBER))
    html = client.get("/search/", {"q": "okafor"}).content.decode()
    assert "Ada Okafor" in html
    assert "/audit/?who=" not in html


@pytest.mark.parametrize(
    "text", ["", " ", "%", "\x00", "<script>", "'", "P-", "9" * 300, "sha256:", "🦊", "a b c d"]
)
def test_any_text_gets_an_answer(client: Client, release: Release, text: str) -> None:
    response = client.get("/search/", {"q": text})
    assert response.status_code == 200
    assert "<script>" not in response.content.decode().partition("<main")[2]


def test_a_search_costs_no_more_queries_for_more_hits(
    client: Client, release: Release, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        make_release(make_service(), f"5.{number}.0")
    with django_assert_max_num_queries(12):
        response = client.get("/search/", {"q": "5."})
    group = response.context["groups"][0]
    assert (len(group.hits), group.has_more) == (20, True)
