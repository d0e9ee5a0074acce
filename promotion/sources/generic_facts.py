"""Our own facts in JSON, checked field by field.

A fact is an object whose fields are those of `Fact`; `kind` is needed, everything else may be
left out. A field that cannot be right costs its element, with a note that names both; a field we
do not know is left out and named. A `change` may list `commits` (sha, author_name, author_email,
message, at) and the head `before`.
"""

from dataclasses import fields
from datetime import datetime
from typing import Any

from .base import DEPLOYMENT_KINDS, KINDS, MECHANISMS, RESULTS, Fact
from .cleaning import (
    clean_digest,
    clean_exact,
    clean_repository,
    clean_text,
    clean_version,
)
from .commits import co_authors_of
from .reading import Part
from .sender import Collector
from .times import clean_time, format_time

_TIMES = frozenset({"started_at", "finished_at", "occurred_at"})
_TEXTS = frozenset(one.name for one in fields(Fact)) - _TIMES - {"kind", "planned", "details"}
_ALLOWED = _TEXTS | _TIMES | {"kind", "planned", "commits", "before"}
_COMMIT_TEXTS = ("author_name", "author_email", "message")


class _FieldError(ValueError):
    """What is wrong with a field, as the end of a sentence that names it."""


def read_fact(
    part: Part,
    collector: Collector,
    place: str,
    *,
    kind: str | None = None,
    occurred: Part | None = None,
) -> None:
    """Check one fact and keep it; `place` names the element in notes."""
    if not part.is_object:
        return collector.note(f"{place} is not a JSON object; it was left out.")
    found: dict[str, Any] = {}
    wrong = []
    if len(part.names()) < len(part):
        collector.note(f"{place}: a field whose name cannot be kept was left out.")
    for name in part.names():
        if name not in _ALLOWED:
            collector.note(f"{place}: the field {name[:60]} is not known; it was left out.")
            continue
        try:
            found[name] = _read_field(name, part[name])
        except _FieldError as error:
            wrong.append(f"{name} {error}")
    found["kind"] = found.get("kind") or kind
    wrong += _check_words(found)
    if wrong:
        return collector.note(f"{place} was left out: {'; '.join(wrong)}.")
    if occurred is not None and found.get("occurred_at") is None:
        found["occurred_at"] = occurred.time()
    details = {name: found.pop(name) for name in ("commits", "before") if name in found}
    return collector.add(Fact(**found, details={k: v for k, v in details.items() if v}))


def _read_field(name: str, part: Part) -> object:
    value = part.value
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if name == "planned":
        return _one_of(value, bool, "must be true or false")
    if name == "commits":
        return _read_commits(part)
    if name in _TIMES:
        return _read_time(value)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _FieldError("must be text")
    return _read_text(name, value)


def _read_text(name: str, value: str | int) -> str | None:
    if name in {"commit", "before"}:
        return _read_commit(value)
    if name == "digest":
        if (digest := clean_digest(value)) is None:
            raise _FieldError("must be sha256: and 64 hex digits")
        return digest
    if name == "version":
        if (version := clean_version(value)) is None:
            raise _FieldError("must be the name of a tag or release, not a digest or branch")
        return version
    if name == "repository":
        return clean_repository(value)
    return clean_exact(value) if name == "environment" else clean_text(value)


def _read_commit(value: object) -> str:
    part = Part(value)
    commit = part.commit()
    if commit is None or commit != (part.text() or "").lower():
        raise _FieldError("must be 6 to 40 (or 64) hex digits")
    return commit


def _read_time(value: object) -> datetime:
    if (at := clean_time(value)) is None:
        raise _FieldError("must be a time in RFC 3339")
    return at


def _one_of(value: object, kind: type, why: str) -> object:
    if not isinstance(value, kind):
        raise _FieldError(why)
    return value


def _read_commits(part: Part) -> list[dict[str, Any]]:
    if not part.is_list:
        raise _FieldError("must be a list")
    commits = []
    for number, one in enumerate(part, start=1):
        try:
            commit: dict[str, Any] = {"sha": _read_commit(one["sha"].value)}
            if one["at"]:
                commit["at"] = format_time(_read_time(one["at"].value))
        except _FieldError as error:
            raise _FieldError(f"{number}: sha or at {error}") from None
        commit |= {name: text for name in _COMMIT_TEXTS if (text := one[name].text())}
        if co_authors := co_authors_of(commit.get("message")):
            commit["co_authors"] = co_authors
        commits.append(commit)
    return commits


def _check_words(found: dict[str, Any]) -> list[str]:
    kind = found["kind"]
    if kind not in KINDS:
        return [f"kind must be one of {', '.join(KINDS)}"]
    wrong = []
    result, allowed = found.get("result"), RESULTS.get(kind, frozenset())
    if result is not None and result not in allowed:
        meant = f"must be one of {', '.join(sorted(allowed))}" if allowed else "is not used"
        wrong.append(f"result {meant} in {'an' if kind[0] in 'aeio' else 'a'} {kind}")
    for name, words in (
        ("mechanism", MECHANISMS),
        ("deployment_kind", DEPLOYMENT_KINDS),
    ):
        if found.get(name) is not None and found[name] not in words:
            wrong.append(f"{name} must be one of {', '.join(sorted(words))}")
    if kind == "evidence" and found.get("name") is None:
        wrong.append(
            "name must say the type of evidence (signature, provenance, sbom, scan, test …)"
        )
    return wrong
