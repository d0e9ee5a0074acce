"""Rules, services made and events ignored: what kept events become after a change, and what stays."""

import json
from typing import Any

import pytest

from promotion import tasks
from promotion.actions.map_events import create_service, delete_rule, save_rule
from promotion.actions.place_again import find_misplaced
from promotion.actions.process_event import process_event
from promotion.actions.receive import receive
from promotion.actions.try_rule import try_rule
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import (
    Artifact,
    AuditEntry,
    Build,
    Deployment,
    DeploymentReport,
    Event,
    Incident,
    Mapping,
    Release,
    Role,
    Sender,
    Service,
    User,
)
from promotion.sources.base import Delivery
from promotion.sources.known import SOURCES
from tests.factories import (
    NOW,
    commit_of,
    digest_of,
    make_environments,
    make_person,
    make_promotion,
    make_sender,
    make_service,
    make_team,
)
from tests.parts import deliveries

pytestmark = pytest.mark.django_db
PLACE = {"repository": "acme/shop", "commit": commit_of("acme/shop")}
DIGEST = digest_of("acme/shop")


@pytest.fixture
def sender() -> Sender:
    make_environments()
    return make_sender()


@pytest.fixture
def engineer() -> User:
    return make_person("pete", Role.PLATFORM_ENGINEER)


@pytest.fixture(autouse=True)
def work_at_once(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks run where they are asked for; nothing else is left out."""
    monkeypatch.setattr(tasks.process, "delay", lambda event: process_event(event, at=NOW))
    monkeypatch.setattr(tasks.place_again, "delay", tasks.place_again)


def take_in(sender: Sender, delivery: Delivery) -> Event:
    received = receive(SOURCES[sender.kind], delivery, sender=sender, token=None, at=NOW)
    process_event(received.event.pk, at=NOW)
    received.event.refresh_from_db()
    return received.event


def deploy(number: int = 1, **fields: Any) -> Delivery:
    said = {"environment": "production", "state": "success", "at": "2026-11-23T11:02:00Z"}
    return deliveries.deployment_status(
        **(PLACE | said | fields), number=number, delivery_id=f"deploy-{number}"
    )


def build(**fields: Any) -> Delivery:
    return deliveries.workflow_run(**(PLACE | {"finished_at": "2026-11-23T10:00:00Z"} | fields))


def picture() -> list[Any]:
    """Everything recorded, with its keys."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Build, Deployment, DeploymentReport, Incident)
    ]


def outcome() -> list[Any]:
    return list(Event.objects.order_by("pk").values("pk", "state", "summary", "outcome"))


def test_what_matches_no_service_says_so_and_by_what_name(sender: Sender) -> None:
    event = take_in(sender, deploy())
    assert (event.state, event.lacks, event.speaks_of) == ("unmapped", "service", "acme/shop")
    assert event.summary == "It speaks of acme/shop, which is no service of the catalog."


def test_a_build_without_a_service_is_kept_and_counted_among_what_lacks_one(
    sender: Sender,
) -> None:
    event = take_in(sender, build())
    assert (event.state, event.lacks, event.speaks_of) == ("recorded", "service", "acme/shop")


def test_what_names_an_unknown_environment_says_so(sender: Sender) -> None:
    make_service("shop", repository="acme/shop")
    event = take_in(sender, deploy(environment="zone-1"))
    assert (event.state, event.lacks, event.speaks_of) == ("unmapped", "environment", "zone-1")


def test_a_usual_name_finds_the_only_environment_of_its_tier(sender: Sender) -> None:
    make_service("shop", repository="acme/shop")
    take_in(sender, deploy(environment="prod"))
    assert Deployment.objects.get().environment.slug == "production"


def test_a_service_made_of_unmatched_events_takes_them_in(sender: Sender, engineer: User) -> None:
    take_in(sender, build())
    take_in(sender, deploy())
    service = create_service(
        "shop", team=make_team(), repository="acme/shop", person=engineer, at=NOW
    )
    tasks.place_again(engineer.pk)
    assert Deployment.objects.get().service == service
    assert Build.objects.get().service == service
    assert not Event.objects.exclude(lacks="").exists()
    assert AuditEntry.objects.get(action="service.create").actor == engineer
    assert AuditEntry.objects.get(action="event.replay").actor == engineer


def test_a_rule_places_kept_events_and_changes_nothing_that_was_right(
    sender: Sender, engineer: User
) -> None:
    right = make_service("right", repository="acme/right")
    shop = make_service("shop", repository="")
    take_in(sender, deploy(2, repository="acme/right"))
    take_in(sender, build(repository="acme/right", delivery_id="run-2"))
    before, told = picture(), outcome()
    take_in(sender, deploy(1, environment="zone-1"))
    production = make_environments()["production"]
    rule = Mapping(
        repository_pattern="acme/sh*",
        environment_pattern="zone-*",
        service=shop,
        environment=production,
    )
    save_rule(rule, person=engineer, at=NOW)
    tasks.place_again(engineer.pk)
    placed = Deployment.objects.exclude(service=right).get()
    assert (placed.service, placed.environment) == (shop, production)
    after = picture()
    assert after[0] == before[0]
    assert [one for one in after[1] if one["id"] != placed.pk] == before[1]
    assert [one for one in outcome() if one["pk"] in {two["pk"] for two in told}] == told
    assert find_misplaced().events == ()


def test_placing_again_twice_is_placing_again_once(sender: Sender, engineer: User) -> None:
    make_service("shop", repository="acme/shop")
    take_in(sender, deploy())
    before = (picture(), outcome())
    tasks.place_again(engineer.pk)
    assert (picture(), outcome()) == before
    assert not AuditEntry.objects.filter(action="event.replay").exists()


def test_a_deployment_that_was_placed_wrongly_moves_with_what_was_linked_to_it(
    sender: Sender, engineer: User
) -> None:
    make_service("wrong", repository="acme/shop")
    right = make_service("right", repository="acme/right")
    take_in(sender, deploy(1))
    take_in(sender, deploy(2))
    wrong = Deployment.objects.order_by("pk").first()
    incident = Incident.objects.create(
        source="x", external_id="1", deployment=wrong, confidence="confirmed", received_at=NOW
    )
    rule = Mapping(repository_pattern="acme/shop", service=right)
    save_rule(rule, person=engineer, at=NOW)
    tasks.place_again(engineer.pk)
    assert {one.service.slug for one in Deployment.objects.all()} == {"right"}
    assert Deployment.objects.count() == DeploymentReport.objects.count() == 2
    incident.refresh_from_db()
    assert incident.deployment is not None
    assert (incident.deployment.service, incident.confidence) == (right, "confirmed")


def test_a_lost_place_takes_nothing_back(sender: Sender, engineer: User) -> None:
    service = make_service("shop", repository="")
    rule = Mapping(repository_pattern="acme/shop", service=service)
    save_rule(rule, person=engineer, at=NOW)
    take_in(sender, deploy())
    before = picture()
    delete_rule(rule.pk, person=engineer, at=NOW)
    tasks.place_again(engineer.pk)
    assert picture() == before
    assert AuditEntry.objects.filter(action="mapping.delete").count() == 1


def test_what_is_ignored_is_no_longer_offered_and_comes_back_with_the_rule_gone(
    sender: Sender, engineer: User
) -> None:
    take_in(sender, deploy())
    rule = Mapping(repository_pattern="acme/*", is_ignored=True)
    save_rule(rule, person=engineer, at=NOW)
    tasks.place_again(engineer.pk)
    event = Event.objects.get()
    assert (event.state, event.lacks) == ("ignored", "")
    assert f"rule {rule.pk}" in event.summary
    delete_rule(rule.pk, person=engineer, at=NOW)
    tasks.place_again(engineer.pk)
    event.refresh_from_db()
    assert (event.state, event.lacks) == ("unmapped", "service")


def test_ignoring_leaves_what_had_its_place(sender: Sender, engineer: User) -> None:
    make_service("shop", repository="acme/shop")
    take_in(sender, deploy())
    before = (picture(), outcome())
    save_rule(Mapping(repository_pattern="acme/*", is_ignored=True), person=engineer, at=NOW)
    tasks.place_again(engineer.pk)
    assert (picture(), outcome()) == before


def test_a_job_declared_to_be_the_deployment_is_one_with_its_times_and_commit(
    sender: Sender, engineer: User
) -> None:
    service = make_service("shop", repository="acme/shop")
    production = make_environments()["production"]
    take_in(sender, build())
    built = Build.objects.get()
    rule = Mapping(
        repository_pattern="acme/shop",
        job_pattern=built.name,
        environment=production,
        is_deployment=True,
    )
    save_rule(rule, person=engineer, at=NOW)
    tasks.place_again(engineer.pk)
    deployment = Deployment.objects.get()
    assert (deployment.service, deployment.environment) == (service, production)
    assert deployment.external_id == f"build:{built.external_id}"
    assert (deployment.run_id, deployment.mechanism) == (built.external_id, "automated")
    assert (deployment.result, deployment.commit) == (built.result, built.commit)
    assert (deployment.started_at, deployment.finished_at) == (built.started_at, built.finished_at)
    tasks.place_again(engineer.pk)
    assert AuditEntry.objects.filter(action="event.replay").count() == 1


def test_trying_a_rule_shows_what_would_be_and_writes_nothing(
    sender: Sender, engineer: User, django_assert_max_num_queries: Any
) -> None:
    shop = make_service("shop", repository="")
    make_service("right", repository="acme/right")
    for number in range(3):
        take_in(sender, deploy(number))
    take_in(sender, deploy(9, repository="acme/right"))
    before = (picture(), outcome())
    with django_assert_max_num_queries(8):
        tried = try_rule(Mapping(repository_pattern="acme/shop", service=shop))
    assert (tried.scanned, tried.matching, tried.changing) == (4, 3, 3)
    assert {(one.before, one.after) for one in tried.facts} == {
        ("no service", "shop in production")
    }
    assert (picture(), outcome()) == before
    assert not Mapping.objects.exists()
    again = try_rule(Mapping(repository_pattern="acme/right", service_id=shop.pk))
    assert [(one.before, one.after) for one in again.facts] == [
        ("right in production", "shop in production")
    ]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"repository_pattern": "a"}, "service"),
        ({"is_ignored": True}, "repository_pattern"),
        ({"is_ignored": True, "job_pattern": "**"}, "repository_pattern"),
        ({"repository_pattern": "a", "is_ignored": True, "service_id": 1}, "is_ignored"),
        ({"repository_pattern": "a", "service_id": 1, "is_deployment": True}, "environment"),
        ({"repository_pattern": "*a" * 11, "service_id": 1}, "repository_pattern"),
        ({"repository_pattern": "a\x00", "service_id": 1}, "repository_pattern"),
    ],
)
def test_a_rule_that_cannot_be_one_is_refused_by_its_field(
    engineer: User, fields: dict[str, Any], key: str
) -> None:
    with pytest.raises(InputError) as caught:
        save_rule(Mapping(**fields), person=engineer, at=NOW)
    assert caught.value.key == key
    assert not Mapping.objects.exists()


@pytest.mark.parametrize("role", [Role.MEMBER, Role.RELEASE_MANAGER, Role.ADMINISTRATOR])
def test_nobody_but_a_platform_engineer_maps(role: str) -> None:
    person = make_person("mara", role)
    rule = Mapping(repository_pattern="a", is_ignored=True)
    with pytest.raises(NotAllowedError):
        save_rule(rule, person=person, at=NOW)
    with pytest.raises(NotAllowedError):
        delete_rule(1, person=person, at=NOW)
    with pytest.raises(NotAllowedError):
        create_service("x", team=make_team(), repository="", person=person, at=NOW)
    assert not Mapping.objects.exists()


def test_a_rule_that_is_gone_is_told(engineer: User) -> None:
    rule = save_rule(Mapping(repository_pattern="a", is_ignored=True), person=engineer, at=NOW)
    number = rule.pk
    delete_rule(number, person=engineer, at=NOW)
    with pytest.raises(ConflictError):
        delete_rule(number, person=engineer, at=NOW)
    rule.pk = number
    with pytest.raises(ConflictError):
        save_rule(rule, person=engineer, at=NOW)


@pytest.mark.parametrize(
    ("slug", "key"), [("not a slug", "slug"), ("shop", "slug"), ("SHOP", "slug"), ("", "slug")]
)
def test_a_service_that_cannot_be_is_refused_by_its_field(
    engineer: User, slug: str, key: str
) -> None:
    make_service("shop")
    with pytest.raises(InputError) as caught:
        create_service(slug, team=make_team(), repository="a/b", person=engineer, at=NOW)
    assert caught.value.key == key


def test_services_of_one_repository_are_told_apart_by_their_image_or_not_at_all(
    sender: Sender,
) -> None:
    make_service("web", repository="acme/shop")
    make_service("api", repository="acme/shop")
    event = take_in(sender, deploy())
    assert "2 services come from acme/shop (api, web)" in event.summary
    generic = make_sender("own", "generic")
    fact = {
        "kind": "deployment",
        "repository": "acme/shop",
        "name": "registry/acme/web",
        "environment": "production",
        "result": "succeeded",
        "external_id": "7",
        "finished_at": "2026-11-23T10:00:00Z",
    }
    take_in(generic, Delivery(body=json.dumps(fact).encode(), content_type="application/json"))
    assert Deployment.objects.get().service.slug == "web"


def publish() -> Delivery:
    """An image published under a name that the service `wrong` has by its repository."""
    return deliveries.registry_package(
        **PLACE, name="shop", digest=DIGEST, tag="4.1.0", at="2026-11-23T10:05:00Z"
    )


def lead_to(service: Service, engineer: User) -> None:
    rule = Mapping(repository_pattern="acme/shop", service=service)
    save_rule(rule, person=engineer, at=NOW)
    tasks.place_again(engineer.pk)


def test_a_build_and_its_artifact_move_with_their_release_and_deployment(
    sender: Sender, engineer: User
) -> None:
    make_service("wrong", repository="acme/shop", artifact_names=["shop"])
    right = make_service("right", repository="acme/right", artifact_names=["shop"])
    for one in (build(), publish(), deploy()):
        take_in(sender, one)
    assert Release.objects.get().service.slug == "wrong"
    lead_to(right, engineer)
    release = Release.objects.get()
    assert (release.service, release.digests) == (right, (DIGEST,))
    assert {one.service for one in Build.objects.all()} == {right}
    assert {one.service for one in Artifact.objects.all()} == {right}
    moved = Deployment.objects.get()
    assert (moved.service, moved.release) == (right, release)
    assert find_misplaced().events == ()


def test_an_artifact_stays_where_people_acted_on_its_release_and_the_event_says_so(
    sender: Sender, engineer: User
) -> None:
    wrong = make_service("wrong", repository="acme/shop", artifact_names=["shop"])
    right = make_service("right", repository="acme/right", artifact_names=["shop"])
    event = take_in(sender, publish())
    release = Release.objects.get()
    promotion = make_promotion(release, make_environments()["staging"])
    lead_to(right, engineer)
    event.refresh_from_db()
    promotion.refresh_from_db()
    assert Artifact.objects.get().service == wrong
    assert promotion.release == release
    assert any("stays with wrong" in note for note in event.notes)
