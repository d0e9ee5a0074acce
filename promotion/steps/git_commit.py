"""The step git-commit: writes what shall run into a GitOps repository, in one commit."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from promotion.exceptions import InputError
from promotion.integrity.git.committing import Edit, commit_files, open_remote
from promotion.rules.settings import (
    Problem,
    check_text,
    need_text,
    sets_of,
    unknown_keys,
)

from .base import Outcome, StepContext, StepResult
from .documents import set_image_digests, set_values

SETTINGS = ("repository", "path", "set", "kustomize", "branch", "message")
_SUFFIXES = (".yaml", ".yml", ".json")


class GitCommitStep:
    """Sets values of YAML and JSON files, or image digests of a kustomization, and pushes.

    All files (one for each target where the path names {target}) are one commit with trailers; the
    key among them makes a repeat harmless.
    """

    kind = "git-commit"
    title = "Commit to Git"
    default_timeout: timedelta | None = timedelta(minutes=10)
    is_verification = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """`repository`, `path` and one of `set` or `kustomize` are needed."""
        yield from unknown_keys(self.kind, settings, SETTINGS)
        yield from need_text(
            settings, "repository", what="the name of a connection to a repository"
        )
        yield from need_text(settings, "path", what="the path of a file in the repository")
        yield from _path_problems(settings)
        yield from check_text(settings, "branch", what="the name of a branch")
        yield from check_text(settings, "message", what="a text")
        if not settings.get("set") and not settings.get("kustomize"):
            yield "", "git-commit needs set, the values to write, or kustomize, the images."
        yield from _value_problems(settings)

    def describe(self, inputs: Mapping[str, Any]) -> str:
        """'3 files in gitops'."""
        each = sets_of(inputs)
        paths = sorted({str(one.get("path", "")) for one in each})
        what = paths[0] if len(paths) == 1 else f"{len(paths)} files"
        return f"{what} in {each[0].get('repository', '')}"

    def repeat_is_safe(self, inputs: Mapping[str, Any]) -> bool:
        """Always: a commit with the same key is looked for first."""
        return True

    def start(self, context: StepContext) -> StepResult:
        """Commit and push; raises InputError and the errors of git remotes."""
        each = sets_of(context.inputs)
        repository, branch = _one_of(each, "repository"), _one_of(each, "branch")
        release = context.promotion.release
        message = _one_of(each, "message") or (
            f"Bring {context.promotion.service.slug} {release.version}"
            f" to {context.promotion.environment.slug}"
        )
        result = commit_files(
            open_remote(str(repository)),
            _edits(each),
            key=context.key,
            message=message,
            trailers=[
                ("Throughline-Promotion", context.promotion.number),
                *(("Throughline-Digest", digest) for digest in release.digests),
            ],
            branch=branch,
            at=context.at,
        )
        did = "Committed" if result.is_new else "It was committed already, in"
        if result.is_unchanged:
            did = "Nothing was to change; it is in"
        output = {
            "repository": repository,
            "branch": result.branch,
            "commit": result.commit,
            "is_new": result.is_new,
            "is_unchanged": result.is_unchanged,
            "paths": sorted({str(one["path"]) for one in each}),
        }
        message = f"{did} {result.commit[:12]} on {result.branch} of {repository}."
        return StepResult(Outcome.SUCCEEDED, message, output)

    def look(self, context: StepContext) -> StepResult:
        """It never answers that it waits; doing it again is safe."""
        return self.start(context)


def _one_of(each: list[Mapping[str, Any]], name: str) -> str | None:
    """The setting that must be the same for all targets, since they are one commit."""
    values = {one.get(name) for one in each}
    if len(values) > 1:
        raise InputError(
            f"{name} differs between targets, so it cannot be one commit. Nothing was committed."
            f" Leave {{target}} out of {name} in the pipeline."
        )
    value = values.pop()
    return None if value is None else str(value)


def _edits(each: list[Mapping[str, Any]]) -> dict[str, Edit]:
    """One edit for each file; where targets share a file, all of theirs in turn."""
    by_path: dict[str, list[Mapping[str, Any]]] = {}
    for one in each:
        by_path.setdefault(str(one["path"]), []).append(one)
    return {path: _edit(path, sets) for path, sets in by_path.items()}


def _edit(path: str, sets: list[Mapping[str, Any]]) -> Edit:
    def edit(content: bytes) -> bytes:
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is no text in UTF-8. Nothing was committed.") from error
        for one in sets:
            text = set_values(text, one.get("set") or {}, path=path)
            text = set_image_digests(text, one.get("kustomize") or {}, path=path)
        return text.encode()

    return edit


def _path_problems(settings: Mapping[str, Any]) -> Iterator[Problem]:
    path = settings.get("path")
    if not isinstance(path, str):
        return
    if not path.endswith(_SUFFIXES):
        yield "path", f"path must end in {', '.join(_SUFFIXES)}: other files are not written."
    if path.startswith("/") or any(part in {"", ".", "..", ".git"} for part in path.split("/")):
        yield "path", "path must be inside the repository, without a leading '/' and without '..'."


def _value_problems(settings: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("set", "kustomize"):
        value = settings.get(name)
        if value is not None and not isinstance(value, Mapping):
            yield name, f"{name} must be a mapping."
            continue
        for key, entry in (value or {}).items():
            if isinstance(entry, Mapping | list | tuple):
                yield f"{name}.{key}", f"{key} must be set to one plain value."
            elif name == "kustomize" and not isinstance(entry, str):
                yield f"{name}.{key}", f'{key} must be set to a digest, such as "{{digest}}".'
