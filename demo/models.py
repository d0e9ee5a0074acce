"""How far the demonstration is loaded."""

from datetime import datetime

from django.db import models


class DemoProgress(models.Model):
    """The one row about the demonstration: what was asked for, and how much of it is there.

    It is written in the transaction of the acts it counts, so that a killed load goes on exactly
    where it was.
    """

    began_at = models.DateTimeField(help_text="the history ends here")
    days = models.PositiveSmallIntegerField()
    services = models.JSONField(default=list, help_text="slugs of the services that are loaded")
    runtime_port = models.PositiveIntegerField(help_text="where the demo runtime tells its health")
    done = models.PositiveIntegerField(default=0, help_text="acts of the history that happened")
    total = models.PositiveIntegerField(default=0)
    reached_at = models.DateTimeField(null=True, blank=True, help_text="how far the history is")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "demo progress"

    def __str__(self) -> str:
        return f"Loading the demonstration, {self.percent} %"

    @classmethod
    def current(cls) -> "DemoProgress | None":
        """The row, None where nothing was begun."""
        return cls.objects.order_by("pk").first()

    @property
    def percent(self) -> int:
        """How much is done, 100 only when all is."""
        if self.finished_at:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0

    @property
    def is_finished(self) -> bool:
        """True once everything is there."""
        return self.finished_at is not None

    def note(self, done: int, reached_at: datetime) -> None:
        """So many acts have happened, the last of them then."""
        self.done, self.reached_at = done, reached_at
        self.save(update_fields=["done", "reached_at"])
