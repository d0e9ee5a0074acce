"""GoCD: stages as notification plugins pass them on, and whole pipelines as its API shows them.

Formats: plugin-api.gocd.org, "Stage Status Changed"; api.gocd.org, "Get pipeline instance". GoCD
tells of stages; that a stage was the last of its pipeline it does not tell. So a stage is a build
of its own, called by pipeline and stage.
"""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import clean_commit, clean_repository, clean_text
from .reading import Part
from .results import finish, result_of
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    data = body["data"] if body["data", "pipeline"].is_object else body
    if data["pipeline"].is_object:
        _read_stage(data["pipeline"], collector)
    elif data["build_cause"].is_object or data["stages"].is_list:
        _read_pipeline(data, collector)
    else:
        collector.leave_out("of GoCD", "it holds neither a stage nor a pipeline")


def _read_stage(pipeline: Part, collector: Collector) -> None:
    stage = pipeline["stage"]
    result = result_of(stage["result"]) or result_of(stage["state"])
    names = (pipeline["name"], pipeline["counter"], stage["name"], stage["counter"])
    marks = [one.text() for one in names]
    if result is None or None in marks:
        return collector.leave_out("of a stage", "it has no counter, or its state is none of a run")
    repository, commit = _git_of(pipeline["build-cause"], "modifications")
    started_at = stage["create-time"].time()
    ended_at = stage["last-transition-time"].time()
    return collector.add(
        Fact(
            kind="build",
            repository=repository,
            commit=commit,
            name=f"{marks[0]}/{marks[2]}",
            result=result,
            started_at=started_at,
            finished_at=finish(result, ended_at),
            occurred_at=finish(result, ended_at) or started_at,
            external_id="/".join(one or "" for one in marks),
            actor=stage["approved-by"].text()
            if stage["approval-type"].word() == "manual"
            else None,
        )
    )


def _git_of(causes: Part, changes: str) -> tuple[str | None, str | None]:
    """Repository and commit of the one Git material; of several none is the source for certain."""
    found = []
    for cause in causes:
        material = cause["material"]
        if material["type"].word() == "git":
            address = material["git-configuration", "url"].value or _address(material)
            commit = clean_commit(cause[changes, 0, "revision"].value)
            found.append((clean_repository(address), commit))
    return found[0] if len(found) == 1 else (None, None)


def _address(material: Part) -> str | None:
    """The API says it in words: `URL: https://host/group/name, Branch: main`."""
    words = clean_text(material["description"].value) or ""
    before, _, rest = words.partition("URL: ")
    return rest.partition(",")[0].strip() or None if not before else None


def _read_pipeline(pipeline: Part, collector: Collector) -> None:
    name, counter = pipeline["name"].text(), pipeline["counter"].text()
    if name is None or counter is None:
        return collector.leave_out("of a pipeline", "it has no name or no counter")
    result = _result(pipeline["stages"])
    repository, commit = _git_of(pipeline["build_cause", "material_revisions"], "modifications")
    begun = [job["scheduled_date"].time() for stage in pipeline["stages"] for job in stage["jobs"]]
    started_at = min((one for one in begun if one), default=None)
    return collector.add(
        Fact(
            kind="build",
            repository=repository,
            commit=commit,
            name=name,
            result=result,
            started_at=started_at,
            occurred_at=pipeline["scheduled_date"].time() or started_at,
            external_id=f"{name}/{counter}",
            actor=pipeline["build_cause", "approver"].text(),
        )
    )


def _result(stages: Part) -> str | None:
    """One failed stage fails a pipeline; one that has not ended keeps it running."""
    results = [result_of(stage["result"], unknown="started") or "queued" for stage in stages]
    for word in ("failed", "cancelled", "started"):
        if word in results:
            return word
    if not results or set(results) == {"queued"}:
        return "queued" if results else None
    return "started" if "queued" in results else "succeeded"


SOURCE = Sender(
    kind="gocd",
    title="GoCD",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
