"""A git repository of another machine, whatever carries git's protocol to it."""

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from dulwich.client import GitClient
from dulwich.errors import SendPackError
from dulwich.objects import ObjectID, ShaFile
from dulwich.pack import pack_objects_to_data
from dulwich.refs import Ref
from dulwich.repo import Repo

from promotion.integrity.git.remotes import (
    BRANCHES,
    HEAD,
    HISTORY,
    GitRefusedError,
    Snapshot,
    choose_branch,
    explain_move,
    explain_refusal,
    ref_of,
)

LARGEST_ANSWER = 512 * 1024 * 1024


class FarRemote(ABC):
    """Fetches the near history of a branch and pushes to it, through the client a subclass opens."""

    address: str
    _path = b""

    @abstractmethod
    def _client(self) -> AbstractContextManager[GitClient]:
        """A client; leaving it turns its errors into GitRefusedError and GitUnreachableError."""

    @contextmanager
    def open(self, branch: str | None) -> Iterator[Snapshot]:
        """Fetch the branch's near history into a directory that goes afterwards."""
        with (
            tempfile.TemporaryDirectory(prefix="throughline-git-") as directory,
            Repo.init_bare(directory) as target,
        ):
            with self._client() as git:
                advertised = git.get_refs(self._path, ref_prefix=[bytes(HEAD), BRANCHES])
                name, head = choose_branch(
                    advertised.refs, advertised.symrefs or {}, branch, self.address
                )

                def want_head(*_: object, **__: object) -> list[ObjectID]:
                    return [head]

                git.fetch(self._path, target, determine_wants=want_head, depth=HISTORY)
            yield Snapshot(name, head, target.object_store)

    def move_branch(self, seen: Snapshot, to: ObjectID, made: Sequence[ShaFile]) -> None:
        """Push the new objects; raises BranchMovedError, GitRefusedError, GitUnreachableError."""
        ref = ref_of(seen.branch)

        def change(refs: Mapping[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            # The server compares with what it said just now, so that must be what we saw.
            if refs.get(ref) != seen.head:
                raise explain_move(seen, self.address)
            return {ref: to}

        def pack(*_: object, **__: object) -> Any:
            return pack_objects_to_data([(item, None) for item in made])

        with self._client() as git:
            try:
                answer = git.send_pack(self._path, change, pack)
            except SendPackError as error:
                raise GitRefusedError(explain_refusal(self.address, str(error))) from error
            refused = (answer.ref_status or {}).get(ref)
            if refused is None:
                return
            now = git.get_refs(self._path, ref_prefix=[bytes(ref)]).refs.get(ref)
        if now != seen.head or "lock" in refused:
            raise explain_move(seen, self.address)
        raise GitRefusedError(explain_refusal(self.address, refused))


def explain_size(host: str) -> GitRefusedError:
    """Return the error for a far side that sends more than is read."""
    return GitRefusedError(
        f"{host} sent more than {LARGEST_ANSWER} bytes. They were not used."
        " Keep what is deployed in a smaller repository."
    )
