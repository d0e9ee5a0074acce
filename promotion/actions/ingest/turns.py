"""Events of one service are recorded one after the other."""

from collections.abc import Iterable

from django.db.models import Q
from django.db.models.functions import Lower

from promotion.models import Service

from .recorded import Taking


def take_turns(takings: Iterable[Taking]) -> None:
    """Holds the services that the facts may touch until the transaction ends; returns once it is our turn.

    Else a build and its artifact that arrive at one moment, each recorded by a worker that does
    not see the other's row yet, would never find each other. By their keys, so that two events
    of several services wait for each other in no circle; no key lock, so that rows that refer to
    a service are written meanwhile.
    """
    told = list(takings)
    repositories = {one.fact.repository.lower() for one in told if one.fact.repository}
    placed = {one.service.pk for one in told if one.service}
    rows = Service.objects.annotate(of_repository=Lower("repository")).filter(
        Q(pk__in=placed) | Q(of_repository__in=repositories)
    )
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
