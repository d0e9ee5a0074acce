"""The filter bar of the measures: what can be chosen, what is, and addresses that keep the rest."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from metrics.exported import write_head
from metrics.forms import CUSTOM, PRESETS, Asked, read_question
from promotion.formats import NO_BREAK
from promotion.models import Environment, Service, Team

PRESET_WORDS = {"30": "30 days", "90": "90 days", "365": "1 year"}


@dataclass(frozen=True, slots=True)
class Bar:
    """What the filter bar shows."""

    asked: Asked
    query: str
    presets: tuple[tuple[str, str, bool], ...]
    teams: tuple[tuple[str, str], ...]
    services: tuple[str, ...]
    environments: tuple[tuple[str, str], ...]
    days: str
    last_day: str

    @property
    def is_custom(self) -> bool:
        """Whether the days were chosen one by one."""
        return self.asked.preset == CUSTOM

    @property
    def stamp(self) -> str:
        """What an image of a chart says of itself: definition, days, filters, as-of."""
        head = write_head(self.asked)
        days = f"{head['from']} up to, not with, {head['to']} ({head['zone']})"
        told = (f"definition {head['definition']}", days, head["filters"], f"as of {head['as_of']}")
        return " · ".join(part for part in told if part)


def read_asked(request: HttpRequest) -> Asked:
    """The question of a page's address."""
    return read_question(request.GET.dict(), timezone.now())


def make_bar(asked: Asked) -> Bar:
    """The filter bar of a question, in three queries."""
    period, last = asked.period, asked.period.to - timedelta(days=1)
    first_year = "" if period.from_.year == last.year else f" {period.from_.year}"
    days = f"{period.from_.day} {period.from_:%b}{first_year} to {last.day} {last:%b} {last.year}"
    return Bar(
        asked=asked,
        query=urlencode(asked.query()),
        presets=tuple((key, PRESET_WORDS[key], asked.preset == key) for key in PRESETS),
        teams=tuple(Team.objects.values_list("slug", "name")),
        services=tuple(Service.objects.values_list("slug", flat=True)),
        environments=tuple(Environment.objects.values_list("slug", "name")),
        days=days.replace(" ", NO_BREAK),
        last_day=last.isoformat(),
    )
