"""What is where, and what needs me?"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from promotion.models import Environment, Event, PipelineVersion, Promotion, Service, Team
from promotion.models.promotion import PromotionQuerySet
from promotion.rules.states import State

from .failures import unanswered_failures
from .keyset import asked
from .matrix import MatrixRow, build_rows
from .matrix_drawing import draw_rows
from .person import person_of
from .places import read_services
from .promotion_lines import PromotionLine, lines_of

SERVICES_ON_PAGE = 200
SHOWN_IN_STRIP = 5
SORTS = {"attention": "Moving or waiting first", "service": "By service", "team": "By team"}


@dataclass(frozen=True, slots=True)
class Attention:
    """The strip on top: what waits for the person, what is stuck, what runs."""

    mine: list[PromotionLine]
    stuck: list[PromotionLine]
    running: list[PromotionLine]

    @property
    def columns(self) -> list[tuple[str, list[PromotionLine], int]]:
        """(name, what is shown, how many more there are)."""
        named = (("mine", self.mine), ("stuck", self.stuck), ("running", self.running))
        return [(n, all_[:SHOWN_IN_STRIP], max(len(all_) - SHOWN_IN_STRIP, 0)) for n, all_ in named]


@require_safe
def show_overview(request: HttpRequest) -> HttpResponse:
    """The strip, then the matrix; filter and order stand in the address."""
    at, person = timezone.now(), person_of(request)
    team, sort = asked(request, "team"), asked(request, "sort")
    sort = sort if sort in SORTS else "attention"
    environments = list(Environment.objects.all())
    page = Paginator(_services(team), SERVICES_ON_PAGE).get_page(asked(request, "page"))
    services, lanes = read_services(page.object_list, environments)  # type: ignore[arg-type]
    mine = frozenset(Promotion.objects.waiting_for(person).values_list("pk", flat=True))
    lines = lines_of(_of_team(Promotion.objects.open().order_by("asked_at", "pk"), team), at)
    ways = PipelineVersion.objects.environments_of(services)
    rows = build_rows(services, environments, lanes, lines, mine, at, ways)
    attention = _attention(lines, lines_of(_of_team(unanswered_failures(at), team), at), mine)
    context = {
        "rows": draw_rows(_sorted(rows, sort), at),
        "environments": environments,
        "attention": attention,
        "sentence": _sentence(page.paginator.count, len(environments), attention),
        "page": page,
        "team": team,
        "teams": Team.objects.all(),
        "sort": sort,
        "sorts": SORTS.items(),
        "last_event_at": Event.objects.order_by("-received_at")
        .values_list("received_at", flat=True)
        .first(),
    }
    return render(request, "promotion/overview.html", context)


def _services(team: str) -> QuerySet[Service]:
    rows = Service.objects.order_by("slug")
    return rows.filter(Q(team__slug=team) | Q(team__parent__slug=team)) if team else rows


def _of_team(rows: PromotionQuerySet, team: str) -> PromotionQuerySet:
    if not team:
        return rows
    return rows.filter(Q(service__team__slug=team) | Q(service__team__parent__slug=team))


def _attention(
    lines: Sequence[PromotionLine], failed: Sequence[PromotionLine], mine: frozenset[int]
) -> Attention:
    stuck = [line for line in lines if line.stuck_because]
    return Attention(
        mine=[line for line in lines if line.promotion.pk in mine],
        stuck=[*stuck, *failed],
        running=[
            line
            for line in lines
            if line.promotion.state == State.RUNNING and not line.needs_person
        ],
    )


def _sorted(rows: list[MatrixRow], sort: str) -> list[MatrixRow]:
    if sort == "attention":
        return sorted(rows, key=lambda row: row.rank)
    if sort == "team":
        return sorted(rows, key=lambda row: (row.service.team.name, row.service.slug))
    return rows


def _sentence(services: int, environments: int, attention: Attention) -> str:
    """26 services in 3 environments. 3 promotions wait for you, 2 are stuck, 1 is running."""
    if not services:
        return "No service is known yet."
    where = f"{_count(services, 'service')} in {_count(environments, 'environment')}."
    mine, stuck, running = len(attention.mine), len(attention.stuck), len(attention.running)
    if not mine + stuck + running:
        return f"{where} Nothing waits for you, nothing is stuck, nothing is running."
    waits = f"{_count(mine, 'promotion')} wait{'s' if mine == 1 else ''} for you"
    parts = [
        waits if mine else "Nothing waits for you",
        f"{stuck} {'is' if stuck == 1 else 'are'} stuck" if stuck else "nothing is stuck",
        f"{running} {'is' if running == 1 else 'are'} running" if running else "nothing is running",
    ]
    return f"{where} {', '.join(parts)}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
