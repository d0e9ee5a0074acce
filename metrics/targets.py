"""Which target holds for a measure, a team and a service."""

from collections.abc import Iterable
from datetime import datetime

from metrics.models import MeasureTarget
from promotion.models import Service, Team

Scope = tuple[str, str]
EVERYBODY: Scope = ("", "")


class Targets:
    """The targets in force at a time, read once."""

    def __init__(self, at: datetime) -> None:
        self._values: dict[tuple[str, Scope], float] = {}
        rows = MeasureTarget.objects.filter(set_at__lte=at).order_by("set_at", "pk")
        for measure, team, service, value in rows.values_list(
            "measure", "team__slug", "service__slug", "value"
        ):
            key = (measure, (team or "", service or ""))
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value
        self._parents: dict[str, str | None] = dict(
            Team.objects.values_list("slug", "parent__slug")
        )
        self._team_of: dict[str, str] = dict(Service.objects.values_list("slug", "team__slug"))

    def find(
        self, measure: str, team: str | None = None, service: str | None = None
    ) -> float | None:
        """The narrowest target: of the service, its team, a team above, or of everybody."""
        if service:
            team = self._team_of.get(service, team)
        narrowest: tuple[Scope, ...] = (("", service),) if service else ()
        for scope in (*narrowest, *self._line(team), EVERYBODY):
            found = self._values.get((measure, scope))
            if found is not None:
                return found
        return None

    def _line(self, team: str | None) -> Iterable[Scope]:
        seen: set[str] = set()
        while team and team not in seen:
            seen.add(team)
            yield (team, "")
            team = self._parents.get(team)
