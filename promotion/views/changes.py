"""What a promotion changes: artifacts by digest, and the commits it brings."""

from collections.abc import Sequence
from dataclasses import dataclass

from promotion.models import Commit, Promotion, Release, User

COMMITS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class ArtifactChange:
    """One artifact: what runs now and what would; either may be missing."""

    name: str
    old: str
    new: str

    @property
    def is_unchanged(self) -> bool:
        """The same digest."""
        return self.old == self.new


@dataclass(frozen=True, slots=True)
class Changes:
    """The artifacts, and the commits newest first; `range_is_known` is false where only the own one is."""

    artifacts: list[ArtifactChange]
    commits: Sequence[Commit]
    range_is_known: bool
    old_version: str

    @property
    def first_commits(self) -> Sequence[Commit]:
        """Those shown at once."""
        return self.commits[:COMMITS_SHOWN]

    @property
    def more_commits(self) -> Sequence[Commit]:
        """Those shown when asked for."""
        return self.commits[COMMITS_SHOWN:]

    @property
    def author_names(self) -> list[str]:
        """Each once."""
        return sorted(
            {commit.author_name or commit.author_address for commit in self.commits} - {""}
        )

    @property
    def summary(self) -> str:
        """7 commits by 4 authors, 2 artifacts."""
        artifacts = _count(len(self.artifacts), "artifact")
        if not self.range_is_known:
            return f"{artifacts}; the commits between are not known"
        if not self.commits:
            return f"{artifacts}, no commit"
        by = _count(len(self.author_names), "author")
        return f"{_count(len(self.commits), 'commit')} by {by}, {artifacts}"


def changes_of(promotion: Promotion, commits: Sequence[Commit], *, range_is_known: bool) -> Changes:
    """Compares the release with the one it replaces."""
    new, old = _digests(promotion.release), _digests(promotion.replaces)
    artifacts = [
        ArtifactChange(name, old.get(name, ""), new.get(name, "")) for name in sorted(new | old)
    ]
    version = promotion.replaces.version if promotion.replaces else ""
    return Changes(artifacts, commits, range_is_known, version)


def _digests(release: Release | None) -> dict[str, str]:
    if release is None:
        return {}
    return {one.short_name or one.digest[7:19]: one.digest for one in release.artifacts.all()}


def commits_by(person: User, commits: Sequence[Commit]) -> int:
    """How many of the commits the person wrote or helped to write."""
    own = set(person.addresses.values_list("value", flat=True))
    return sum(
        bool(own & {one.lower() for one in [commit.author_address, *commit.co_author_addresses]})
        for commit in commits
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
