"""Asking, deciding and explaining through the API."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from rest_framework.test import APIClient

from promotion.actions.advance import advance
from promotion.actions.veto import veto_release
from promotion.models import Approval, AuditEntry, Promotion
from promotion.rules.states import State
from tests.factories import (
    NOW,
    make_artifact,
    make_deployment,
    make_person,
    make_pipeline,
    make_promotion,
    make_release,
    make_release_manager,
    make_token,
)

pytestmark = pytest.mark.django_db
URL = "/api/v1/promotions"
BODY = {"service": "shipment-api", "release": "4.18.0", "environment": "production"}


@pytest.fixture
def asker(lane, call_as):
    return call_as("read", "promote", user=lane.asker)


@pytest.fixture
def manager(lane, call_as):
    return call_as("read", "approve", user=lane.manager)


def post(client, path, body=None):
    return client.post(f"{URL}{path}", body or {}, format="json")


def test_a_request_makes_a_promotion_and_wakes_the_engine(
    lane, asker, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as hints:
        answer = post(asker, "", {**BODY, "fields": {"reason": "Customers wait"}})
    promotion = Promotion.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == f"{URL}/{promotion.pk}"
    told = answer.json()
    assert told["number"] == f"P-{promotion.pk}"
    assert told["state"] == "waiting"
    assert told["release"]["digests"] == [lane.digest]
    assert told["requested_by"] == {"username": "tomasz", "name": "Tomasz"}
    assert told["fields_given"] == {"reason": "Customers wait"}
    assert told["content_hash"] == promotion.content_hash
    assert len(hints) == 1


def test_a_hotfix_is_asked_for_as_one_and_a_rollback_has_its_own_way(lane, asker):
    assert post(asker, "", {**BODY, "kind": "rollback"}).status_code == 400
    told = post(asker, "", {**BODY, "kind": "hotfix"}).json()
    assert told["kind"] == "hotfix"
    assert Promotion.objects.get().content["kind"] == "hotfix"


def test_asking_again_gives_the_open_one(asker):
    first = post(asker, "", BODY)
    second = post(asker, "", BODY)
    assert second.status_code == 200
    assert second.json()["id"] == first.json()["id"]


def test_a_release_is_named_by_version_id_or_digest(lane, asker):
    answers = [
        post(asker, "", {**BODY, "release": said})
        for said in (str(lane.release.pk), lane.release.pk)
    ]
    answers.append(
        post(
            asker,
            "",
            {"service": "shipment-api", "environment": "production", "digest": lane.digest},
        )
    )
    assert {answer.json()["release"]["id"] for answer in answers} == {lane.release.pk}


def test_a_version_with_two_digests_is_refused_with_both_until_one_is_named(lane, asker):
    other = make_release(
        lane.service, artifacts=[make_artifact(lane.service, digest="sha256:" + "b" * 64)]
    )
    refused = post(asker, "", BODY)
    assert refused.status_code == 409
    assert lane.digest in refused.json()["detail"]
    assert {one["id"] for one in refused.json()["candidates"]} == {lane.release.pk, other.pk}
    assert not Promotion.objects.exists()
    chosen = post(asker, "", {**BODY, "digest": other.digests[0]})
    assert chosen.json()["release"]["id"] == other.pk


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"service": "unknown"}, "service"),
        ({"release": "9.9.9"}, "release"),
        ({"release": 10**30}, "release"),
        ({"environment": "moon"}, "environment"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(asker, change, key):
    answer = post(asker, "", {**BODY, **change})
    assert answer.status_code == 400
    assert answer.json()["key"] == key
    assert not Promotion.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        None,
        {**BODY, "release": None},
        {**BODY, "release": True},
        {"service": "shipment-api", "environment": "production"},
        {**BODY, "release": "4.18\x00"},
        {**BODY, "fields": {"reason\x00": "x"}},
        {**BODY, "fields": []},
        {**BODY, "not_before": "tomorrow"},
        {**BODY, "not_before": "2026-12-01T08:00:00"},
    ],
)
def test_a_body_that_cannot_be_used_is_refused(asker, body):
    answer = asker.post(URL, body, format="json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not Promotion.objects.exists()


def test_half_a_character_is_refused(asker):
    body = json.dumps({**BODY, "fields": {"reason": "\ud800"}})
    answer = asker.generic("POST", URL, body, content_type="application/json")
    assert answer.status_code == 400
    assert not Promotion.objects.exists()


def test_json_without_end_and_other_formats_are_refused(asker):
    deep = asker.generic("POST", URL, "[" * 200_000, content_type="application/json")
    assert deep.status_code == 400
    form = asker.generic("POST", URL, "a=b", content_type="application/x-www-form-urlencoded")
    assert form.status_code == 415
    assert form["Content-Type"] == "application/problem+json"


def test_a_body_over_the_limit_is_refused(asker, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 50
    answer = post(asker, "", BODY)
    assert answer.status_code == 413
    assert not Promotion.objects.exists()


def test_a_promotion_waits_for_the_time_asked_for(asker):
    told = post(asker, "", {**BODY, "not_before": "2026-12-01T09:00:00+01:00"}).json()
    assert told["not_before"] == "2026-12-01T08:00:00Z"


def test_who_has_no_role_may_not_ask(lane, call_as):
    answer = post(call_as("promote", user=make_person("guest")), "", BODY)
    assert answer.status_code == 403
    assert not Promotion.objects.exists()


def test_a_vetoed_release_is_not_asked_for(lane, asker):
    veto_release(lane.release.pk, person=lane.manager, reason="Loses parcels.", at=NOW)
    answer = post(asker, "", BODY)
    assert answer.status_code == 403
    assert "Loses parcels." in answer.json()["detail"]


def test_a_token_of_nobody_asks_and_decides_nothing(lane, asked, call_as):
    machine = call_as("read", "promote", "approve")
    number = asked["id"]
    said = {"content_hash": asked["content_hash"], "comment": "No."}
    answers = [
        post(machine, "", BODY),
        post(machine, f"/{number}/approve", said),
        post(machine, f"/{number}/reject", said),
        post(machine, f"/{number}/cancel"),
        post(machine, f"/{number}/retry"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert not Approval.objects.exists()


def test_a_second_persons_token_approves_and_the_promotion_goes_on(asked, manager):
    answer = post(manager, f"/{asked['number']}/approve", {"content_hash": asked["content_hash"]})
    assert answer.status_code == 200
    decision = answer.json()["approvals"][0]
    assert decision["person"]["username"] == "ines"
    assert decision["by_token"] is True
    advance(asked["id"], at=NOW)
    assert Promotion.objects.get().state == State.SUCCEEDED
    entry = AuditEntry.objects.get(action="promotion.approve")
    assert entry.actor_name == "Ines"


def test_who_asked_does_not_approve(lane, call_as):
    both = call_as("promote", "approve", user=make_release_manager("luca"))
    asked = post(both, "", BODY).json()
    answer = post(both, f"/{asked['id']}/approve", {"content_hash": asked["content_hash"]})
    assert answer.status_code == 403
    assert not Approval.objects.exists()


def test_an_approval_needs_its_scope_whatever_the_persons_roles(lane, asked, call_as):
    client = call_as("read", "promote", "events", user=lane.manager)
    answer = post(client, f"/{asked['id']}/approve", {"content_hash": asked["content_hash"]})
    assert answer.status_code == 403
    assert "'approve'" in answer.json()["detail"]
    assert not Approval.objects.exists()


def test_an_approval_of_other_content_is_a_conflict(asked, manager):
    answer = post(manager, f"/{asked['id']}/approve", {"content_hash": "sha256:" + "0" * 64})
    assert answer.status_code == 409
    assert not Approval.objects.exists()


def test_an_approval_of_what_changed_meanwhile_is_a_conflict(lane, asked, manager):
    make_pipeline(lane.service)
    answer = post(manager, f"/{asked['id']}/approve", {"content_hash": asked["content_hash"]})
    assert answer.status_code == 409
    assert not Approval.objects.exists()


def test_an_approval_must_name_the_content(asked, manager):
    answer = post(manager, f"/{asked['id']}/approve")
    assert answer.status_code == 400
    assert "content_hash" in answer.json()["errors"]


def test_a_rejection_needs_a_comment_and_ends_the_promotion(asked, manager):
    said = {"content_hash": asked["content_hash"]}
    bare = post(manager, f"/{asked['id']}/reject", said)
    assert bare.status_code == 400
    assert bare.json()["key"] == "comment"
    answer = post(manager, f"/{asked['id']}/reject", {**said, "comment": "Not on a Friday."})
    assert answer.json()["state"] == "rejected"
    again = post(manager, f"/{asked['id']}/approve", said)
    assert again.status_code == 409


def test_who_asked_cancels_and_tries_again(asked, asker):
    cancelled = post(asker, f"/{asked['id']}/cancel", {"reason": "Wrong one"})
    assert cancelled.json()["state"] == "cancelled"
    assert cancelled.json()["reason"] == "Wrong one"
    assert post(asker, f"/{asked['id']}/cancel").status_code == 409
    retried = post(asker, f"/{asked['id']}/retry")
    assert retried.status_code == 201
    assert retried.json()["retry_of"] == asked["id"]
    assert retried.json()["attempt"] == 2


def test_what_succeeded_is_not_tried_again(lane, asker):
    done = make_promotion(lane.release, lane.dev, state=State.SUCCEEDED)
    assert post(asker, f"/{done.pk}/retry").status_code == 409


@pytest.mark.parametrize("act", ["approve", "reject", "cancel", "retry"])
def test_nothing_is_changed_by_get(asked, asker, act):
    answer = asker.get(f"{URL}/{asked['id']}/{act}")
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"
    assert Promotion.objects.get().state == State.WAITING


@pytest.mark.parametrize("act", ["approve", "reject", "cancel", "retry"])
def test_an_unknown_promotion_is_not_found(lane, call_as, act):
    client = call_as("promote", "approve", user=lane.manager)
    said = {"content_hash": "sha256:0", "comment": "x"}
    assert post(client, f"/999999999999999999/{act}", said).status_code == 404


def test_a_signed_in_person_acts_only_with_the_forms_token(lane):
    client = Client(enforce_csrf_checks=True)
    client.force_login(lane.asker)
    refused = client.post(URL, BODY, content_type="application/json")
    assert refused.status_code == 403
    assert not Promotion.objects.exists()
    client.get("/sign-in/")
    client.cookies["csrftoken"] = "a" * 32
    answer = client.post(
        URL, BODY, content_type="application/json", headers={"X-CSRFToken": "a" * 32}
    )
    assert answer.status_code == 201


def test_a_decision_in_a_session_is_not_one_by_token(lane, asked):
    client = APIClient()
    client.force_login(lane.manager)
    answer = post(client, f"/{asked['id']}/approve", {"content_hash": asked["content_hash"]})
    assert answer.json()["approvals"][0]["by_token"] is False


def test_one_promotion_tells_its_moves(asked, asker):
    told = asker.get(f"{URL}/{asked['number'].lower()}").json()
    assert [(move["from_state"], move["to_state"]) for move in told["transitions"]] == [
        ("pending", "waiting")
    ]


def test_the_explanation_names_what_is_missing_and_who_can_give_it(asked, asker):
    advance(asked["id"], at=NOW)
    told = asker.get(f"{URL}/{asked['id']}/explain").json()
    assert told["state"] == "waiting"
    assert told["can_go"] is False
    assert told["earliest"] is None
    gates = {gate["gate"]: gate for gate in told["gates"]}
    assert gates["order"]["verdict"] == "open"
    assert gates["approval"]["verdict"] == "waiting"
    rule = told["approval"]["rules"][0]
    assert (rule["needed"], rule["given"], rule["is_met"]) == (1, 0, False)
    assert rule["can_still_act"] == [{"username": "ines", "name": "Ines"}]
    assert told["unblocking"] == ["Approval: Waits for 1 from release managers: Ines."]


def test_the_explanation_follows_the_approval(asked, asker, manager):
    post(manager, f"/{asked['id']}/approve", {"content_hash": asked["content_hash"]})
    told = asker.get(f"{URL}/{asked['id']}/explain").json()
    assert told["approval"]["is_met"] is True
    assert told["approval"]["rules"][0]["counted"] == [{"username": "ines", "name": "Ines"}]
    advance(asked["id"], at=NOW)
    ended = asker.get(f"{URL}/{asked['id']}/explain").json()
    assert ended["state"] == "succeeded"
    assert ended["approval"] is None
    assert ended["decisions"][0]["decision"] == "approve"
    assert ended["unblocking"] == []


def test_before_the_gates_were_asked_the_explanation_says_so(asked, asker):
    told = asker.get(f"{URL}/{asked['id']}/explain").json()
    assert told["can_go"] is False
    assert told["gates"] == []
    assert told["unblocking"] == ["Its gates have not been asked yet; that happens within seconds."]


def test_the_explanation_says_when_a_soaking_release_can_go(lane, call_as):
    make_pipeline(
        lane.service,
        "service: {service}\nstages:\n"
        "  - {{name: dev, environment: dev}}\n"
        "  - {{name: staging, environment: staging, after: [dev], gates: [{{soak: {{for: 6h}}}}]}}\n",
    )
    client = call_as("read", "promote", user=lane.asker)
    asked = post(client, "", {**BODY, "environment": "staging"}).json()
    advance(asked["id"], at=NOW)
    told = client.get(f"{URL}/{asked['id']}/explain").json()
    assert told["earliest"] == "2026-11-23T18:20:00Z"
    assert "It opens by itself at" in told["unblocking"][0]


def test_the_explanation_names_those_ahead_in_the_queue(lane, asker):
    make_pipeline(
        lane.service,
        "service: {service}\nstages:\n  - {{name: dev, environment: dev, queue: fifo}}\n",
    )
    first = make_promotion(lane.release, lane.dev, at=NOW - timedelta(hours=1))
    second = make_promotion(make_release(lane.service, "4.19.0"), lane.dev)
    told = asker.get(f"{URL}/{second.pk}/explain").json()
    assert told["waits_behind"] == [first.number]
    assert f"It waits behind {first.number}; that has to end first." in told["unblocking"]


def test_a_failed_promotion_says_that_it_may_be_tried_again(lane, asker):
    failed = make_promotion(lane.release, lane.dev, state=State.FAILED, reason="The check said no.")
    told = asker.get(f"{URL}/{failed.pk}/explain").json()
    assert told["reason"] == "The check said no."
    assert "tried again" in told["unblocking"][0]


def test_explaining_reads_a_fixed_number_of_queries(
    lane, asked, asker, manager, django_assert_max_num_queries
):
    post(manager, f"/{asked['id']}/approve", {"content_hash": asked["content_hash"]})
    advance_free = asker.get(f"{URL}/{asked['id']}/explain")
    assert advance_free.status_code == 200
    for number in range(5):
        make_release_manager(f"manager{number}")
    make_deployment(lane.release, lane.staging)
    with django_assert_max_num_queries(25):
        asker.get(f"{URL}/{asked['id']}/explain")


def test_an_expired_token_does_nothing(lane):
    _, text = make_token("promote", user=lane.asker, expires_at=NOW)
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {text}")
    assert post(client, "", BODY).status_code == 401
