"""Why there is no figure: the chain from events to production, link by link; bounded queries."""

from dataclasses import dataclass

from metrics.measures.periods import span_of
from metrics.reports import Report
from promotion.models import Build, Deployment, Environment, Event
from promotion.models.catalog import Tier


@dataclass(frozen=True, slots=True)
class Link:
    """One link: whether it holds, what was found, and the page that mends it."""

    words: str
    holds: bool
    found: str
    mend: str
    address: str


def walk_chain(report: Report) -> list[Link]:
    """From what arrives to what is counted, in the order in which each needs the one before."""
    return [_arriving(report), _mapped(report), _tiered(), _deployed(report), _built(report)]


def _arriving(report: Report) -> Link:
    events = Event.objects.filter(received_at__lte=report.asked.as_of)
    last = events.order_by("-received_at").values_list("received_at", flat=True).first()
    found = f"the last one on {last:%d %b %Y}" if last else "none has been received"
    return Link("Events arrive", last is not None, found, "Connect a sender", "integration-list")


def _mapped(report: Report) -> Link:
    lost = Event.objects.filter(received_at__lte=report.asked.as_of, state=Event.State.UNMAPPED)
    is_lost = lost.exists()
    found = "some match no service or environment" if is_lost else "nothing waits to be matched"
    return Link(
        "They match services and environments",
        not is_lost,
        found,
        "Write a rule",
        "integration-list",
    )


def _tiered() -> Link:
    there = Environment.objects.filter(tier=Tier.PRODUCTION).exists()
    found = "there is one" if there else "no environment is of the tier production"
    return Link(
        "An environment is production", there, found, "See the environments", "environment-list"
    )


def _deployed(report: Report) -> Link:
    filters, span = report.asked.filters, span_of(report.asked.period)
    found = Deployment.objects.filter(
        received_at__lte=report.asked.as_of,
        finished_at__gte=span.starts_at,
        finished_at__lt=span.ends_at,
    )
    if filters.environment:
        found = found.filter(environment__slug=filters.environment)
    else:
        found = found.filter(environment__tier=Tier.PRODUCTION)
    if report.keys is not None:
        found = found.filter(service__in=report.keys)
    there = found.exists()
    words = "something was" if there else "nothing was, by what is on record"
    return Link(
        "Something was deployed there in the period",
        there,
        words,
        "Look at what arrived",
        "event-list",
    )


def _built(report: Report) -> Link:
    builds = Build.objects.filter(
        received_at__lte=report.asked.as_of, artifacts__isnull=False, service__isnull=False
    )
    if report.keys is not None:
        builds = builds.filter(service__in=report.keys)
    there = builds.exists()
    found = "some builds are" if there else "no build names a digest of these services"
    return Link(
        "Builds are linked to digests", there, found, "Connect what builds", "integration-list"
    )
