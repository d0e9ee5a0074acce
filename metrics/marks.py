"""What stands at dates of the charts: people's words, and what was unusual."""

from datetime import timedelta

from django.db.models import Q

from metrics.anomalies.base import SHIFT
from metrics.charts import Mark
from metrics.models import Annotation, Anomaly
from metrics.reports import Report, find_teams_below
from metrics.unusual.candidates import THROUGHPUT
from promotion.models import Service, Team

MOST = 40  # of each kind: more cover each other


def find_marks(report: Report, measures: tuple[str, ...]) -> list[Mark]:
    """The marks of the period, oldest first: of whom the figures are about; four queries at most."""
    noted = find_annotations(report)[:MOST]
    marks = [Mark(each.day, each.text) for each in noted]
    filters, period = report.asked.filters, report.asked.period
    if filters.team and not filters.service:
        return marks  # Anomalies are found for services and for all together.
    names = [*measures, *((THROUGHPUT,) if "automated_share" in measures else ())]
    rows = Anomaly.objects.filter(
        measure__in=names,
        dismissed_at=None,
        sender=None,
        last_day__gte=period.from_,
        first_day__lt=period.to,
        opened_at__lte=report.asked.as_of,
    )
    if filters.service:
        rows = rows.filter(service__slug=filters.service)
    else:
        rows = rows.filter(service=None)
    last = period.to - timedelta(days=1)
    for one in rows.order_by("-last_day", "-pk")[:MOST]:
        day = one.first_day if one.rule == SHIFT else min(one.last_day, last)
        marks.append(Mark(max(day, period.from_), f"{one}: {one.sentence}", is_anomaly=True))
    return sorted(marks, key=lambda mark: mark.day)


def find_annotations(report: Report) -> list[Annotation]:
    """Those of everybody, and those of the team or service asked for, with the teams above."""
    filters, period = report.asked.filters, report.asked.period
    wanted = Q(team=None, service=None)
    if filters.service:
        service = Service.objects.select_related("team").filter(slug=filters.service).first()
        wanted |= Q(service=service) | Q(team__in=_line(service.team if service else None))
    elif filters.team:
        below = find_teams_below(filters.team)
        team = Team.objects.filter(slug=filters.team).first()
        wanted |= Q(team__slug__in=below) | Q(service__team__slug__in=below)
        wanted |= Q(team__in=_line(team))
    at = report.asked.as_of
    return list(
        Annotation.objects.filter(wanted, day__gte=period.from_, day__lt=period.to)
        .filter(Q(removed_at=None) | Q(removed_at__gt=at), made_at__lte=at)
        .order_by("day", "pk")
    )


def _line(team: Team | None) -> list[int]:
    """The team and those above it."""
    line: list[int] = []
    while team is not None and team.pk not in line:
        line.append(team.pk)
        team = team.parent
    return line
