"""Which stored facts hold at a time, and what stands in for those that do not."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from metrics.facts import find_linked
from metrics.models import ServiceState, StaleService
from promotion.models import Deployment, Promotion, Service

from .base import Store
from .computed import ComputedFacts, MixedFacts
from .computing import compute_facts
from .service_facts import NO_SERVICE, ServiceFacts, made_by
from .stored import StoredFacts
from .storing import list_services
from .watching import EVERY_SERVICE

# Deployments and promotions that are computed for one page: of what changed just now, and of what
# changed after an earlier as-of. About a tenth of a millisecond each.
AT_ONCE, AT_MOST = 5_000, 50_000


@dataclass(frozen=True, slots=True)
class Fresh:
    """Where to read from; how many services are behind (since `behind_since`), or too many."""

    store: Store
    behind: int = 0
    behind_since: datetime | None = None
    is_too_much: bool = False
    computed: tuple[ServiceFacts, ...] = ()


def find_stale(at: datetime, *, is_now: bool = True) -> list[int]:
    """The services whose stored facts do not hold at `at`, longest noted first; three queries.

    As of an earlier time (not `is_now`) those too of which something is known since.
    """
    noted = dict.fromkeys(StaleService.objects.order_by("pk").values_list("service_key", flat=True))
    services = list_services()
    if EVERY_SERVICE in noted:
        return services
    held = set()
    states = ServiceState.objects.filter(made_by=made_by())
    for key, latest_at, valid_until in states.values_list(
        "service_key", "latest_at", "valid_until"
    ):
        holds_still = valid_until is None or valid_until > at
        if holds_still and (is_now or latest_at is None or latest_at <= at):
            held.add(key)
    found = [key for key in noted if key in {*services}]
    return [*found, *(key for key in services if key not in held and key not in noted)]


def open_store(services: Collection[int] | None, at: datetime, *, is_now: bool) -> Fresh:
    """Where figures of the services (keys; None: all, and what belongs to none) are read as of `at`.

    What changed is computed anew in memory, and nothing is written. Is it too much for a page,
    figures of now are read as they are stored, and say so; of an earlier time there are none.
    """
    wanted = list_services() if services is None else [*services]
    changed = [key for key in find_stale(at, is_now=is_now) if key in {*wanted}]
    if not changed:
        return Fresh(StoredFacts())
    linked = {key for each in changed if each != NO_SERVICE for key in find_linked(each)}
    changed += sorted((linked & {*wanted}) - {*changed})
    limit = AT_ONCE if is_now else AT_MOST
    chosen: list[int] = []
    for size, key in sorted((_measure(key), key) for key in changed):
        limit -= size
        if limit < 0:
            break
        chosen.append(key)
    behind = {*changed} - {*chosen}
    if behind and not is_now:
        return Fresh(StoredFacts(), is_too_much=True)
    names = dict(Service.objects.filter(pk__in=chosen).values_list("pk", "slug"))
    computed = tuple(compute_facts(key, at) for key in chosen)
    unchanged = [key for key in wanted if key not in {*chosen}]
    since = (
        ServiceState.objects.filter(service_key__in=behind)
        .order_by("refreshed_at")
        .values_list("refreshed_at", flat=True)
        .first()
    )
    store = MixedFacts(StoredFacts(), ComputedFacts(computed, names), unchanged)
    return Fresh(store, len(behind), since, computed=computed)


def _measure(service_key: int) -> int:
    """How much is on record of a service, as far as one needs to know."""
    if service_key == NO_SERVICE:
        return 0
    deployments = Deployment.objects.filter(service=service_key)[: AT_MOST + 1].count()
    return deployments + Promotion.objects.filter(service=service_key)[: AT_MOST + 1].count()
