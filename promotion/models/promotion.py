"""One request to bring one release into one environment, with its history."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from promotion.exceptions import ConflictError
from promotion.rules.states import FINAL, State, may_move

from .access import User
from .artifact import Release
from .catalog import Environment, Service
from .pipeline import PipelineVersion

STATE_CHOICES = [(state.value, state.value.capitalize()) for state in State]
OPEN_STATES = [state.value for state in State if state not in FINAL]


class PromotionQuerySet(models.QuerySet["Promotion"]):
    """Reads of promotions."""

    def open(self) -> "PromotionQuerySet":
        """Not yet ended."""
        return self.filter(state__in=OPEN_STATES)

    def due(self, at: datetime) -> "PromotionQuerySet":
        """Open ones worth looking at by that time; answered from an index."""
        return self.open().filter(next_look_at__lte=at)

    def of(self, service: Service, environment: Environment) -> "PromotionQuerySet":
        """Of one lane."""
        return self.filter(service=service, environment=environment)

    def waiting_for(self, person: User) -> "PromotionQuerySet":
        """Waiting ones whose gates the person's decision would move."""
        return self.filter(state=State.WAITING.value, waits_for=person)

    def locked(self, number: int) -> "Promotion":
        """The promotion, held until the transaction ends.

        Its service's row is locked first, always: so two promotions of one lane are never decided
        at the same time, and no two transactions wait for each other in a circle. Rows that only
        name the service (`no_key`) may come meanwhile: what tools report never waits for a decision.
        """
        Service.objects.select_for_update(no_key=True).get(promotions=number)
        return self.select_for_update(of=("self",)).for_display().get(pk=number)

    def for_display(self) -> "PromotionQuerySet":
        """With what a list or page names of each, in one query."""
        return self.select_related(
            "release",
            "release__service",
            "service",
            "service__team",
            "environment",
            "requested_by",
            "pipeline_version",
        )


class Promotion(models.Model):
    """Its key is its number: P-2318."""

    class Kind(models.TextChoices):
        """Why it was asked for."""

        NORMAL = "normal", "Normal"
        HOTFIX = "hotfix", "Hotfix"
        ROLLBACK = "rollback", "Rollback"

    class Origin(models.TextChoices):
        """Who asked."""

        PERSON = "person", "A person"
        AUTOMATIC = "automatic", "Automatic promotion"
        TOOL = "tool", "Another tool"

    class Mechanism(models.TextChoices):
        """Who executed its steps."""

        AUTOMATED = "automated", "Automated"
        MANUAL = "manual", "Manual"
        UNKNOWN = "unknown", "Unknown"

    class StopThen(models.TextChoices):
        """What follows a stop."""

        LEAVE = "leave", "Leave it as it is"
        ROLL_BACK = "roll back", "Roll back"

    class Cause(models.TextChoices):
        """Why it failed, broke, or had to be rolled back."""

        CHANGE = "change", "The change itself"
        CONFIGURATION = "configuration", "Configuration or secrets"
        DATA = "data", "Data or migration"
        DEPENDENCY = "dependency", "Another service or a supplier"
        PLATFORM = "platform", "Infrastructure or platform"
        PIPELINE = "pipeline", "The pipeline or its tools"
        CHECK = "check", "A check was wrong or flaky"
        PROCESS = "process", "How we work"
        UNKNOWN = "unknown", "Not known yet"

    release = models.ForeignKey(Release, models.PROTECT, related_name="promotions")
    service = models.ForeignKey(Service, models.PROTECT, related_name="promotions")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="promotions")
    stage = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.NORMAL)
    state = models.CharField(max_length=12, choices=STATE_CHOICES, default=State.PENDING)
    reason = models.CharField(
        max_length=1000, blank=True, help_text="of the last move, in a sentence"
    )

    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.PERSON)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="promotions_asked_for",
    )
    fields: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, help_text="what the stage asks for, as answered"
    )
    pipeline_version = models.ForeignKey(PipelineVersion, models.PROTECT, related_name="+")
    content: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="what the content hash is over"
    )
    content_hash = models.CharField(max_length=71, blank=True)
    mechanism = models.CharField(
        max_length=10, choices=Mechanism.choices, default=Mechanism.AUTOMATED
    )
    replaces = models.ForeignKey(
        Release,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="what ran there when asked",
    )
    candidate = models.ForeignKey(
        Release,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="the candidate of automatic promotion when asked; decides about a hold",
    )
    undoes = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="undone_by",
        help_text="the promotion a rollback undoes",
    )
    retry_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="retries"
    )
    attempt = models.PositiveSmallIntegerField(default=1)

    asked_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    next_look_at = models.DateTimeField(
        null=True, blank=True, help_text="when it is next worth looking at"
    )
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    stop_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    stop_then = models.CharField(
        max_length=9, choices=StopThen.choices, blank=True, help_text="what the person chose"
    )
    glass_broken_at = models.DateTimeField(
        null=True, blank=True, help_text="when somebody first broke the glass for it"
    )
    cause = models.CharField(
        max_length=40, choices=Cause.choices, blank=True, help_text="category of a failure"
    )
    cause_words = models.TextField(blank=True)
    cause_told_at = models.DateTimeField(null=True, blank=True)
    cause_told_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    action = models.TextField(blank=True, help_text="what will be done about the cause")
    action_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    action_due = models.DateField(null=True, blank=True)
    action_url = models.URLField(max_length=1000, blank=True)
    action_done_at = models.DateTimeField(null=True, blank=True, help_text="empty = open")
    action_done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    waits_for: "models.ManyToManyField[Any, Any]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="inbox",
        blank=True,
        help_text="who could act on it when it was last looked at",
    )

    objects = PromotionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["service", "environment"],
                condition=models.Q(state=State.RUNNING.value),
                name="one_running_promotion",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_look_at"],
                name="promotion_due",
                # Of what ended it is empty; SQLite, too, sees that a comparison implies this.
                condition=models.Q(next_look_at__isnull=False),
            ),
            models.Index(fields=["service", "environment", "-asked_at"], name="promotion_lane"),
            models.Index(fields=["state", "-asked_at"], name="promotion_state"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.release} to {self.environment.slug}"

    @property
    def number(self) -> str:
        """P-2318: stable, may be pasted anywhere."""
        return f"P-{self.pk}"

    @property
    def is_open(self) -> bool:
        """May still move."""
        return State(self.state) not in FINAL

    def move_to(self, to: State, *, reason: str, at: datetime, actor: User | None = None) -> None:
        """Moves by compare-and-set and writes the transition; ConflictError where another was faster.

        Must run inside the caller's transaction, so that the move and its transition stand or fall together.
        """
        before = State(self.state)
        if not may_move(before, to):
            raise ConflictError(
                f"{self.number} is {before}, and from there it cannot become {to}. Nothing was changed."
            )
        changes: dict[str, Any] = {"state": to.value, "reason": reason[:1000]}
        if to is State.RUNNING:
            changes["started_at"] = at
        if to in FINAL:
            changes |= {"ended_at": at, "next_look_at": None}
        moved = Promotion.objects.filter(pk=self.pk, state=before.value).update(**changes)
        if not moved:
            raise ConflictError(
                f"{self.number} is no longer {before}: somebody else moved it. Nothing was changed."
            )
        for name, value in changes.items():
            setattr(self, name, value)
        Transition.objects.create(
            promotion=self,
            from_state=before.value,
            to_state=to.value,
            reason=reason[:1000],
            actor=actor,
            at=at,
        )


class Transition(models.Model):
    """One move of a promotion."""

    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="transitions")
    from_state = models.CharField(max_length=12, choices=STATE_CHOICES)
    to_state = models.CharField(max_length=12, choices=STATE_CHOICES)
    reason = models.CharField(max_length=1000)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.promotion_id}: {self.from_state} → {self.to_state}"
