"""What happened before we were told: from files and from lists, once, whatever interrupts it."""

import io
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command

from promotion.actions.backfill import Order, begin_backfill, find_sender, take_in_pages
from promotion.backfill.fetching import MOST_TRIES, Fetcher, RefusedError
from promotion.backfill.known import LISTINGS
from promotion.exceptions import InputError, UnreachableError
from promotion.integrity.outgoing import open_client
from promotion.models import Artifact, AuditEntry, BackfillRun, Build, Deployment, Event
from tests.factories import (
    NOW,
    commit_of,
    digest_of,
    make_connection,
    make_environments,
    make_sender,
    make_service,
)
from tests.parts.recording_server import Answer, run_recording_server

pytestmark = pytest.mark.django_db
PLACE = "meridian/shipment-api"
COMMIT = commit_of("1")


@pytest.fixture(autouse=True)
def _catalog(settings):
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    make_service("shipment-api")
    make_environments()


def reply(document, **headers):
    return Answer(headers=headers, body=json.dumps(document).encode())


class Tool:
    """Answers GETs from a table of path (with or without its query) to answers, the last for ever."""

    def __init__(self):
        self.answers = {}

    def __call__(self, asked):
        path = urlsplit(asked.path).path
        found = self.answers.get(asked.path) or self.answers.get(path)
        if not found:
            return Answer(404, body=b"{}")
        return found.pop(0) if len(found) > 1 else found[0]


@pytest.fixture
def tool():
    return Tool()


@pytest.fixture
def server(tool):
    with run_recording_server(tool) as running:
        yield running


def fetch_from(server, waited=None, **fields):
    return Fetcher(
        open_client(),
        server.base_url,
        wait=(waited if waited is not None else []).append,
        **fields,
    )


def take_in(server, kind, name, what=PLACE, since=None, waited=None):
    order = Order(find_sender(kind, "", at=NOW), f"{name} of {what}", "tool", since)
    run = begin_backfill(order, at=NOW)
    fetch = fetch_from(server, waited)
    with fetch.client:
        pages = LISTINGS[kind].listers[name](fetch, what, run.cursor, since)
        take_in_pages(run, pages, now=lambda: NOW)
    return run


def github_deployment(number, at="2026-11-01T10:00:00Z"):
    return {
        "id": number,
        "sha": COMMIT,
        "ref": "main",
        "task": "deploy",
        "environment": "staging",
        "created_at": at,
        "creator": {"login": "github-actions[bot]", "type": "Bot"},
    }


def offer_github(tool, server):
    path = f"/repos/{PLACE}/deployments"
    link = f'<{server.base_url}{path}?page=2>; rel="next", <{server.base_url}{path}?page=2>; rel="last"'
    tool.answers[f"{path}?per_page=100"] = [reply([github_deployment(2)], Link=link)]
    tool.answers[f"{path}?page=2"] = [reply([github_deployment(1)])]
    for number in (1, 2):
        status = {"id": number, "state": "success", "created_at": f"2026-11-0{number}T11:00:00Z"}
        tool.answers[f"{path}/{number}/statuses"] = [reply([status])]
    run = {
        "id": 7,
        "name": "build",
        "head_sha": COMMIT,
        "status": "completed",
        "conclusion": "success",
        "created_at": "2026-11-01T09:00:00Z",
        "run_started_at": "2026-11-01T09:00:00Z",
        "updated_at": "2026-11-01T09:05:00Z",
    }
    tool.answers[f"/repos/{PLACE}/actions/runs"] = [
        reply({"total_count": 1, "workflow_runs": [run]})
    ]


def test_githubs_deployments_are_taken_in_page_by_page_with_the_senders_times(tool, server):
    offer_github(tool, server)
    run = take_in(server, "github", "deployments")
    assert (run.state, run.listed, run.taken_in, run.unread) == ("finished", 2, 2, 0)
    rows = Deployment.objects.order_by("finished_at").values_list("external_id", "finished_at__day")
    assert list(rows) == [("1", 1), ("2", 2)]
    assert set(Deployment.objects.values_list("mechanism", "commit")) == {("automated", COMMIT)}
    assert set(Event.objects.values_list("is_backfilled", "received_at")) == {(True, NOW)}
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {
        "backfill.begin",
        "backfill.finished",
    }


def test_githubs_runs_become_builds(tool, server):
    offer_github(tool, server)
    take_in(server, "github", "runs")
    build = Build.objects.get()
    assert (build.external_id, build.commit, build.result) == ("7", COMMIT, "succeeded")


def test_a_second_backfill_finds_all_of_it_known(tool, server):
    offer_github(tool, server)
    take_in(server, "github", "deployments")
    again = take_in(server, "github", "deployments")
    assert (again.listed, again.taken_in, again.known) == (2, 0, 2)
    assert Event.objects.count() == 2


def test_what_is_older_than_since_is_left_out_and_ends_the_list(tool, server):
    path = f"/repos/{PLACE}/deployments"
    link = f'<{server.base_url}{path}?page=2>; rel="next"'
    rows = [github_deployment(2), github_deployment(1, at="2026-01-01T00:00:00Z")]
    tool.answers[path] = [reply(rows, Link=link)]
    tool.answers[f"{path}/2/statuses"] = [
        reply([{"state": "success", "created_at": "2026-11-01T11:00:00Z"}])
    ]
    run = take_in(server, "github", "deployments", since=datetime(2026, 6, 1, tzinfo=UTC))
    assert run.listed == 1
    assert not [one for one in server.asked if "page=2" in one.path]


def test_a_run_that_broke_goes_on_with_the_page_it_had_come_to(tool, server):
    offer_github(tool, server)
    second = tool.answers.pop(f"/repos/{PLACE}/deployments?page=2")
    tool.answers[f"/repos/{PLACE}/deployments?page=2"] = [Answer(404, body=b"{}")]
    with pytest.raises(RefusedError):
        take_in(server, "github", "deployments")
    stopped = BackfillRun.objects.get()
    assert (stopped.state, stopped.listed) == ("stopped", 1)
    tool.answers[f"/repos/{PLACE}/deployments?page=2"] = second
    before = len(server.asked)
    run = take_in(server, "github", "deployments")
    assert (run.pk, run.state, run.listed) == (stopped.pk, "finished", 2)
    assert server.asked[before].path.endswith("page=2")


def test_a_spent_rate_limit_is_waited_out_until_its_reset(server, tool):
    now = datetime(2026, 11, 24, tzinfo=UTC)
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(now.timestamp()) + 90)}
    tool.answers["/x"] = [Answer(403, spent, b"{}"), reply({"ok": True})]
    waited, told = [], []
    fetch = fetch_from(server, waited, now=lambda: now, tell=told.append)
    assert fetch.get("x").document == {"ok": True}
    assert waited == [91.0]
    assert "waiting 91 s" in told[0]


def test_retry_after_is_heeded_in_seconds_and_as_a_date(server, tool):
    now = datetime(2026, 11, 24, tzinfo=UTC)
    tool.answers["/x"] = [
        Answer(429, {"Retry-After": "7"}, b"{}"),
        Answer(503, {"Retry-After": "Tue, 24 Nov 2026 00:00:30 GMT"}, b"{}"),
        reply([]),
    ]
    waited = []
    fetch_from(server, waited, now=lambda: now).get("x")
    assert waited == [7.0, 30.0]


def test_a_tool_that_stays_broken_is_given_up_with_a_word_of_how_to_go_on(server, tool):
    tool.answers["/x"] = [Answer(502, body=b"")]
    waited = []
    with pytest.raises(UnreachableError, match="run the same command again"):
        fetch_from(server, waited).get("x")
    assert waited == [1.0 * 2**n for n in range(MOST_TRIES)]


def test_a_limit_that_lasts_too_long_is_not_waited_for(server, tool):
    tool.answers["/x"] = [Answer(429, {"Retry-After": "90000"}, b"{}")]
    with pytest.raises(UnreachableError, match="too long to wait"):
        fetch_from(server).get("x")


def test_a_refusal_is_not_tried_again(server, tool):
    tool.answers["/x"] = [Answer(401, body=b"{}")]
    with pytest.raises(RefusedError, match="answered 401"):
        fetch_from(server).get("x")
    assert len(server.asked) == 1


def test_the_token_does_not_follow_a_link_to_another_host(server, tool):
    tool.answers["/x"] = [reply([], Link=f'<{server.other_host_url}/y>; rel="next"')]
    fetch = fetch_from(server, headers={"Authorization": "Bearer secret"})
    with pytest.raises(RefusedError, match="token"):
        fetch.get(fetch.get("x").next_url)
    assert [one.path for one in server.asked] == ["/x"]


def test_an_answer_that_is_no_list_is_refused(server, tool):
    tool.answers[f"/repos/{PLACE}/deployments"] = [reply({"message": "moved"})]
    with pytest.raises(RefusedError, match="no list"):
        take_in(server, "github", "deployments")


def test_a_private_address_nobody_allowed_is_not_called(server, settings):
    settings.ALLOWED_PRIVATE_NETWORKS = []
    waited = []
    with pytest.raises((RefusedError, UnreachableError)):
        fetch_from(server, waited).get("x")
    assert server.asked == []


def test_gitlabs_deployments_tell_their_begin_and_end(tool, server):
    deployment = {
        "id": 42,
        "iid": 2,
        "ref": "v4.18.0",
        "sha": COMMIT,
        "status": "success",
        "created_at": "2026-11-01T10:00:00.000Z",
        "updated_at": "2026-11-01T10:09:00.000Z",
        "user": {"username": "ines"},
        "environment": {"id": 9, "name": "staging"},
        "deployable": {
            "id": 664,
            "tag": True,
            "status": "success",
            "started_at": "2026-11-01T10:01:00.000Z",
            "finished_at": "2026-11-01T10:08:00.000Z",
        },
    }
    tool.answers["/projects/meridian%2Fshipment-api/deployments"] = [reply([deployment])]
    since = datetime(2026, 10, 1, tzinfo=UTC)
    take_in(server, "gitlab", "deployments", since=since)
    row = Deployment.objects.get()
    assert (row.external_id, row.result, row.version) == ("42", "succeeded", "v4.18.0")
    assert (row.started_at.minute, row.finished_at.minute, row.commit) == (1, 8, COMMIT)
    assert row.mechanism == "automated"
    assert parse_qs(urlsplit(server.asked[0].path).query)["updated_after"] == [
        "2026-10-01T00:00:00Z"
    ]


def test_gitlabs_pipelines_are_read_one_by_one_for_their_times(tool, server):
    path = "/projects/meridian%2Fshipment-api/pipelines"
    tool.answers[path] = [reply([{"id": 5, "sha": COMMIT, "status": "success"}])]
    whole = {
        "id": 5,
        "sha": COMMIT,
        "ref": "main",
        "tag": False,
        "status": "success",
        "started_at": "2026-11-01T10:01:00Z",
        "finished_at": "2026-11-01T10:08:00Z",
        "web_url": "https://gitlab.example/p/5",
    }
    tool.answers[f"{path}/5"] = [reply(whole)]
    take_in(server, "gitlab", "pipelines")
    build = Build.objects.get()
    assert (build.external_id, build.result, build.finished_at.minute) == ("5", "succeeded", 8)


def test_jenkins_builds_are_told_from_begin_to_end(tool, server):
    begun = int(datetime(2026, 11, 1, 10, tzinfo=UTC).timestamp() * 1000)
    checkout = {
        "lastBuiltRevision": {"SHA1": COMMIT, "branch": [{"name": "origin/main"}]},
        "remoteUrls": [f"https://git.example/{PLACE}.git"],
    }
    build = {
        "number": 12,
        "url": "https://jenkins.example/job/shop/job/api/12/",
        "result": "SUCCESS",
        "building": False,
        "timestamp": begun,
        "duration": 240_000,
        "actions": [{}, checkout],
    }
    tool.answers["/job/shop/job/api/api/json"] = [reply({"allBuilds": [build]})]
    take_in(server, "jenkins", "builds", "shop/api")
    row = Build.objects.get()
    assert (row.external_id, row.repository, row.commit) == ("shop/api#12", PLACE, COMMIT)
    assert (row.result, row.started_at.minute, row.finished_at.minute) == ("succeeded", 0, 4)
    assert "{0,100}" in parse_qs(urlsplit(server.asked[0].path).query)["tree"][0]


def test_argo_cds_history_is_taken_in_for_every_application(tool, server):
    def synced(number):
        return {
            "id": number,
            "revision": COMMIT,
            "deployStartedAt": f"2026-11-0{number}T10:00:00Z",
            "deployedAt": f"2026-11-0{number}T10:00:20Z",
            "source": {"repoURL": "https://git.example/meridian/gitops.git"},
            "initiatedBy": {"automated": True},
        }

    application = {
        "metadata": {"name": "shipment-api", "labels": {"environment": "staging"}},
        "spec": {"project": "default"},
        "status": {"history": [synced(1), synced(2)]},
    }
    tool.answers["/api/v1/applications"] = [reply({"items": [application]})]
    take_in(server, "argocd", "history", "*")
    rows = Deployment.objects.order_by("started_at").values_list(
        "external_id", "mechanism", "result"
    )
    assert list(rows) == [
        (f"shipment-api@2026-11-0{number}T10:00:00Z", "automated", "succeeded") for number in (1, 2)
    ]


def test_artifactorys_build_information_becomes_the_build_with_its_image_and_commit(tool, server):
    tool.answers["/api/build/shipment-api"] = [
        reply({"buildsNumbers": [{"uri": "/51", "started": "2026-11-01T10:00:00.000+0000"}]})
    ]
    digest = digest_of("image")
    info = {
        "name": "shipment-api",
        "number": "51",
        "started": "2026-11-01T10:00:00.000+0000",
        "durationMillis": 120_000,
        "vcs": [{"revision": COMMIT, "url": f"https://git.example/{PLACE}.git"}],
        "modules": [
            {
                "id": "shipment-api:v4.18.0",
                "artifacts": [{"name": "manifest.json", "sha256": digest.removeprefix("sha256:")}],
            }
        ],
    }
    tool.answers["/api/build/shipment-api/51"] = [reply({"buildInfo": info})]
    take_in(server, "artifactory", "builds", "shipment-api")
    artifact = Artifact.objects.get()
    assert (artifact.digest, artifact.commit, artifact.first_seen_at.minute) == (digest, COMMIT, 2)
    assert artifact.releases.get().version == "4.18.0"
    assert artifact.builds.get().external_id == "shipment-api#51"


def run_command(*arguments):
    out = io.StringIO()
    call_command("backfill", *arguments, stdout=out)
    return out.getvalue()


def fact(number):
    return {
        "kind": "deployment",
        "service": "shipment-api",
        "environment": "staging",
        "commit": COMMIT,
        "result": "succeeded",
        "external_id": str(number),
        "finished_at": "2026-11-01T10:00:00Z",
    }


def test_a_directory_of_payloads_lists_and_lines_is_taken_in_once(tmp_path):
    (tmp_path / "one.json").write_text(json.dumps(fact(1)))
    (tmp_path / "list.json").write_text(json.dumps([fact(2), fact(3)]))
    (tmp_path / "lines.ndjson").write_text("\n".join(json.dumps(fact(n)) for n in (4, 5)) + "\n")
    (tmp_path / "broken.json").write_text("{not json")
    said = run_command(str(tmp_path), "--source", "generic")
    assert "6 listed, 6 taken in, 0 known already, 1 of them kept that became no fact." in said
    assert set(Deployment.objects.values_list("external_id", flat=True)) == set("12345")
    again = run_command(str(tmp_path), "--source", "generic")
    assert "6 listed, 0 taken in, 6 known already" in again


def test_payloads_of_github_take_their_event_from_headers_beside_them(tmp_path):
    status = {"state": "success", "created_at": "2026-11-01T11:00:00Z"}
    body = {
        "deployment": github_deployment(1),
        "deployment_status": status,
        "repository": {"full_name": PLACE},
    }
    wrapped = {"headers": {"X-GitHub-Event": "deployment_status"}, "body": body}
    (tmp_path / "a.json").write_text(json.dumps(wrapped))
    sender = make_sender()
    run_command(str(tmp_path), "--source", "github", "--sender", sender.slug)
    assert Deployment.objects.get().external_id == "1"
    assert Event.objects.get().sender == sender


def test_the_command_reads_all_lists_of_a_connection_with_its_token(tool, server):
    offer_github(tool, server)
    make_connection("github", kind="http", address=server.base_url, secret="ghp_token")
    said = run_command(PLACE, "--source", "github", "--connection", "github")
    assert f"runs of {PLACE}: finished. 1 listed" in said
    assert f"deployments of {PLACE}: finished. 2 listed" in said
    assert {one.headers["authorization"] for one in server.asked} == {"Bearer ghp_token"}
    assert Build.objects.count() == 1
    assert Deployment.objects.count() == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "--source", "generic"], "There is no file or directory"),
        (["x", "--source", "nonsense"], "There is no source called nonsense"),
        (["x", "--source", "github", "--sender", "nobody"], "There is no sender 'nobody'"),
        (["x", "--source", "github", "--connection", "none"], "There is no connection 'none'"),
        ([".", "--source", "generic", "--since", "soon"], "'soon' is no date or time"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        run_command(*arguments)


def test_a_repository_that_is_none_is_refused_before_anything_is_called(server):
    with pytest.raises(InputError, match="no name of anything"):
        take_in(server, "github", "deployments", "../admin")
    assert server.asked == []
