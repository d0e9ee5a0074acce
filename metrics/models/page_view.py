"""That somebody looked, which a check asks for."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from promotion.models import Team


class PageView(models.Model):
    """A member of a team viewed its measures on a day; told by a POST, never by a GET."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, models.CASCADE, related_name="+")
    page = models.CharField(max_length=40)
    day = models.DateField(help_text="in the reporting zone; one row a day is enough")
    first_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["person", "team", "page", "day"], name="page_view_once_a_day"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["team", "page", "day"], name="page_view_team")]

    def __str__(self) -> str:
        return f"{self.person} viewed {self.page} for {self.team} on {self.day}"
