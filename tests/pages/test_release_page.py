"""The pages of releases: the list, the trace of one, and vetoing it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from promotion.models import (
    Approval,
    AuditEntry,
    Correction,
    Evidence,
    Observation,
    Promotion,
    Release,
    Role,
)
from promotion.rules.states import State
from tests.factories import (
    NOW,
    digest_of,
    make_artifact,
    make_build,
    make_commit,
    make_deployment,
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
    person = make_release_manager()
    client.force_login(person)
    return person


def make_traceable() -> Release:
    """Built, deployed everywhere by promotions, approved for production before it started."""
    service = make_service()
    make_pipeline(service, at=NOW - timedelta(days=9))
    release = make_release(service)
    approver = make_person("priya", Role.RELEASE_MANAGER)
    for hours, environment in enumerate(make_environments().values()):
        at = NOW + timedelta(hours=hours)
        promotion = make_promotion(
            release, environment, state=State.SUCCEEDED, started_at=at - timedelta(minutes=3)
        )
        if environment.is_production:
            Approval.objects.create(
                promotion=promotion,
                person=approver,
                decision=Approval.Decision.APPROVE,
                content_hash=promotion.content_hash,
                at=at - timedelta(minutes=9),
            )
        make_deployment(release, environment, at=at, promotion=promotion)
    return release


def page(client: Client, release: Release, query: str = "") -> str:
    response = client.get(f"/releases/{release.service.slug}/{release.version}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_a_release_with_every_link_is_called_fully_traceable(client: Client, ines: Any) -> None:
    html = page(client, make_traceable())
    assert "Fully traceable, 5 of 5 links" in html
    assert "is missing" not in html
    assert "approved by Priya" in html


@pytest.mark.parametrize("link", ["commit", "build", "upstream", "approval", "deployment"])
def test_a_release_lacking_one_link_is_not_called_traceable_and_the_link_is_named(
    client: Client, ines: Any, link: str
) -> None:
    release = make_traceable()
    build = release.artifacts.get().builds.get()
    if link == "commit":
        type(build).objects.update(commit="")
    elif link == "build":
        Correction.objects.create(
            subject="build", subject_id=build.pk, why="Another repository.", by=ines, at=NOW
        )
    elif link == "upstream":
        release.deployments.filter(environment__slug="staging").update(result="failed")
    elif link == "approval":
        Approval.objects.update(at=NOW + timedelta(days=1))
    else:
        deployment = release.deployments.get(environment__slug="production")
        Correction.objects.create(
            subject="deployment", subject_id=deployment.pk, why="It never was.", by=ines, at=NOW
        )
    html = page(client, release)
    assert "Fully traceable" not in html
    assert f"{link.capitalize()} is missing" in html
    assert "Missing: " in html


def test_an_approval_withdrawn_before_the_start_is_none(client: Client, ines: Any) -> None:
    release = make_traceable()
    given = Approval.objects.get()
    Approval.objects.create(
        promotion=given.promotion,
        person=given.person,
        decision=Approval.Decision.WITHDRAW,
        content_hash=given.content_hash,
        at=given.at + timedelta(minutes=1),
    )
    assert "Approval is missing" in page(client, release)


def test_a_signature_is_asked_only_where_the_pipeline_asks_and_must_be_verified(
    client: Client, ines: Any
) -> None:
    release = make_traceable()
    before = release.service.pipeline.current
    assert before is not None
    text = before.text + "    gates: [{signature: {keys: [k]}}]\n"
    assert "ignature is missing" not in page(client, release)
    make_pipeline(release.service, text, at=NOW - timedelta(days=1))
    assert "Signature is missing" in page(client, release)
    artifact = release.artifacts.get()
    said = Evidence.objects.create(
        artifact=artifact, digest=artifact.digest, type="signature", received_at=NOW
    )
    assert "Signature is missing" in page(client, release)
    said.is_verified = True
    said.save()
    assert "Fully traceable, 6 of 6 links" in page(client, release)


def test_a_digest_seen_in_production_without_a_reported_deployment_lacks_the_deployment(
    client: Client, ines: Any
) -> None:
    service = make_service()
    make_pipeline(service)
    release = make_release(service)
    Observation.objects.create(
        service=service,
        environment=make_environments()["production"],
        digest=release.digests[0],
        seen_at=NOW,
        received_at=NOW,
    )
    html = page(client, release)
    assert "was seen in production, but no deployment of it was reported" in html


def test_a_version_with_two_sets_of_digests_is_shown_as_built_more_than_once(
    client: Client, ines: Any
) -> None:
    service = make_service()
    first = make_release(service, "5.0.0")
    again = make_artifact(
        service, "5.0.0", digest=digest_of("again"), build=make_build(service, "c" * 40)
    )
    second = make_release(service, "5.0.0", artifacts=[again], at=NOW + timedelta(hours=1))
    html = page(client, first)
    assert "Version 5.0.0 has 2 sets of digests" in html
    assert f'value="{second.pk}"' in html
    chosen = page(client, first, f"?digest={first.digests[0][7:19]}")
    assert f'value="{first.pk}"' in chosen


@pytest.mark.parametrize("digest", ["sha256:zz", "%00%00%00%00%00%00%00", "ffffffffffff", "'"])
def test_a_digest_that_names_no_release_of_the_version_is_ignored(
    client: Client, ines: Any, digest: str
) -> None:
    html = page(client, make_traceable(), f"?digest={digest}")
    assert "shipment-api 4.18.0" in html


def test_addresses_a_sender_wrote_are_links_only_when_they_are_of_the_web(
    client: Client, ines: Any
) -> None:
    release = make_traceable()
    artifact = release.artifacts.get()
    build = artifact.builds.get()
    type(build).objects.update(url="javascript:alert(1)")
    Evidence.objects.create(
        artifact=artifact, digest=artifact.digest, type="scan", url="data:x", received_at=NOW
    )
    html = page(client, release)
    assert "javascript:" not in html
    assert 'href="data:' not in html


def test_the_commits_since_the_release_before_are_listed_with_their_authors(
    client: Client, ines: Any
) -> None:
    service = make_service()
    old = make_commit(service, "Old one")
    new = make_commit(service, "Round the <weight>", parent=old, author="luca")
    make_release(service, "1.0.0", commit=old.sha, at=NOW - timedelta(days=1))
    html = page(client, make_release(service, "1.1.0", commit=new.sha))
    assert "Round the &lt;weight&gt;" in html
    assert "Luca" in html
    assert "Since 1.0.0: 1 commit." in html


def test_a_release_or_service_nobody_knows_is_not_found(client: Client, ines: Any) -> None:
    for address in ("/releases/nothing/1.0.0/", "/releases/shipment-api/9.9.9/"):
        assert client.get(address).status_code == 404


def test_a_release_manager_vetoes_with_a_reason_and_the_service_is_looked_at(
    client: Client, ines: Any, scheduled: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    release = make_traceable()
    address = f"/releases/{release.service.slug}/{release.version}/veto/"
    response = client.post(address, {"release": release.pk, "reason": "Loses labels."})
    assert response.status_code == 302
    release.refresh_from_db()
    assert (release.is_vetoed, release.vetoed_by, release.veto_reason) == (
        True,
        ines,
        "Loses labels.",
    )
    assert AuditEntry.objects.get(action="release.veto").reason == "Loses labels."
    assert scheduled == [release.service_id]
    assert release.service.__class__.objects.get(pk=release.service_id).next_look_at is not None
    html = page(client, release)
    assert "Loses labels." in html
    assert "Promote to" not in html
    again = client.post(address, {"release": release.pk, "reason": "Again."})
    assert again.status_code == 409
    assert "has vetoed" in again.content.decode()


def test_a_veto_without_a_reason_or_by_another_teams_manager_changes_nothing(
    client: Client,
) -> None:
    release = make_traceable()
    address = f"/releases/{release.service.slug}/{release.version}/veto/"
    client.force_login(make_release_manager("otto", team=make_team("billing")))
    refused = client.post(address, {"release": release.pk, "reason": "No."})
    assert refused.status_code == 403
    assert "release manager of Shipping" in refused.content.decode()
    client.force_login(make_release_manager("ines"))
    assert client.post(address, {"release": release.pk, "reason": "  "}).status_code == 400
    assert client.post(address, {"release": "x", "reason": "No."}).status_code == 404
    assert client.get(address).status_code == 405
    release.refresh_from_db()
    assert not release.is_vetoed


def test_the_next_environment_is_offered_to_who_may_ask_for_it(client: Client) -> None:
    service = make_service()
    make_pipeline(service)
    release = make_release(service)
    places = make_environments()
    make_deployment(release, places["dev"])
    client.force_login(make_person("tomasz", Role.MEMBER, team=service.team))
    wanted = f"/promotions/new/?release={release.pk}&amp;environment=staging"
    assert wanted in page(client, release)
    make_promotion(release, places["staging"])
    assert "Promote to" not in page(client, release)
    client.force_login(make_person("vera", Role.VIEWER))
    Promotion.objects.all().delete()
    assert "Promote to" not in page(client, release)


def test_the_list_is_filtered_by_what_the_address_says(client: Client, ines: Any) -> None:
    make_release(make_service(), "4.18.0")
    make_release(make_service("billing-worker", team=make_team("billing")), "1.0.0")

    def shown(query: str) -> list[str]:
        return [str(one) for one, _ in client.get(f"/releases/{query}").context["releases"]]

    assert shown("?team=billing") == ["billing-worker 1.0.0"]
    assert shown("?service=shipment-api&version=4.1") == ["shipment-api 4.18.0"]
    assert shown("?service=shipment-api&version=5") == []


@pytest.mark.parametrize(
    "query", ["?team=%00", "?service=%27%22", "?cursor=x", "?cursor=2026-13-45~1", "?version=%25"]
)
def test_the_list_bears_filters_and_cursors_nobody_made(
    client: Client, ines: Any, query: str
) -> None:
    make_release(make_service())
    assert client.get(f"/releases/{query}").status_code == 200


def test_paging_shows_every_release_once(client: Client, ines: Any) -> None:
    service = make_service()
    for number in range(53):
        make_release(service, f"1.{number}.0", at=NOW)
    first = client.get("/releases/")
    cursor = first.context["page"].next_cursor
    second = client.get("/releases/", {"cursor": cursor})
    shown = [
        release.version
        for response in (first, second)
        for release, _ in response.context["releases"]
    ]
    assert len(shown) == 53
    assert len(set(shown)) == 53
    assert not second.context["page"].next_cursor


def test_the_lists_queries_do_not_grow_with_the_releases(
    client: Client, ines: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    places = make_environments()
    service = make_service()
    make_deployment(make_release(service, "1.0.0"), places["dev"])
    client.get("/releases/")
    with CaptureQueriesContext(connection) as few:
        client.get("/releases/")
    assert len(few) < 13
    for number in range(20):
        make_deployment(make_release(service, f"2.{number}.0"), places["staging"])
    with django_assert_num_queries(len(few)):
        client.get("/releases/")


def test_a_page_of_many_deployments_costs_no_more_queries(
    client: Client, ines: Any, django_assert_max_num_queries: Any
) -> None:
    release = make_traceable()
    place = make_environments()["production"]
    for number in range(20):
        make_deployment(release, place, at=timezone.now() - timedelta(minutes=number))
    with django_assert_max_num_queries(36):
        page(client, release)


def test_a_veto_is_taken_back_on_the_page_by_who_may_veto(client: Client) -> None:
    from promotion.actions.veto import veto_release
    from tests import factories

    service = factories.make_service("unvetoed")
    release = factories.make_release(service, "1.0.0")
    ines, viewer = factories.make_release_manager("ina"), factories.make_person("vip", "viewer")
    veto_release(release.pk, person=ines, reason="Loses data", at=factories.NOW)
    path = "/releases/unvetoed/1.0.0/"
    body = {"release": release.pk, "reason": "It was the test data"}
    client.force_login(viewer)
    assert 'data-open="unveto"' not in client.get(path).content.decode()
    assert client.post(f"{path}unveto/", body).status_code == 403
    client.force_login(ines)
    assert 'data-open="unveto"' in client.get(path).content.decode()
    assert client.get(f"{path}unveto/").status_code == 405
    assert client.post(f"{path}unveto/", {**body, "reason": ""}).status_code == 400
    assert client.post(f"{path}unveto/", body).status_code == 302
    assert client.post(f"{path}unveto/", body).status_code == 409
    release.refresh_from_db()
    assert not release.is_vetoed
