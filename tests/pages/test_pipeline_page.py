"""The pages of pipelines: stages beside the YAML, checking a text, applying it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from promotion.models import AuditEntry, PipelineVersion, Role
from tests.factories import (
    PIPELINE,
    make_environments,
    make_person,
    make_pipeline,
    make_service,
)

pytestmark = pytest.mark.django_db

GOOD = "service: shipment-api\nstages:\n  - {name: dev, environment: dev}\n"


@pytest.fixture(autouse=True)
def scheduled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    services: list[int] = []
    monkeypatch.setattr(
        "promotion.tasks.look_at_service.delay_on_commit", lambda pk: services.append(pk)
    )
    return services


@pytest.fixture
def engineer(client: Client) -> Any:
    make_environments()
    person = make_person("pete", Role.PLATFORM_ENGINEER)
    client.force_login(person)
    return person


def test_the_stages_stand_beside_the_yaml_of_the_version_in_use(
    client: Client, engineer: Any
) -> None:
    make_pipeline(make_service())
    html = client.get("/pipelines/shipment-api/").content.decode()
    assert "Starts when somebody asks, after staging" in html
    assert "1 from role release manager; not requester and authors" in html
    assert "environment: production" in html
    assert "Version 1 is in use" in html


def test_an_older_version_is_shown_when_the_address_names_it_and_nonsense_is_ignored(
    client: Client, engineer: Any
) -> None:
    service = make_service()
    make_pipeline(service, GOOD + "# the first\n")
    make_pipeline(service)
    old = client.get("/pipelines/shipment-api/?version=1")
    assert old.context["shown"].number == 1
    assert "# the first" in old.content.decode()
    for version in ("0", "x", "%00", "99999999999999999999"):
        shown = client.get(f"/pipelines/shipment-api/?version={version}").context["shown"]
        assert shown.number == 2


def test_checking_names_every_problem_with_its_line_and_changes_nothing(
    client: Client, engineer: Any
) -> None:
    make_pipeline(make_service())
    text = "service: shipment-api\nstages:\n  - name: dev\n    environment: moon\n    aftr: [x]\n"
    response = client.post("/pipelines/shipment-api/check/", {"text": text})
    html = response.content.decode()
    assert response.status_code == 200
    assert "Line 5" in html
    assert "Cannot be applied" in html
    assert 'class="on"' in html
    assert "of version 1; the text cannot be read" in html
    assert PipelineVersion.objects.count() == 1


@pytest.mark.parametrize(
    "text", ["", "{", "a: &a [*a]", "\x01", "- - -", "stages: 1", "service: [", "!!python/x y"]
)
def test_any_text_is_told_what_is_wrong_with_it(client: Client, engineer: Any, text: str) -> None:
    make_service()
    for act in ("check", "apply"):
        response = client.post(f"/pipelines/shipment-api/{act}/", {"text": text})
        assert response.status_code in {200, 400}
    assert not PipelineVersion.objects.exists()


def test_applying_makes_a_new_version_and_has_the_service_looked_at(
    client: Client, engineer: Any, scheduled: list[int]
) -> None:
    service = make_service()
    response = client.post(
        "/pipelines/shipment-api/apply/", {"text": GOOD, "base": "0", "reason": "Begin."}
    )
    assert response.status_code == 302
    version = PipelineVersion.objects.get()
    assert (version.number, version.applied_by) == (1, engineer)
    assert scheduled == [service.pk]
    assert AuditEntry.objects.get(action="pipeline.apply").actor == engineer


def test_a_text_written_on_an_older_version_is_a_conflict_and_is_kept(
    client: Client, engineer: Any
) -> None:
    service = make_service()
    make_pipeline(service)
    make_pipeline(service)
    response = client.post("/pipelines/shipment-api/apply/", {"text": GOOD, "base": "1"})
    assert response.status_code == 409
    html = response.content.decode()
    assert "Version 2 was applied since" in html
    assert "name: dev, environment: dev" in html
    assert PipelineVersion.objects.count() == 2


def test_the_text_of_another_service_is_not_applied_here(client: Client, engineer: Any) -> None:
    make_service()
    make_service("billing-worker")
    text = GOOD.replace("shipment-api", "billing-worker")
    response = client.post("/pipelines/shipment-api/apply/", {"text": text})
    assert response.status_code == 400
    assert "This is the pipeline of shipment-api" in response.content.decode()
    assert not PipelineVersion.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER, Role.RELEASE_MANAGER, Role.AUDITOR])
def test_who_may_not_configure_reads_and_changes_nothing(client: Client, role: str) -> None:
    make_environments()
    make_pipeline(make_service())
    client.force_login(make_person("mara", role))
    assert "Apply new version" not in client.get("/pipelines/shipment-api/").content.decode()
    response = client.post("/pipelines/shipment-api/apply/", {"text": GOOD, "base": "1"})
    assert response.status_code == 403
    assert PipelineVersion.objects.count() == 1


def test_a_service_without_a_pipeline_begins_with_its_environments(
    client: Client, engineer: Any
) -> None:
    make_service()
    html = client.get("/pipelines/shipment-api/").content.decode()
    assert "has no pipeline, so nothing of it is promoted" in html
    assert "after: [staging]" in html


def test_an_unknown_service_has_no_page(client: Client, engineer: Any) -> None:
    assert client.get("/pipelines/nothing/").status_code == 404
    assert client.post("/pipelines/nothing/apply/", {"text": GOOD}).status_code == 404
    assert client.get("/pipelines/shipment-api/apply/").status_code == 405


def test_the_lists_queries_do_not_grow_with_the_pipelines(
    client: Client, engineer: Any, django_assert_num_queries: Any
) -> None:
    make_pipeline(make_service())
    client.get("/pipelines/")
    with CaptureQueriesContext(connection) as few:
        client.get("/pipelines/")
    for number in range(10):
        service = make_service(f"service-{number}")
        make_pipeline(service)
        make_pipeline(service, PIPELINE + "# again\n")
    with django_assert_num_queries(len(few)):
        html = client.get("/pipelines/").content.decode()
    assert "11 services have a pipeline" in html
    assert "dev → staging → production" in html


def test_applying_takes_a_reason_which_stays_with_the_version(
    client: Client, engineer: Any
) -> None:
    make_service()
    refused = client.post("/pipelines/shipment-api/apply/", {"text": GOOD, "reason": " "})
    assert refused.status_code == 400
    assert "Say why it is applied" in refused.content.decode()
    assert not PipelineVersion.objects.exists()
    client.post("/pipelines/shipment-api/apply/", {"text": GOOD, "reason": "Only <dev> is left."})
    assert PipelineVersion.objects.get().reason == "Only <dev> is left."
    assert AuditEntry.objects.get(action="pipeline.apply").reason == "Only <dev> is left."
    assert "Only &lt;dev&gt; is left." in client.get("/pipelines/shipment-api/").content.decode()


def test_a_text_that_says_the_same_is_no_new_version(client: Client, engineer: Any) -> None:
    make_service()
    text = {"text": GOOD, "reason": "Begin."}
    client.post("/pipelines/shipment-api/apply/", text)
    html = client.post("/pipelines/shipment-api/apply/", text, follow=True).content.decode()
    assert "says the same as version 1; nothing was changed" in html
    assert PipelineVersion.objects.count() == 1


def test_lines_are_kept_whatever_a_browser_ends_them_with(client: Client, engineer: Any) -> None:
    make_service()
    text = GOOD.replace("\n", "\r\n")
    client.post("/pipelines/shipment-api/apply/", {"text": text, "reason": "Begin."})
    assert PipelineVersion.objects.get().text == GOOD


def test_a_problem_links_to_its_line_and_stands_under_it(client: Client, engineer: Any) -> None:
    make_service()
    text = GOOD + "  - {name: qa, environment: moon}\n"
    html = client.post("/pipelines/shipment-api/check/", {"text": text}).content.decode()
    assert '<a href="#line-4">Line 4</a>' in html
    assert '<span id="line-4" class="on">' in html
    assert html.count("moon") > 2


def test_an_earlier_version_is_applied_again_as_a_new_one(
    client: Client, engineer: Any, scheduled: list[int]
) -> None:
    service = make_service()
    make_pipeline(service, GOOD)
    make_pipeline(service)
    assert (
        "Apply version 1 again" in client.get("/pipelines/shipment-api/?version=1").content.decode()
    )
    wish = {"version": "1", "base": "2", "reason": "The new one held too much."}
    assert client.post("/pipelines/shipment-api/again/", wish).status_code == 302
    newest = PipelineVersion.objects.order_by("-number")[0]
    assert (newest.number, newest.text, newest.applied_by) == (3, GOOD, engineer)
    assert newest.reason == "The new one held too much."
    assert scheduled == [service.pk]
    assert client.post("/pipelines/shipment-api/again/", wish).status_code == 409
    assert client.post("/pipelines/shipment-api/again/", {"version": "x"}).status_code == 404
    assert PipelineVersion.objects.count() == 3


def test_two_versions_are_compared_by_meaning_and_by_line(client: Client, engineer: Any) -> None:
    service = make_service()
    make_pipeline(service, GOOD)
    make_pipeline(service)
    make_pipeline(service, PIPELINE.replace("count: 1", "count: 2"))
    html = client.get("/pipelines/shipment-api/difference/").content.decode()
    assert "approval rule release managers, count: 1 → 2." in html
    assert "− " in html
    wide = client.get("/pipelines/shipment-api/difference/?from=1&to=3").content.decode()
    assert "Stage production is added, into production after staging." in wide
    back = client.get("/pipelines/shipment-api/difference/?from=3&to=1").content.decode()
    assert "Stage production is removed." in back
    same = client.get("/pipelines/shipment-api/difference/?from=2&to=2").content.decode()
    assert "one and the same version" in same
    for query in ("from=x&to=%00", "from=99999999999999999999", "to=0"):
        assert client.get(f"/pipelines/shipment-api/difference/?{query}").status_code == 200


def test_a_service_without_a_version_has_nothing_to_compare(client: Client, engineer: Any) -> None:
    make_service()
    assert client.get("/pipelines/shipment-api/difference/").status_code == 404
    assert client.get("/pipelines/nothing/difference/").status_code == 404


def test_the_queries_of_a_page_do_not_grow_with_its_versions(
    client: Client, engineer: Any, django_assert_num_queries: Any
) -> None:
    service = make_service()
    make_pipeline(service, GOOD, by=engineer)
    make_pipeline(service, by=engineer)
    pages = ("/pipelines/shipment-api/", "/pipelines/shipment-api/difference/")
    counts = []
    for page in pages:
        client.get(page)
        with CaptureQueriesContext(connection) as few:
            client.get(page)
        counts.append(len(few))
    for number in range(10):
        make_pipeline(service, PIPELINE + f"# {number}\n", by=make_person(f"pete{number}"))
    for page, count in zip(pages, counts, strict=True):
        with django_assert_num_queries(count):
            client.get(page)
