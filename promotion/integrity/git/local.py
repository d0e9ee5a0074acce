"""A bare git repository of this machine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dulwich.errors import NotGitRepository
from dulwich.file import FileLocked
from dulwich.objects import ObjectID, ShaFile
from dulwich.repo import Repo

from promotion.exceptions import InputError
from promotion.integrity.git.remotes import (
    HEAD,
    GitUnreachableError,
    Snapshot,
    choose_branch,
    explain_absence,
    explain_move,
    ref_of,
)


class LocalRemote:
    """A bare repository of this machine."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self._path = path

    @contextmanager
    def open(self, branch: str | None) -> Iterator[Snapshot]:
        """Read the branch where it lies; nothing is copied."""
        with self._repository() as repository:
            refs = repository.get_refs()
            symbolic = {
                name: value for name, value in repository.refs.get_symrefs().items() if name == HEAD
            }
            name, head = choose_branch(refs, symbolic, branch, self.address)
            yield Snapshot(name, head, repository.object_store)

    def move_branch(self, seen: Snapshot, to: ObjectID, made: Sequence[ShaFile]) -> None:
        """Store the new objects, then move the branch; raises BranchMovedError."""
        with self._repository() as repository:
            for item in made:
                repository.object_store.add_object(item)
            try:
                moved = repository.refs.set_if_equals(ref_of(seen.branch), seen.head, to)
            except FileLocked:
                moved = False
        if not moved:
            raise explain_move(seen, self.address)

    @contextmanager
    def _repository(self) -> Iterator[Repo]:
        try:
            repository = Repo(str(self._path))
        except NotGitRepository as error:
            raise explain_absence(self.address) from error
        with repository:
            if not repository.bare:
                raise InputError(
                    f"{self.address} has files checked out beside its history, and a commit would"
                    " not reach them. Nothing was changed. Name a bare repository."
                )
            try:
                yield repository
            except OSError as error:
                raise GitUnreachableError(
                    f"{self.address} cannot be used ({error.strerror}). The branch was not moved."
                ) from error
