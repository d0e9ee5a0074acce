"""How far each environment lags behind the one before it, in commits and days, as it is now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.core.paginator import Page, Paginator

from metrics.flows import Flow
from promotion.models import Environment, Service
from promotion.views.commit_distances import CommitPair, count_commits
from promotion.views.places import Lanes, Placed, read_services

SERVICES = 25


@dataclass(frozen=True, slots=True)
class Lag:
    """One environment of a service behind the one before: `commits` None where the line is not known.

    `behind` is the time since what runs before came there.
    """

    service: str
    earlier: str
    later: str
    version: str
    ahead: str
    commits: int | None
    behind: timedelta

    @property
    def commits_text(self) -> str:
        """The number, or that it is not known."""
        return "not known" if self.commits is None else str(self.commits)


@dataclass(frozen=True, slots=True)
class Hop:
    """Two neighbouring places of a service with different digests."""

    service: Service
    places: tuple[Environment, Environment]
    runs: tuple[Placed, Placed]

    @property
    def pair(self) -> CommitPair:
        """From the commit that runs later on the way to the one before it."""
        earlier, later = self.runs
        return CommitPair(self.service.repository, later.commit, earlier.commit)


def read_lags(flow: Flow, number: str | None) -> tuple[list[Lag], "Page[Service]"]:
    """The lags of a page of services, the longest first; a fixed number of queries."""
    services = Service.objects.order_by("slug")
    if flow.keys is not None:
        services = services.filter(pk__in=flow.keys)
    page = Paginator(services, SERVICES).get_page(number)
    environments = list(Environment.objects.all())
    shown = Service.objects.filter(pk__in=[each.pk for each in page.object_list])
    keyed, lanes = read_services(shown, environments)
    hops = [hop for each in keyed for hop in _find_hops(each, environments, lanes)]
    distances = count_commits([hop.pair for hop in hops])
    lags = [_measure(hop, distances.get(hop.pair), flow.asked.as_of) for hop in hops]
    return sorted(lags, key=lambda lag: (-lag.behind, lag.service)), page


def _find_hops(service: Service, environments: list[Environment], lanes: Lanes) -> Iterator[Hop]:
    """Between the environments it runs in, in their order."""
    running = []
    for place in environments:
        lane = lanes.get((service.pk, place.pk))
        if lane is not None and lane.running is not None:
            running.append((place, lane.running))
    for (earlier, one), (later, other) in pairwise(running):
        if one.digests != other.digests:
            yield Hop(service, (earlier, later), (one, other))


def _measure(hop: Hop, commits: int | None, at: datetime) -> Lag:
    earlier, later = hop.runs
    return Lag(
        service=hop.service.slug,
        earlier=hop.places[0].name,
        later=hop.places[1].name,
        version=later.version,
        ahead=earlier.version,
        commits=commits,
        behind=max(at - earlier.at, timedelta(0)),
    )
