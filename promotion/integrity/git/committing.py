"""Changing files of a branch in one commit, once however often it is tried."""

import stat
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree

from promotion.exceptions import InputError
from promotion.integrity.connecting import find_connection, locate_directory
from promotion.integrity.git.http import HttpRemote
from promotion.integrity.git.local import LocalRemote
from promotion.integrity.git.remotes import HISTORY, BranchMovedError, GitRemote, Snapshot
from promotion.integrity.git.ssh import SshAddress, SshRemote
from promotion.models import Connection

KEY_TRAILER = "Throughline-Key"
# Other promotions write to the same branch; each try is a fresh read and a fresh commit.
MOST_TRIES = 8
_LARGEST_FILE = 5 * 1024 * 1024

Edit = Callable[[bytes], bytes]
Kind = TypeVar("Kind", bound=ShaFile)


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The commit that holds the change.

    `is_new` is false where it was there already: by its key, or, with `is_unchanged`, since the
    files were as they should be before anybody asked.
    """

    commit: str
    branch: str
    is_new: bool
    is_unchanged: bool = False


def open_remote(name: str) -> GitRemote:
    """Return the git repository behind a connection; raises InputError."""
    connection = find_connection(name, Connection.Kind.GIT)
    if urlsplit(connection.address).scheme in {"http", "https"}:
        return HttpRemote(connection.address, connection.username, connection.secret)
    if SshAddress.is_one(connection.address):
        return SshRemote(
            connection.address,
            connection.username,
            connection.secret,
            str(connection.settings.get("known_hosts", "")),
        )
    return LocalRemote(locate_directory(connection))


def read_file(remote: GitRemote, path: str, *, branch: str | None = None) -> bytes:
    """Return a file's bytes at the newest commit; raises InputError and the errors of remotes."""
    with remote.open(branch) as seen:
        parts = _split_path(path)
        return _read_blob(seen.store, _tree_of(seen), parts, path)[1].data


def commit_files(
    remote: GitRemote,
    edits: Mapping[str, Edit],
    *,
    key: str,
    message: str,
    trailers: Sequence[tuple[str, str]] = (),
    branch: str | None = None,
    at: datetime,
) -> CommitResult:
    """Apply an edit to each file and push them as one commit with the key as a trailer.

    Where one of the branch's newest 500 commits has that key already, or the files are as they
    should be, nothing is committed. If the branch moves meanwhile it is read and edited again.
    Raises InputError, GitRefusedError, GitUnreachableError, BranchMovedError (after 8 tries).
    """
    for _ in range(MOST_TRIES):
        with remote.open(branch) as seen:
            done = _find_key(seen, key)
            if done is not None:
                return CommitResult(done, seen.branch, is_new=False)
            tree, made = _apply(seen, edits)
            if not made:
                head = seen.head.decode()
                return CommitResult(head, seen.branch, is_new=False, is_unchanged=True)
            text = _write_message(message, [*trailers, (KEY_TRAILER, key)])
            commit = _make_commit(seen, tree, text, at)
            try:
                remote.move_branch(seen, commit.id, [*made, commit])
            except BranchMovedError as error:
                moved = error
                continue
            return CommitResult(commit.id.decode(), seen.branch, is_new=True)
    raise moved


def _apply(seen: Snapshot, edits: Mapping[str, Edit]) -> tuple[ObjectID, list[ShaFile]]:
    """The tree with all edits made, and the objects that are new in it."""
    tree = _tree_of(seen)
    made: dict[ObjectID, ShaFile] = {}
    store = _Layered(seen.store, made)
    for path, edit in edits.items():
        parts = _split_path(path)
        mode, blob = _read_blob(store, tree, parts, path)
        changed = Blob.from_string(edit(blob.data))
        if changed.id == blob.id:
            continue
        made[changed.id] = changed
        tree = _replace(store, tree, parts, mode, changed.id, made)
    return tree, list({item.id: item for item in _reachable(tree, made)}.values())


def _reachable(key: ObjectID, made: Mapping[ObjectID, ShaFile]) -> Iterator[ShaFile]:
    """The new objects of a tree, without those that a later edit replaced."""
    item = made.get(key)
    if item is not None:
        yield item
    if isinstance(item, Tree):
        for entry in item.items():
            yield from _reachable(entry.sha, made)


class _Layered:
    """Objects just made above those that are stored."""

    def __init__(self, store: BaseObjectStore, made: Mapping[ObjectID, ShaFile]) -> None:
        self._store = store
        self._made = made

    def __getitem__(self, key: ObjectID) -> ShaFile:
        return self._made[key] if key in self._made else self._store[key]


Objects = BaseObjectStore | _Layered


def _replace(
    store: _Layered,
    tree: ObjectID,
    parts: Sequence[bytes],
    mode: int,
    blob: ObjectID,
    made: dict[ObjectID, ShaFile],
) -> ObjectID:
    old = _expect(Tree, store[tree])
    new = _expect(Tree, old.copy())
    name, rest = parts[0], parts[1:]
    if rest:
        new[name] = (stat.S_IFDIR, _replace(store, old[name][1], rest, mode, blob, made))
    else:
        new[name] = (mode, blob)
    made[new.id] = new
    return new.id


def _read_blob(
    store: Objects, tree: ObjectID, parts: Sequence[bytes], path: str
) -> tuple[int, Blob]:
    mode, item = stat.S_IFDIR, store[tree]
    for part in parts:
        if not isinstance(item, Tree) or part not in item:
            raise InputError(
                f"There is no file {path[:200]!r} in the branch. Nothing was committed."
                " Add the file once, or correct the path in the pipeline."
            )
        mode, sha = item[part]
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise InputError(
                f"{path[:200]!r} is a link or another repository. Nothing was committed."
                " Name the file itself."
            )
        item = store[sha]
    if not isinstance(item, Blob) or item.raw_length() > _LARGEST_FILE:
        raise InputError(f"{path[:200]!r} is no file of at most 5 MB. Nothing was committed.")
    return mode, item


def _split_path(path: str) -> list[bytes]:
    parts = path.split("/")
    if not all(parts) or any(part in {".", ".."} or part.lower() == ".git" for part in parts):
        raise InputError(
            f"{path[:200]!r} is no path inside a repository. Nothing was committed."
            " Write it without a leading '/' and without '..'."
        )
    return [part.encode() for part in parts]


def _tree_of(seen: Snapshot) -> ObjectID:
    return ObjectID(_expect(Commit, seen.store[seen.head]).tree)


def _expect(kind: type[Kind], item: ShaFile) -> Kind:
    if not isinstance(item, kind):
        raise InputError(
            "The git repository names an object of another kind than its place says."
            " Nothing was committed. Have the repository checked with git fsck."
        )
    return item


def _find_key(seen: Snapshot, key: str) -> str | None:
    wanted = f"{KEY_TRAILER}: {key}".encode()
    for commit in _newest_commits(seen):
        if wanted in commit.message.splitlines():
            return commit.id.decode()
    return None


def _newest_commits(seen: Snapshot) -> Iterator[Commit]:
    """At most 500 commits, breadth first; what was not fetched is beyond them."""
    waiting, known = deque([seen.head]), {seen.head}
    for _ in range(HISTORY):
        if not waiting:
            return
        sha = waiting.popleft()
        if sha not in seen.store:
            continue
        commit = _expect(Commit, seen.store[sha])
        yield commit
        fresh = [parent for parent in commit.parents if parent not in known]
        known.update(fresh)
        waiting.extend(fresh)


def _make_commit(seen: Snapshot, tree: ObjectID, message: str, at: datetime) -> Commit:
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    commit = Commit()
    commit.tree = tree
    commit.parents = [seen.head]
    commit.author = commit.committer = f"Throughline <throughline@{host}>".encode()
    commit.author_time = commit.commit_time = int(at.astimezone(UTC).timestamp())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.encode()
    return commit


def _write_message(message: str, trailers: Sequence[tuple[str, str]]) -> str:
    lines = [f"{name}: {' '.join(value.split())}" for name, value in trailers]
    return message.strip() + "\n\n" + "\n".join(lines) + "\n"
