"""Steps that start another tool's job: once, however often they are tried, and followed to its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from promotion.exceptions import InputError, UnreachableError
from promotion.integrity.outgoing import AddressRefusedError
from promotion.models import Promotion
from promotion.rules.states import State
from promotion.steps.base import Outcome, StepContext, StepResult
from promotion.steps.jobs import APPEARS_WITHIN, GONE_AFTER, names_key
from promotion.steps.known import STEPS
from promotion.steps.tool_api import ToolError
from tests.factories import (
    NOW,
    make_connection,
    make_environments,
    make_promotion,
    make_release,
    make_service,
)
from tests.parts.recording_server import Answer, RecordingServer, run_recording_server
from tests.parts.tools import ArgoCd, Github, Gitlab, Jenkins, Tool
from tests.steps.contexts import make_context

pytestmark = pytest.mark.django_db

GOOD: dict[str, dict[str, Any]] = {
    "github-workflow": {
        "repository": "meridian/shop",
        "workflow": "deploy.yml",
        "ref": "main",
        "inputs": {"version": "4.18.0", "dry": False},
    },
    "gitlab-pipeline": {
        "project": "meridian/shop",
        "ref": "main",
        "variables": {"VERSION": "4.18.0", "DRY": False},
    },
    "jenkins-job": {"job": "platform/deploy", "parameters": {"VERSION": "4.18.0"}},
    "argocd-sync": {"application": "shop-production", "prune": True},
}
TOOLS: dict[str, type[Tool]] = {
    "github-workflow": Github,
    "gitlab-pipeline": Gitlab,
    "jenkins-job": Jenkins,
    "argocd-sync": ArgoCd,
}


@dataclass
class Bench:
    """One kind of step and its tool."""

    kind: str
    tool: Tool
    server: RecordingServer
    promotion: Promotion

    def context(self, *, state: dict[str, Any] | None = None, after: int = 0) -> StepContext:
        inputs = {"connection": "tool", **GOOD[self.kind]}
        run = self.promotion.step_runs.first()
        at = NOW + timedelta(seconds=after)
        return make_context(self.promotion, self.kind, inputs, state=state, at=at, run=run)

    def start(self) -> StepResult:
        return STEPS[self.kind].start(self.context())

    def look(self, before: StepResult, after: int = 10) -> StepResult:
        return STEPS[self.kind].look(self.context(state=dict(before.output), after=after))


@pytest.fixture(params=list(TOOLS))
def bench(request: pytest.FixtureRequest, settings) -> Iterator[Bench]:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    release = make_release(make_service())
    promotion = make_promotion(
        release, make_environments()["production"], state=State.RUNNING, started_at=NOW
    )
    tool = TOOLS[request.param]()
    with run_recording_server(lambda asked: tool.answer(asked)) as server:
        make_connection("tool", "http", server.base_url, secret="let-me-in")
        yield Bench(request.param, tool, server, promotion)


def test_it_is_started_with_the_key_and_succeeds_when_the_job_does(bench: Bench) -> None:
    begun = bench.start()
    assert begun.outcome is Outcome.WAITING
    running = bench.look(begun)
    assert running.outcome is Outcome.WAITING
    bench.tool.end("succeeded")
    done = bench.look(running, 20)
    assert done.outcome is Outcome.SUCCEEDED
    assert len(bench.tool.jobs) == 1
    assert bench.context().key in str(bench.tool.jobs)
    assert {asked.headers["authorization"] for asked in bench.server.asked} == {"Bearer let-me-in"}


@pytest.mark.parametrize(
    ("how", "outcome"), [("failed", Outcome.FAILED), ("stopped", Outcome.ERRORED)]
)
def test_a_failed_job_fails_it_and_a_cancelled_one_is_an_error(
    bench: Bench, how: str, outcome: Outcome
) -> None:
    begun = bench.start()
    bench.tool.end(how)
    ended = bench.look(begun)
    assert ended.outcome is outcome
    assert not ended.output.get("is_retryable")


def test_a_worker_that_died_after_starting_starts_nothing_twice(bench: Bench) -> None:
    bench.start()
    bench.tool.end("succeeded")
    again = bench.start()
    assert again.outcome is Outcome.SUCCEEDED
    assert len(bench.tool.jobs) == 1
    assert STEPS[bench.kind].repeat_is_safe({})


def test_the_job_of_another_key_is_not_taken_for_ours(bench: Bench) -> None:
    bench.start()
    bench.tool.end("succeeded")
    other = bench.context()
    longer = make_context(bench.promotion, bench.kind, other.inputs, run=other.step_run)
    object.__setattr__(longer, "key", f"{other.key}0")
    assert STEPS[bench.kind].start(longer).outcome is Outcome.WAITING
    assert len(bench.tool.jobs) == 2


def test_a_lost_answer_starts_nothing_twice_and_the_job_is_found_later(bench: Bench) -> None:
    bench.tool.instead_of_start = Answer(502)
    bench.tool.is_shown = False
    begun = bench.start()
    assert begun.outcome is Outcome.WAITING
    unseen = bench.look(begun)
    assert unseen.outcome is Outcome.WAITING
    bench.tool.is_shown = True
    bench.tool.end("succeeded")
    assert bench.look(unseen, 20).outcome is Outcome.SUCCEEDED
    assert len(bench.tool.jobs) == 1


def test_a_job_that_never_shows_is_for_a_person_to_decide(bench: Bench) -> None:
    bench.tool.instead_of_start = Answer(502)
    bench.tool.is_shown = False
    begun = bench.start()
    after = int(APPEARS_WITHIN.total_seconds())
    assert bench.look(begun, after).outcome is Outcome.WAITING
    lost = bench.look(begun, after + 1)
    assert lost.outcome is Outcome.UNKNOWN
    assert "give up" in lost.message


def test_a_tool_that_is_away_meanwhile_is_waited_for(bench: Bench) -> None:
    begun = bench.start()
    bench.tool.instead = Answer(503)
    away = bench.look(begun)
    assert away.outcome is Outcome.WAITING
    assert "503" in away.message
    bench.tool.instead = None
    bench.tool.end("succeeded")
    assert bench.look(away, 3600).outcome is Outcome.SUCCEEDED


def test_a_tool_that_is_away_before_the_start_is_tried_again_and_a_refusal_is_not(
    bench: Bench, settings
) -> None:
    bench.tool.instead = Answer(503)
    with pytest.raises(UnreachableError):
        bench.start()
    bench.tool.instead = Answer(403, {}, b'{"message": "Forbidden for you"}')
    with pytest.raises(ToolError, match="Forbidden for you") as told:
        bench.start()
    assert not told.value.retryable
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with pytest.raises(AddressRefusedError):
        bench.start()
    assert bench.tool.jobs == []


def test_nothing_is_started_once_a_person_asked_to_stop(bench: Bench) -> None:
    context = bench.context()
    object.__setattr__(context, "should_stop", lambda: True)
    assert STEPS[bench.kind].start(context).outcome is Outcome.WAITING
    assert bench.tool.jobs == []


def test_with_targets_each_has_a_job_of_its_own(bench: Bench) -> None:
    each = [{"connection": "tool", **GOOD[bench.kind], "target": name} for name in ("eu", "us")]
    context = make_context(bench.promotion, bench.kind, {"per_target": each})
    if bench.kind == "argocd-sync":
        each[1]["application"] = each[0]["application"]
    result = STEPS[bench.kind].start(context)
    assert result.outcome is Outcome.WAITING
    assert list(result.output["jobs"]) == ["eu", "us"]
    assert len(bench.tool.jobs) == 2


@pytest.mark.parametrize("kind", list(GOOD))
def test_good_settings_have_no_problems_and_missing_ones_are_named(kind: str) -> None:
    step = STEPS[kind]
    assert list(step.problems_in({"connection": "tool", **GOOD[kind]})) == []
    needed = {
        name for name in GOOD[kind] if name not in {"inputs", "variables", "parameters", "prune"}
    }
    assert {key for key, _ in step.problems_in({})} == {"connection", *needed}
    assert "more" in {key for key, _ in step.problems_in({"more": 1})}
    assert step.describe(GOOD[kind])


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("github-workflow", {"repository": "shop"}),
        ("github-workflow", {"workflow": "../deploy.yml"}),
        ("github-workflow", {"inputs": ["a"]}),
        ("gitlab-pipeline", {"variables": {"A": ["x"]}}),
        ("jenkins-job", {"job": "platform/../deploy"}),
        ("jenkins-job", {"job": "/deploy"}),
        ("argocd-sync", {"prune": "yes"}),
    ],
)
def test_bad_settings_are_named(kind: str, wrong: dict[str, Any]) -> None:
    settings = {"connection": "tool", **GOOD[kind], **wrong}
    (name,) = wrong
    assert [key.partition(".")[0] for key, _ in STEPS[kind].problems_in(settings)] == [name]


@pytest.mark.parametrize("bench", ["github-workflow"], indirect=True)
def test_a_workflow_that_does_not_name_its_runs_by_the_key_is_not_started(bench: Bench) -> None:
    assert isinstance(bench.tool, Github)
    bench.tool.workflow = "name: Deploy\non: workflow_dispatch\n"
    with pytest.raises(InputError, match="run-name"):
        bench.start()
    assert bench.tool.jobs == []


@pytest.mark.parametrize("bench", ["github-workflow"], indirect=True)
def test_inputs_are_given_as_texts(bench: Bench) -> None:
    bench.start()
    given = bench.tool.jobs[0]["inputs"]
    assert (given["version"], given["dry"]) == ("4.18.0", "false")


@pytest.mark.parametrize("bench", ["gitlab-pipeline"], indirect=True)
def test_a_pipeline_that_waits_for_a_person_runs_and_a_deleted_one_is_lost(bench: Bench) -> None:
    begun = bench.start()
    bench.tool.jobs[0]["status"] = "manual"
    assert bench.look(begun).outcome is Outcome.WAITING
    bench.tool.jobs.clear()
    after = int(GONE_AFTER.total_seconds()) + 1
    assert bench.look(begun, after).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("bench", ["jenkins-job"], indirect=True)
def test_a_build_in_the_queue_is_waited_for_as_long_as_it_is_there(bench: Bench) -> None:
    assert isinstance(bench.tool, Jenkins)
    bench.tool.is_queued = True
    queued = bench.look(bench.start())
    assert "next available executor" in queued.message
    still = bench.look(queued, 3600)
    assert still.outcome is Outcome.WAITING
    bench.tool.is_queued = False
    bench.tool.end("succeeded")
    assert bench.look(still, 7200).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("bench", ["jenkins-job"], indirect=True)
def test_a_job_that_does_not_declare_the_key_is_not_started(bench: Bench) -> None:
    assert isinstance(bench.tool, Jenkins)
    bench.tool.declared = ("VERSION",)
    with pytest.raises(InputError, match="THROUGHLINE_KEY"):
        bench.start()
    assert bench.tool.jobs == []


@pytest.mark.parametrize("bench", ["argocd-sync"], indirect=True)
def test_an_application_that_is_busy_is_asked_again(bench: Bench) -> None:
    assert isinstance(bench.tool, ArgoCd)
    bench.tool.is_busy = True
    begun = bench.start()
    assert begun.outcome is Outcome.WAITING
    bench.tool.is_busy = False
    running = bench.look(begun, 600)
    bench.tool.end("succeeded")
    assert bench.look(running, 610).outcome is Outcome.SUCCEEDED
    assert len(bench.tool.jobs) == 1


@pytest.mark.parametrize("bench", ["argocd-sync"], indirect=True)
def test_a_sync_whose_place_another_took_is_for_a_person_to_decide(bench: Bench) -> None:
    begun = bench.start()
    bench.tool.jobs.append({"operation": {"info": []}, "phase": "Succeeded", "message": ""})
    assert bench.look(begun, int(GONE_AFTER.total_seconds()) + 1).outcome is Outcome.UNKNOWN


def test_a_key_is_a_word() -> None:
    assert names_key("Deploy throughline-p1-w0-s1 now", "throughline-p1-w0-s1")
    assert not names_key("Deploy throughline-p1-w0-s10", "throughline-p1-w0-s1")
    assert not names_key("Deploy throughline-p1-w0-s1-eu", "throughline-p1-w0-s1")
