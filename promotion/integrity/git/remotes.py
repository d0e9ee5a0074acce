"""A git repository to read a branch of and to move it, by compare-and-set only.

A branch is never moved over a commit that was not seen.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID, ShaFile
from dulwich.refs import Ref

from promotion.exceptions import ConflictError, InputError, ThroughlineError, UnreachableError

# How many commits back a repeat is looked for; older ones are not fetched.
HISTORY = 500
HEAD = Ref(b"HEAD")
BRANCHES = b"refs/heads/"


class GitRefusedError(ThroughlineError):
    """The repository says no: it is not there, credentials, rights, or a rule of its own."""


class GitUnreachableError(UnreachableError):
    """The repository did not answer or broke; trying again may help."""


class BranchMovedError(ConflictError):
    """Somebody else moved the branch meanwhile; reading it again and trying again may help."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A branch as it is now: its name, its newest commit, and the objects of its near history."""

    branch: str
    head: ObjectID
    store: BaseObjectStore


class GitRemote(Protocol):
    """One repository."""

    address: str

    def open(self, branch: str | None) -> AbstractContextManager[Snapshot]:
        """Read a branch, by default the repository's own; raises GitRefusedError and others."""
        ...

    def move_branch(self, seen: Snapshot, to: ObjectID, made: Sequence[ShaFile]) -> None:
        """Move the branch from the commit seen to a new one; raises BranchMovedError."""
        ...


def choose_branch(
    refs: Mapping[Any, Any], symbolic: Mapping[Any, Any], branch: str | None, address: str
) -> tuple[str, ObjectID]:
    """The branch asked for, else the repository's own, and its newest commit."""
    named = symbolic.get(HEAD, b"")
    name = branch or bytes(named).removeprefix(BRANCHES).decode(errors="replace") or "main"
    head = refs.get(ref_of(name))
    if head is None:
        raise InputError(
            f"There is no branch {name!r} in {address}. Nothing was changed."
            " Create it with a first commit, or correct the pipeline."
        )
    return name, head


def ref_of(branch: str) -> Ref:
    """Return the full name of a branch."""
    return Ref(BRANCHES + branch.encode())


def explain_move(seen: Snapshot, address: str) -> BranchMovedError:
    """Return the error for a branch that is no longer as it was seen."""
    return BranchMovedError(
        f"Somebody else moved {seen.branch} of {address} at the same time."
        " Nothing was written over; try again."
    )


def explain_refusal(address: str, why: str) -> str:
    """Return the sentence for a repository that said no."""
    return f"{address} refuses: {why[:300]}. The branch was not moved."


def explain_absence(address: str) -> GitRefusedError:
    """Return the error for an address without a repository."""
    return GitRefusedError(
        f"There is no git repository at {address}, or none these credentials may see."
        " Nothing was changed. Check the connection."
    )
