"""Which service and environment of the catalog a fact speaks of."""

from promotion.models import Environment, Service
from promotion.sources.base import Fact


def find_service(fact: Fact) -> Service | None:
    """By the name it says, by the image's name, by the repository; None where none or several fit."""
    if fact.service:
        named = Service.objects.select_related("team").filter(slug__iexact=fact.service).first()
        if named:
            return named
    of_repository = (
        list(Service.objects.select_related("team").filter(repository__iexact=fact.repository))
        if fact.repository
        else []
    )
    if fact.kind in {"artifact", "evidence", "observation", "deployment"} and fact.name:
        short = fact.name.rpartition("/")[2].lower()
        among = (
            of_repository
            or list(Service.objects.select_related("team").filter(slug__iexact=short))
            or _by_artifact(short)
        )
        fitting = [one for one in among if short in {name.lower() for name in one.needed_artifacts}]
        if len(fitting) == 1:
            return fitting[0]
    return of_repository[0] if len(of_repository) == 1 else None


def _by_artifact(short: str) -> list[Service]:
    """Services whose release needs an artifact of that name though they are called otherwise."""
    named = Service.objects.select_related("team").exclude(artifact_names=[])
    return [one for one in named if short in {name.lower() for name in one.needed_artifacts}]


def find_environment(fact: Fact) -> Environment | None:
    """By its short or full name, whatever the case."""
    if not fact.environment:
        return None
    by_slug = Environment.objects.filter(slug__iexact=fact.environment).first()
    return by_slug or Environment.objects.filter(name__iexact=fact.environment).first()
