"""Services whose facts hang together: an incident of one may name a deployment of another."""

from django.db.models import Q

from promotion.models import Incident, Promotion

from .incidents import read_promotion
from .naming import split_fact_id

NAMES_A_NUMBER = r"^[Pp]?-?[0-9]+$"


def find_linked(service: int) -> frozenset[int]:
    """The keys of the services that this one's incidents name, or whose incidents name it.

    Hardly ever any. The measures of each of them need the other's record.
    """
    named = Incident.objects.exclude(deployment=None).exclude(service=None)
    pairs = named.filter(Q(service=service) | Q(deployment__service=service)).values_list(
        "service", "deployment__service"
    )
    found = {key for pair in pairs.distinct() for key in pair}
    numbers: dict[int, set[int]] = {}
    for whose, name in (
        Incident.objects.filter(named__regex=NAMES_A_NUMBER)
        .exclude(service=None)
        .values_list("service", "named")
    ):
        split = split_fact_id(read_promotion(name) or "")
        if split and whose is not None and split[1] < 2**63:
            numbers.setdefault(split[1], set()).add(whose)
    for number, whose in Promotion.objects.filter(pk__in=numbers).values_list("pk", "service"):
        sides = {whose, *numbers[number]}
        if service in sides:
            found |= sides
    return frozenset(key for key in found if key is not None and key != service)
