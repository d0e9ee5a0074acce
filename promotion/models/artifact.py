"""Builds, artifacts, releases, and the commits they came from."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import connection, models

from .catalog import Service
from .event import Event

digest_validator = RegexValidator(
    r"^sha256:[0-9a-f]{64}$", "A digest is sha256: and 64 hexadecimal digits."
)


class RunResult(models.TextChoices):
    """What became of a build or deployment."""

    QUEUED = "queued", "Queued"
    STARTED = "started", "Started"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    ROLLED_BACK = "rolled_back", "Rolled back"
    REMOVED = "removed", "Removed"


# One query for the whole line, since one a commit would cost a page hundreds; runs on both databases.
_FIRST_PARENTS = """
WITH RECURSIVE line(sha, steps) AS (
    SELECT CAST(%(new)s AS text), 0
    UNION ALL
    SELECT CAST(c.parent_sha AS text), line.steps + 1
    FROM line JOIN {table} c ON c.repository = %(repository)s AND c.sha = line.sha
    WHERE line.sha <> %(old)s AND line.steps < %(limit)s
)
SELECT sha, steps FROM line WHERE sha <> '' ORDER BY steps
"""


class CommitQuerySet(models.QuerySet["Commit"]):
    """Reads of commits."""

    def between(
        self, repository: str, old: str, new: str, *, limit: int = 500
    ) -> "tuple[Commit, ...] | None":
        """The commits after `old` up to and with `new`, newest first; None where the line is not known.

        Follows first parents, so the cost grows with the distance and not with the repository.
        """
        if not repository or not old or not new:
            return None
        with connection.cursor() as cursor:
            table = connection.ops.quote_name(self.model._meta.db_table)
            cursor.execute(
                _FIRST_PARENTS.format(table=table),
                {"repository": repository, "old": old, "new": new, "limit": limit},
            )
            line = [sha for sha, _ in cursor.fetchall()]
        if not line or line[-1] != old:
            return None
        known = {one.sha: one for one in self.filter(repository=repository, sha__in=line[:-1])}
        return tuple(known[sha] for sha in line[:-1])


class Commit(models.Model):
    """A commit of a repository, as far as a push or a fetch told of it."""

    repository = models.CharField(max_length=300)
    sha = models.CharField(max_length=64)
    parent_sha = models.CharField(
        max_length=64, blank=True, help_text="first parent, or the one before it in a push"
    )
    author_name = models.CharField(max_length=200, blank=True)
    author_address = models.CharField(max_length=254, blank=True)
    co_author_addresses: "models.JSONField[Any, Any]" = models.JSONField(default=list, blank=True)
    message = models.TextField(blank=True)
    committed_at = models.DateTimeField(null=True, blank=True)

    objects = CommitQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["repository", "sha"], name="commit_once")
        ]

    def __str__(self) -> str:
        return f"{self.repository}@{self.sha[:12]}"

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]


class Build(models.Model):
    """A CI run that produced artifacts from a commit."""

    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    repository = models.CharField(max_length=300, blank=True, db_index=True)
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="builds"
    )
    name = models.CharField(max_length=300, blank=True)
    commit = models.CharField(max_length=64, blank=True, db_index=True)
    version = models.CharField(max_length=200, blank=True)
    result = models.CharField(max_length=12, choices=RunResult.choices, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    url = models.URLField(max_length=1000, blank=True)
    actor = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField()
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="+")
    artifacts: "models.ManyToManyField[Artifact, Any]" = models.ManyToManyField(
        "promotion.Artifact", through="promotion.BuildArtifact", related_name="builds", blank=True
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "repository", "external_id"], name="build_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.repository or self.name} build {self.external_id}"


class BuildArtifact(models.Model):
    """A build made an artifact: as a sender said, or inferred where exactly one build fits."""

    build = models.ForeignKey(Build, models.CASCADE, related_name="+")
    artifact = models.ForeignKey("promotion.Artifact", models.CASCADE, related_name="+")
    is_stated = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["build", "artifact"], name="build_artifact_once")
        ]

    def __str__(self) -> str:
        return f"{self.build} made {self.artifact}"


class Artifact(models.Model):
    """Immutable output of a build; its identity is its digest, never its tag."""

    digest = models.CharField(max_length=71, unique=True, validators=[digest_validator])
    name = models.CharField(
        max_length=300, blank=True, help_text="path in the registry, without host"
    )
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="artifacts"
    )
    media_type = models.CharField(max_length=200, blank=True)
    size = models.BigIntegerField(null=True, blank=True, help_text="bytes, blobs included")
    index = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="platforms",
        help_text="the index this platform belongs to",
    )
    commit = models.CharField(max_length=64, blank=True, help_text="as its labels say")
    first_seen_at = models.DateTimeField()
    event = models.ForeignKey(Event, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.short_name}@{self.digest[7:19]}"

    @property
    def short_name(self) -> str:
        """The last part of the path: what a pipeline calls the artifact."""
        return self.name.rpartition("/")[2]


class ArtifactTagQuerySet(models.QuerySet["ArtifactTag"]):
    """Reads of tags."""

    def with_moves(self) -> "ArtifactTagQuerySet":
        """Each with `moved_at` and `moved_to`: when it was next seen at another digest, and at which."""
        later = (
            self.model._default_manager.filter(
                repository=models.OuterRef("repository"),
                tag=models.OuterRef("tag"),
                seen_at__gt=models.OuterRef("seen_at"),
            )
            .exclude(artifact=models.OuterRef("artifact"))
            .order_by("seen_at", "pk")
        )
        return self.annotate(
            moved_at=models.Subquery(later.values("seen_at")[:1]),
            moved_to=models.Subquery(later.values("artifact__digest")[:1]),
        )


class ArtifactTag(models.Model):
    """A tag was seen pointing at an artifact in a repository; a later row for the same tag means it moved."""

    artifact = models.ForeignKey(Artifact, models.CASCADE, related_name="tags")
    repository = models.CharField(max_length=300, help_text="path in the registry, without host")
    tag = models.CharField(max_length=200)
    seen_at = models.DateTimeField()
    is_from_registry = models.BooleanField(
        default=False, help_text="no sender named the digest; the registry was asked"
    )

    objects = ArtifactTagQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["artifact", "repository", "tag"], name="artifact_tag_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["tag"], name="artifact_tag_tag")]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


class ReleaseQuerySet(models.QuerySet["Release"]):
    """Reads of releases."""

    def newest_first(self) -> "ReleaseQuerySet":
        """By the time the release was made, last first."""
        return self.order_by("-created_at", "-pk")

    def build_once_violations(self) -> "ReleaseQuerySet":
        """Those of whose version there is another set of digests: it was built more than once."""
        return self.filter(models.Exists(self.others_of_version()))

    def others_of_version(self) -> "ReleaseQuerySet":
        """Within an outer query of releases: the other sets of digests of the same version."""
        same = self.model._default_manager.filter(
            service=models.OuterRef("service"), version=models.OuterRef("version")
        )
        return same.exclude(pk=models.OuterRef("pk"))


class Release(models.Model):
    """A named version of a service: one or more artifacts, by digest."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="releases")
    version = models.CharField(max_length=200)
    digests_sha256 = models.CharField(
        max_length=64, help_text="over the sorted digests: one version may have several sets"
    )
    commit = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_index=True)
    artifacts: "models.ManyToManyField[Artifact, Any]" = models.ManyToManyField(
        Artifact, related_name="releases"
    )
    vetoed_at = models.DateTimeField(null=True, blank=True)
    vetoed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    veto_reason = models.CharField(max_length=500, blank=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service", "version", "digests_sha256"], name="release_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.service.slug} {self.version}"

    @property
    def is_vetoed(self) -> bool:
        """A vetoed release is never promoted anywhere further."""
        return self.vetoed_at is not None

    @property
    def digests(self) -> tuple[str, ...]:
        """Sorted."""
        return tuple(sorted(artifact.digest for artifact in self.artifacts.all()))
