"""What people do in emergencies, to hold promotions, and after a failure, through the API."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from promotion.actions.advance import advance
from promotion.models import (
    AuditEntry,
    BreakGlass,
    Freeze,
    GateException,
    Hold,
    Lock,
    Promotion,
    Release,
    Role,
)
from promotion.rules.states import State
from tests.factories import NOW, make_deployment, make_person, make_promotion, make_release

pytestmark = pytest.mark.django_db
V1 = "/api/v1"
LATER = (NOW + timedelta(hours=4)).isoformat()


@pytest.fixture
def manager(lane, call_as):
    return call_as("read", "promote", "approve", "hold", "except", user=lane.manager)


@pytest.fixture
def other(call_as):
    """Another release manager."""
    person = make_person("carla", Role.RELEASE_MANAGER)
    return call_as("read", "promote", "approve", "hold", "except", user=person)


@pytest.fixture
def breaker(lane, call_as):
    lane.asker.user_permissions.add(
        Permission.objects.get(codename="break_glass"),
        Permission.objects.get(codename="grant_exception"),
    )
    return call_as("read", "except", user=lane.asker)


def post(client, path, body=None):
    return client.post(f"{V1}{path}", body or {}, format="json")


def test_an_approval_is_withdrawn(asked, manager, lane):
    advance(asked["id"], at=NOW)
    Promotion.objects.update(not_before=NOW + timedelta(days=1))
    body = {"content_hash": asked["content_hash"]}
    assert post(manager, f"/promotions/{asked['id']}/withdraw", body).status_code in (403, 409)
    assert post(manager, f"/promotions/{asked['id']}/approve", body).status_code == 200
    answer = post(manager, f"/promotions/{asked['id']}/withdraw", body)
    assert [one["decision"] for one in answer.json()["approvals"]] == ["approve", "withdraw"]
    assert answer.json()["approvals"][1]["by_token"]
    stale = post(manager, f"/promotions/{asked['id']}/withdraw", {"content_hash": "sha256:0"})
    assert stale.status_code == 409


def test_every_act_through_a_token_names_it_on_the_record(asked, manager, lane):
    body = {"environment": "production", "reason": "Moving house"}
    assert post(manager, "/locks", body).status_code == 201
    entry = AuditEntry.objects.get(action="lock.make")
    token = lane.manager.tokens.get()
    assert entry.details["token"] == {"id": token.pk, "name": "test", "prefix": token.prefix}
    assert '"token"' in entry.payload
    ask = AuditEntry.objects.get(action="promotion.ask")
    assert ask.details["token"]["prefix"] == lane.asker.tokens.get().prefix


def test_a_token_is_forgotten_with_its_request(asked, manager, lane, client):
    assert post(manager, "/locks", {"environment": "dev", "reason": "x"}).status_code == 201
    client.force_login(lane.manager)
    answer = client.post(f"/promotions/{asked['id']}/cancel/", {"reason": "By hand"})
    assert answer.status_code == 302
    assert "token" not in AuditEntry.objects.get(action="promotion.cancel").details


def test_the_glass_is_broken_and_reviewed_by_somebody_else(asked, breaker, manager, lane):
    advance(asked["id"], at=NOW)
    path = f"/promotions/{asked['id']}/break-glass"
    body = {
        "content_hash": asked["content_hash"],
        "reason": "Nothing is shipped",
        "incident_url": "https://incidents.example/77",
    }
    assert post(manager, path, body).status_code == 403
    for wrong in ({"reason": ""}, {"incident_url": "INC-7"}, {"incident_url": ""}):
        assert post(breaker, path, {**body, **wrong}).status_code == 400
    assert post(breaker, path, {**body, "content_hash": "sha256:0"}).status_code == 409
    made = post(breaker, path, body)
    assert made.status_code == 201
    assert made.json()["promotion"] == asked["number"]
    assert post(breaker, path, body).status_code == 409
    assert BreakGlass.objects.count() == 1
    advance(asked["id"], at=NOW)
    told = breaker.get(f"{V1}/promotions/{asked['id']}").json()
    assert told["glass_broken_at"] is not None
    assert told["state"] == "succeeded"
    gates = breaker.get(f"{V1}/promotions/{asked['id']}/explain").json()["gates"]
    passed_by = {one["gate"]: one["passed_by"] for one in gates}
    assert (passed_by["approval"], passed_by["order"]) == (made.json()["number"], "")
    owed = breaker.get(f"{V1}/break-glasses", {"is_reviewed": "false"}).json()["results"]
    assert [one["passed"][0]["gate"] for one in owed] == ["approval"]
    review = f"/break-glasses/{made.json()['id']}/review"
    said = {"outcome": "justified", "words": "It was right."}
    assert post(breaker, review, said).status_code == 403
    assert post(manager, review, {**said, "words": ""}).status_code == 400
    assert post(manager, review, said).json()["reviewed_by"]["username"] == "ines"
    assert post(manager, review, said).status_code == 409


def test_exceptions_are_granted_listed_and_revoked(asked, breaker, manager, lane):
    body = {
        "service": "shipment-api",
        "release": "4.18.0",
        "environment": "production",
        "gate": "window",
        "reason": "Customers wait",
        "owner": "ines",
        "ends_at": LATER,
    }
    assert post(manager, "/exceptions", body).status_code == 403
    assert post(breaker, "/exceptions", {**body, "owner": "nobody"}).json()["key"] == "owner"
    assert post(breaker, "/exceptions", {**body, "gate": "checksum"}).json()["key"] == "gate"
    made = post(breaker, "/exceptions", body)
    assert made.status_code == 201
    assert made.json()["number"] == f"EX-{made.json()['id']}"
    assert post(breaker, "/exceptions", body).status_code == 409
    assert GateException.objects.count() == 1
    listed = breaker.get(f"{V1}/exceptions", {"service": "shipment-api"}).json()["results"]
    assert [one["gate"] for one in listed] == ["window"]
    path = f"/exceptions/{made.json()['id']}/revoke"
    assert post(manager, path, {"reason": "Over"}).json()["revoked_at"] is not None
    assert post(manager, path).status_code == 409


def test_a_manager_approves_past_soak(lane, manager):
    body = {
        "service": "shipment-api",
        "release": lane.release.pk,
        "environment": "production",
        "gate": "order",
        "reason": "Known good",
        "owner": "ines",
        "ends_at": LATER,
    }
    assert post(manager, "/exceptions", body).status_code == 201


def test_freezes_locks_holds_and_vetoes_are_made_and_ended(lane, manager, asked):
    frozen = post(manager, "/freezes", {"service": "shipment-api", "reason": "Audit"})
    assert (frozen.status_code, frozen.json()["service"]) == (201, "shipment-api")
    locked = post(
        manager, "/locks", {"environment": "production", "reason": "Move", "ends_at": LATER}
    )
    assert locked.status_code == 201
    assert post(manager, "/locks", {"environment": "production", "reason": "x"}).status_code == 409
    hold = Hold.objects.create(
        service=lane.service,
        environment=lane.production,
        made_by_id=asked["id"],
        made_at=NOW,
    )
    for noun, key, verb in (
        ("freezes", frozen.json()["id"], "lift"),
        ("locks", locked.json()["id"], "release"),
        ("holds", hold.pk, "lift"),
    ):
        in_force = f"{V1}/{noun}"
        assert len(manager.get(in_force, {"in_force": "true"}).json()["results"]) == 1
        assert post(manager, f"/{noun}/{key}/{verb}").status_code == 200
        assert post(manager, f"/{noun}/{key}/{verb}").status_code == 409
        assert manager.get(in_force, {"in_force": "true"}).json()["results"] == []
        assert len(manager.get(in_force, {"in_force": "false"}).json()["results"]) == 1
    path = f"/releases/{lane.release.pk}"
    assert post(manager, f"{path}/veto").status_code == 400
    assert post(manager, f"{path}/veto", {"reason": "Loses data"}).status_code == 200
    assert post(manager, f"{path}/veto", {"reason": "Loses data"}).status_code == 409
    assert Release.objects.get().is_vetoed
    assert post(manager, f"{path}/unveto", {"reason": "Test data"}).status_code == 200
    assert post(manager, f"{path}/unveto", {"reason": "Test data"}).status_code == 409
    assert not Release.objects.get().is_vetoed


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"service": "moon"}, "service"),
        ({"team": "moon"}, "team"),
        ({"environment": "moon"}, "environment"),
        ({"incident": 7}, "incident"),
        ({"service": "shipment-api", "environment": "dev"}, "scope"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
    ],
)
def test_a_freeze_that_cannot_be_made_says_why(lane, manager, body, key):
    answer = post(manager, "/freezes", {"reason": "Audit", **body})
    assert (answer.status_code, answer.json()["key"]) == (400, key)
    assert not Freeze.objects.exists()


def run(lane, release):
    return make_promotion(release, lane.production, state=State.RUNNING, started_at=NOW)


def test_a_running_one_is_stopped_and_says_what_follows(lane, manager, call_as):
    old = make_release(lane.service, "4.17.0", at=NOW - timedelta(days=2))
    make_deployment(old, lane.production, at=NOW - timedelta(days=1))
    promotion = run(lane, lane.release)
    path = f"/promotions/{promotion.pk}/stop"
    asker = call_as("promote", user=lane.asker)
    assert post(asker, path, {"then": "leave"}).status_code == 403
    assert post(manager, path).status_code == 400
    told = post(manager, path, {"then": "roll back", "reason": "Errors rise"}).json()
    assert told["stop_requested_at"] is not None
    assert told["stop_then"] == "roll back"
    assert post(manager, path, {"then": "roll back"}).status_code == 200
    assert AuditEntry.objects.filter(action="promotion.stop").count() == 1


def test_a_failed_one_is_rolled_back_and_its_cause_told(lane, manager, call_as):
    old = make_release(lane.service, "4.17.0", at=NOW - timedelta(days=2))
    make_deployment(old, lane.production, at=NOW - timedelta(days=1))
    failed = make_promotion(
        lane.release, lane.production, state=State.FAILED, ended_at=NOW - timedelta(hours=1)
    )
    asker = call_as("promote", user=lane.asker)
    assert post(asker, f"/promotions/{failed.pk}/rollback").status_code == 403
    back = post(manager, f"/promotions/{failed.pk}/rollback", {"reason": "Errors"})
    assert (back.status_code, back.json()["kind"]) == (201, "rollback")
    assert post(manager, f"/promotions/{failed.pk}/rollback").status_code == 200
    body = {
        "cause": "data",
        "words": "Locked a table",
        "action": "Try it on a copy",
        "owner": "ines",
        "due": NOW.date().isoformat(),
    }
    path = f"/promotions/{failed.pk}"
    stranger = call_as("promote", user=make_person("vera", Role.VIEWER))
    assert post(stranger, f"{path}/cause", body).status_code == 403
    assert post(asker, f"{path}/cause", {**body, "owner": "nobody"}).json()["key"] == "owner"
    assert post(asker, f"{path}/action", {"state": "done"}).status_code == 409
    told = post(asker, f"{path}/cause", body).json()
    assert (told["cause"], told["action_owner"]["username"]) == ("data", "ines")
    assert post(asker, f"{path}/cause", body).status_code == 200
    assert AuditEntry.objects.filter(action="promotion.cause").count() == 1
    assert post(asker, f"{path}/action", {"state": "done"}).json()["action_done_at"] is not None
    assert post(asker, f"{path}/action", {"state": "done"}).status_code == 409


ACTS = {
    "hold": [
        "/freezes",
        "/freezes/1/lift",
        "/locks",
        "/locks/1/release",
        "/holds/1/lift",
        "/releases/1/veto",
        "/releases/1/unveto",
    ],
    "except": [
        "/exceptions",
        "/exceptions/1/revoke",
        "/promotions/1/break-glass",
        "/break-glasses/1/review",
    ],
    "promote": [
        "/promotions/1/rollback",
        "/promotions/1/stop",
        "/promotions/1/cause",
        "/promotions/1/action",
    ],
    "approve": ["/promotions/1/withdraw"],
}


@pytest.mark.parametrize(
    ("scope", "path"), [(scope, path) for scope, paths in ACTS.items() for path in paths]
)
def test_each_takes_its_own_scope_and_a_person(lane, call_as, scope, path):
    others = [one for one in ("read", "events", *ACTS) if one != scope]
    refused = post(call_as(*others, user=lane.manager), path)
    assert refused.status_code == 403
    assert f"'{scope}'" in refused.json()["detail"]
    nobody = post(call_as(scope), path)
    assert nobody.status_code == 403
    assert "belongs to nobody" in nobody.json()["detail"]
    assert not (Freeze.objects.exists() or Lock.objects.exists())


@pytest.mark.parametrize(
    "path", [path for paths in ACTS.values() for path in paths if "/1/" in path]
)
def test_what_is_not_there_is_not_found(lane, manager, path):
    assert post(manager, path.replace("/1/", "/9999/")).status_code == 404


@pytest.mark.parametrize("noun", ["freezes", "locks", "holds", "exceptions", "break-glasses"])
def test_lists_cost_the_same_however_long(lane, reader, noun, asked, django_assert_max_num_queries):
    for number in range(6):
        promotion = make_promotion(
            make_release(lane.service, f"5.{number}.0"), lane.production, state=State.FAILED
        )
        {
            "freezes": lambda: Freeze.objects.create(
                reason="x", starts_at=NOW, created_by=lane.manager, service=lane.service
            ),
            "locks": lambda: Lock.objects.create(
                environment=lane.dev, reason="x", created_by=lane.manager, created_at=NOW
            ),
            "holds": lambda promotion=promotion: Hold.objects.create(
                service=lane.service, environment=lane.dev, made_by=promotion, made_at=NOW, ended_at=NOW
            ),
            "exceptions": lambda promotion=promotion: GateException.objects.create(
                release=promotion.release, environment=lane.dev, gate="tests", reason="x",
                owner=lane.manager, granted_by=lane.manager, granted_at=NOW, ends_at=NOW,
            ),
            "break-glasses": lambda promotion=promotion: BreakGlass.objects.create(
                promotion=promotion, content_hash="x", reason="x", incident_url="https://x.example",
                broken_by=lane.manager, broken_at=NOW, review_due_at=NOW,
            ),
        }[noun]()  # fmt: skip
    with django_assert_max_num_queries(6):
        assert len(reader.get(f"{V1}/{noun}").json()["results"]) == 6
