"""Seeing new commits of the GitOps repository, and what they ask for."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from dulwich.diff_tree import tree_changes
from dulwich.objects import Blob, Commit, ObjectID
from dulwich.repo import Repo

from demo.gitops import MAIN, digest_in, place_of_path, walk_since
from demo.runtime.place import Place, Rollout, place_name
from promotion.sources.times import format_time

PROMOTION_TRAILER = "Throughline-Promotion: "


def notice_commits(path: Path, place: Place, *, began_at: datetime, at: datetime) -> bool:
    """Adds what new commits ask for to the place; True where there was anything new.

    Commits from before the demonstration began are history: what they ask for runs already.
    """
    if not path.exists():
        return False
    with Repo(str(path)) as repository:
        if place.seen and ObjectID(place.seen.encode()) == repository.get_refs().get(MAIN):
            return False
        seen = ObjectID(place.seen.encode()) if place.seen else None
        is_new = False
        for commit in walk_since(repository, seen):
            for rollout in _read_commit(repository, commit, at):
                if commit.commit_time >= int(began_at.timestamp()):
                    place.rollouts.append(rollout)
                else:
                    place.running[rollout.place] = rollout.digest
            place.seen, is_new = commit.id.decode(), True
    return is_new


def _read_commit(repository: Repo, commit: Commit, at: datetime) -> Iterator[Rollout]:
    """One rollout for each file whose digest the commit changed."""
    parent = repository[commit.parents[0]] if commit.parents else None
    before = parent.tree if isinstance(parent, Commit) else None
    for change in tree_changes(repository.object_store, before, commit.tree):
        if change.new is None or change.new.path is None or change.new.sha is None:
            continue
        named = place_of_path(change.new.path.decode())
        blob = repository[change.new.sha]
        digest = digest_in(blob.data) if isinstance(blob, Blob) else None
        if named is None or digest is None:
            continue
        service, environment, target = named
        yield Rollout(
            identity=f"{commit.id.decode()[:16]}-{place_name(service, environment, target)}",
            service=service,
            environment=environment,
            target=target,
            digest=digest,
            promotion=_promotion_named(commit.message.decode(errors="replace")),
            noticed_at=format_time(at),
        )


def _promotion_named(message: str) -> str:
    lines = (line for line in message.splitlines() if line.startswith(PROMOTION_TRAILER))
    return next(lines, "").removeprefix(PROMOTION_TRAILER).strip()
