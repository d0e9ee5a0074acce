"""What senders say that no sample payload shows."""

import json
from typing import Any

import pytest

from promotion.sources.argocd import TEMPLATE
from promotion.sources.base import Delivery, Fact
from promotion.sources.flux import read_revision
from promotion.sources.known import SOURCES, guess_kind

SHA = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"
OTHER = "15d8a7f03cb0d6a3a9ad6f45a9e33dd0a42cd4f8"
DIGEST = "sha256:" + "a" * 64
REPOSITORY = {"repository": {"full_name": "acme/shop", "pushed_at": 1_772_000_000}}


def facts(source: str, body: Any, **headers: str) -> list[Fact]:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return list(SOURCES[source].normalise(Delivery(json.dumps(body).encode(), named)).facts)


def said(fact: Fact, *names: str) -> dict[str, Any]:
    return {name: value for name, value in fact.as_json().items() if name in names}


def test_a_pushed_annotated_tag_names_the_commit_not_the_tag_object() -> None:
    body = {"ref": "refs/tags/v1", "after": OTHER, "head_commit": {"id": SHA}} | REPOSITORY
    (fact,) = facts("github", body, X_GitHub_Event="push")
    assert said(fact, "commit", "version", "repository") == {
        "repository": "acme/shop",
        "commit": SHA,
        "version": "v1",
    }


def test_the_commits_of_a_push_are_kept_for_later() -> None:
    author = {"name": "Ana", "email": "ana@example.com"}
    commits = [{"id": SHA, "message": "Fix", "timestamp": "2026-01-01T00:00:00Z", "author": author}]
    body = {
        "ref": "refs/heads/main",
        "before": OTHER,
        "after": SHA,
        "commits": commits,
    } | REPOSITORY
    (fact,) = facts("github", body, X_GitHub_Event="push")
    assert fact.details == {
        "ref": "refs/heads/main",
        "before": OTHER,
        "commits": [
            {
                "sha": SHA,
                "author_name": "Ana",
                "author_email": "ana@example.com",
                "message": "Fix",
                "at": "2026-01-01T00:00:00Z",
            }
        ],
    }


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_a_reviewed_deployment_is_an_approval(decision: str) -> None:
    body = {
        "action": decision,
        "environment": "TST",
        "approver": {"login": "ana"},
        "since": "2023-07-04T09:28:15Z",
        "workflow_run": {"id": 7, "head_sha": SHA},
        "workflow_job_runs": [{"environment": "TST"}],
    } | REPOSITORY
    (fact,) = facts("github", body, X_GitHub_Event="deployment_review")
    assert said(fact, "kind", "result", "environment", "actor", "external_id") == {
        "kind": "approval",
        "environment": "TST",
        "result": decision,
        "external_id": "7",
        "actor": "ana",
    }


@pytest.mark.parametrize(
    ("state", "result"),
    [
        ("in_progress", "started"),
        ("pending", "queued"),
        ("waiting", "queued"),
        ("failure", "failed"),
    ],
)
def test_each_state_of_a_deployment_has_its_times(state: str, result: str) -> None:
    status = {"state": state, "created_at": "2026-01-01T00:00:00Z", "environment": "qa "}
    body = {"deployment_status": status, "deployment": {"id": 1, "environment": "QA", "sha": SHA}}
    (fact,) = facts("github", body, X_GitHub_Event="deployment_status")
    assert fact.result == result
    assert fact.environment == "qa "
    assert (fact.started_at is not None) is (result == "started")
    assert (fact.finished_at is not None) is (result == "failed")


def test_the_payload_of_a_deployment_may_name_the_digest() -> None:
    for payload in ({"digest": DIGEST}, json.dumps({"digest": DIGEST})):
        body = {"deployment": {"id": 1, "payload": payload}}
        assert facts("github", body, X_GitHub_Event="deployment")[0].digest == DIGEST


def test_a_release_of_a_branch_that_looks_like_a_short_sha_has_no_commit() -> None:
    for target, commit in (("deadbeef", None), (SHA, SHA)):
        body = {"action": "published", "release": {"tag_name": "v1", "target_commitish": target}}
        assert facts("github", body, X_GitHub_Event="release")[0].commit == commit


def test_a_created_tag_is_a_change_for_gitea_only() -> None:
    body = {"ref_type": "tag", "ref": "v1", "sha": SHA} | REPOSITORY
    (fact,) = facts("gitea", body, X_Gitea_Event="create")
    assert said(fact, "commit", "version") == {"commit": SHA, "version": "v1"}
    assert facts("github", body, X_GitHub_Event="create") == []


def test_gitlab_tells_of_a_removed_branch_by_a_null_checkout() -> None:
    push = {"object_kind": "push", "ref": "refs/heads/x", "after": SHA, "checkout_sha": SHA}
    assert len(facts("gitlab", push)) == 1
    assert facts("gitlab", push | {"checkout_sha": None}) == []
    assert facts("gitlab", push | {"after": "0" * 40}) == []


def test_every_ref_of_a_push_is_a_change_of_its_own() -> None:
    changes = [
        {"new": {"type": "tag", "name": "v1", "target": {"hash": SHA}}},
        {"new": {"type": "branch", "name": "main", "target": {"hash": OTHER}}},
        {"new": None, "closed": True},
    ]
    found = facts("bitbucket", {"push": {"changes": changes}}, X_Event_Key="repo:push")
    assert [(one.commit, one.version) for one in found] == [(SHA, "v1"), (OTHER, None)]


@pytest.mark.parametrize(
    ("resource", "result"),
    [
        ({"status": "completed", "result": "partiallySucceeded"}, "failed"),
        ({"status": "completed", "result": "canceled"}, "cancelled"),
        ({"status": "succeeded"}, "succeeded"),
        ({"status": "completed"}, None),
    ],
)
def test_azure_builds_say_their_outcome_in_two_ways(
    resource: dict[str, Any], result: str | None
) -> None:
    body = {"eventType": "build.complete", "resource": {"id": 2} | resource}
    assert facts("azuredevops", body)[0].result == result


def test_a_release_stage_of_azure_is_a_deployment() -> None:
    artifact = {"isPrimary": True, "definitionReference": {"version": {"id": SHA}}}
    resource = {
        "environment": {"name": "Prod EU", "status": "rejected"},
        "deployment": {"id": 12, "startedOn": "2026-01-01T00:00:00Z"},
        "release": {"id": 3, "name": "Release-3", "artifacts": [artifact]},
    }
    event = "ms.vss-release.deployment-completed-event"
    body = {"eventType": event, "createdDate": "2026-01-01T00:10:00Z", "resource": resource}
    (fact,) = facts("azuredevops", body)
    assert said(
        fact, "environment", "result", "external_id", "commit", "finished_at", "run_id"
    ) == {
        "environment": "Prod EU",
        "commit": SHA,
        "result": "failed",
        "finished_at": "2026-01-01T00:10:00Z",
        "external_id": "12",
        "run_id": "3",
    }


def test_a_harbor_push_of_two_resources_is_two_artifacts() -> None:
    resources = [{"digest": DIGEST, "tag": "v1"}, {"digest": DIGEST, "tag": "v2"}]
    data = {"resources": resources, "repository": {"namespace": "acme", "name": "shop"}}
    found = facts("harbor", {"type": "PUSH_ARTIFACT", "event_data": data})
    assert [(one.name, one.version) for one in found] == [("acme/shop", "v1"), ("acme/shop", "v2")]


def test_aliyun_sends_as_docker_hub_does_but_with_a_digest() -> None:
    body = {
        "push_data": {"digest": DIGEST, "tag": "v1", "pushed_at": "2026-01-01 12:00:00"},
        "repository": {"repo_full_name": "acme/shop"},
    }
    (fact,) = facts("dockerhub", body)
    assert (fact.name, fact.digest, fact.as_json()["occurred_at"]) == (
        "acme/shop",
        DIGEST,
        "2026-01-01T12:00:00Z",
    )


def test_amazon_messages_come_bare_in_sns_and_in_records() -> None:
    detail = {"action-type": "PUSH", "result": "SUCCESS", "repository-name": "shop"}
    event = {"detail-type": "ECR Image Action", "detail": detail | {"image-digest": DIGEST}}
    message = {"Type": "Notification", "Message": json.dumps(event)}
    for body in (
        event,
        message,
        {"Records": [{"Sns": message}]},
        {"Records": [{"body": json.dumps(event)}]},
    ):
        assert [one.digest for one in facts("aws", body)] == [DIGEST]


def test_a_scan_by_amazon_gives_findings_but_no_verdict() -> None:
    detail = {
        "scan-status": "COMPLETE",
        "image-digest": DIGEST,
        "image-tags": ["v1"],
        "finding-severity-counts": {"HIGH": 2},
    }
    (fact,) = facts("aws", {"detail-type": "ECR Image Scan", "detail": detail})
    assert said(fact, "name", "result", "details") == {
        "name": "scan",
        "details": {"findings": {"HIGH": 2}},
    }


@pytest.mark.parametrize(
    ("revision", "expected"),
    [
        (f"main/{SHA}", (SHA, None, None)),
        (f"main@sha1:{SHA}", (SHA, None, None)),
        (f"refs/tags/v1@sha1:{SHA}", (SHA, "v1", None)),
        (f"v1@{DIGEST}", (None, "v1", DIGEST)),
        (SHA, (SHA, None, None)),
        ("6.2.3", (None, "6.2.3", None)),
        (None, (None, None, None)),
    ],
)
def test_a_flux_revision_is_taken_apart(revision: str | None, expected: tuple[Any, ...]) -> None:
    assert tuple(read_revision(revision)) == expected


def test_two_alerts_of_one_rule_at_different_times_are_two_incidents() -> None:
    alert = {"status": "firing", "fingerprint": "f1", "startsAt": "2026-01-01T00:00:00Z"}
    later = alert | {"startsAt": "2026-01-02T00:00:00Z"}
    over = alert | {"status": "resolved", "endsAt": "2026-01-01T01:00:00Z"}
    found = facts("alertmanager", {"alerts": [alert, later, over]})
    assert found[0].external_id == found[2].external_id
    assert found[0].external_id != found[1].external_id


def test_a_closed_issue_of_new_relic_did_not_close_when_it_was_created() -> None:
    body = {"id": "1", "state": "closed", "createdAt": 1_605_133_931_151}
    assert facts("newrelic", body)[0].occurred_at is None
    assert facts("newrelic", body | {"closedAt": 1_605_133_999_000})[0].occurred_at is not None


def test_an_incident_of_devlake_is_resolved_at_its_resolution_date() -> None:
    body = {"issue_key": "I-1", "type": "INCIDENT", "created_date": "2020-01-01T12:00:00+00:00"}
    assert facts("devlake", body)[0].result == "opened"
    (fact,) = facts("devlake", body | {"resolution_date": "2020-01-02T12:00:00Z"})
    assert said(fact, "result", "occurred_at") == {
        "result": "resolved",
        "occurred_at": "2020-01-02T12:00:00Z",
    }


def test_a_deployment_of_several_repositories_has_no_single_commit() -> None:
    commits = [
        {"repoUrl": "https://h/a/b", "commitSha": SHA},
        {"repoUrl": "https://h/a/c", "commitSha": OTHER},
    ]
    (fact,) = facts("devlake", {"id": "d", "result": "SUCCESS", "deploymentCommits": commits})
    assert (fact.commit, fact.repository) == (None, None)


def test_a_cancelled_pipeline_run_of_tekton_did_not_fail() -> None:
    condition = {"type": "Succeeded", "status": "False", "reason": "Cancelled"}
    run = {"metadata": {"uid": "u1"}, "status": {"conditions": [condition]}}
    event = "dev.tekton.event.pipelinerun.failed.v1"
    structured = {"specversion": "1.0", "type": event, "data": {"pipelineRun": run}}
    for found in (
        facts("tekton", {"pipelineRun": run}, Ce_Type=event),
        facts("tekton", structured),
    ):
        assert [one.result for one in found] == ["cancelled"]


def test_a_locked_deploy_of_netlify_is_no_deployment() -> None:
    body = {"id": "1", "state": "ready", "context": "production"}
    assert facts("netlify", body, X_Netlify_Event="deploy_locked") == []
    assert (
        facts("netlify", body | {"state": "error"}, X_Netlify_Event="deploy_failed")[0].result
        == "failed"
    )


def test_the_template_for_argo_cd_names_the_fields_that_are_read() -> None:
    body = {
        "application": "shop",
        "environment": "production",
        "revision": SHA,
        "images": [f"ghcr.io/acme/shop:v1@{DIGEST}", "ghcr.io/acme/proxy:v9"],
        "phase": "Succeeded",
        "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T00:01:00Z",
        "automated": True,
    }
    (fact,) = facts("argocd", body)
    assert all(f'"{name}":' in TEMPLATE for name in body)
    assert said(fact, "service", "environment", "commit", "digest", "result", "mechanism") == {
        "service": "shop",
        "environment": "production",
        "commit": SHA,
        "digest": DIGEST,
        "result": "succeeded",
        "mechanism": "automated",
    }


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"X-Gitea-Event": "push", "X-GitHub-Event": "push"}, "gitea"),
        ({"X-GitHub-Event": "push"}, "github"),
        ({"Gotk-Component": "kustomize-controller"}, "flux"),
        ({"Content-Type": "application/json"}, None),
    ],
)
def test_a_sender_is_guessed_from_its_headers(headers: dict[str, str], kind: str | None) -> None:
    assert guess_kind(Delivery(b"{}", headers)) == kind


@pytest.mark.parametrize(
    ("source", "headers", "body", "identity"),
    [
        ("github", {"X-GitHub-Delivery": "d-1"}, {}, "d-1"),
        ("gitlab", {"X-Gitlab-Event-UUID": "u", "Idempotency-Key": "k"}, {}, "k"),
        ("registry", {}, {"events": [{"id": "e1"}]}, "e1"),
        ("registry", {}, {"events": [{"id": "e1"}, {"id": "e2"}]}, None),
        ("tekton", {"Ce-Id": "1", "Ce-Source": "/runs"}, {}, "/runs#1"),
        ("cdevents", {}, {"context": {"id": "1", "source": "/ci"}}, "/ci#1"),
        ("pagerduty", {}, {"event": {"id": "E"}}, "E"),
        ("jenkins", {}, {"build": {"number": 1}}, None),
        ("azuredevops", {}, [{"id": "1"}, {"id": "2"}], None),
    ],
)
def test_a_delivery_has_the_id_its_sender_gives(
    source: str, headers: dict[str, str], body: Any, identity: str | None
) -> None:
    delivery = Delivery(json.dumps(body).encode(), headers)
    assert SOURCES[source].delivery_id(delivery) == identity


def test_a_very_long_id_of_a_delivery_counts_by_its_hash() -> None:
    delivery = Delivery(b"{}", {"X-GitHub-Delivery": "x" * 300})
    assert len(SOURCES["github"].delivery_id(delivery) or "") == 64


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "localhost/shop", "http://" + "x" * 2000]
)
def test_a_link_that_no_page_should_show_is_absent(link: str) -> None:
    (fact,) = facts("generic", {"kind": "build", "external_id": "1", "url": link})
    assert fact.url is None
