"""What the measures offer to promotions, by name in the settings: a gate, and notes for the page."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from metrics.models import Anomaly
from metrics.models.anomaly import AnomalyQuerySet
from promotion.gates.base import GateContext, GateOutcome, Verdict
from promotion.models import Promotion
from promotion.rules.settings import Problem, unknown_keys
from promotion.views.offered import Note

SHOWN = 3
SHOWN_FOR = timedelta(days=14)
FRESH_FOR = timedelta(minutes=1)
LOOK_AGAIN_IN = timedelta(minutes=5)


def find_open(promotion: Promotion) -> AnomalyQuerySet:
    """The open anomalies of the service that are of this place.

    What is of no single environment is of production. Silence says nothing bad of what runs
    there, and holding promotions would only lengthen it.
    """
    here = Q(environment=promotion.environment_id)
    if promotion.environment.is_production:
        here |= Q(environment=None)
    return (
        Anomaly.objects.open()
        .filter(here, service=promotion.service_id)
        .exclude(rule="silence")
        .exclude(is_worse=False)
        .exclude(promotion=promotion)
        .order_by("-opened_at", "-pk")
    )


class AnomalyGate:
    """Waits while something is unusual; it opens when that is over or a person dismissed it."""

    kind = "anomaly"
    title = "Nothing unusual"
    is_costly = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[Problem]:
        """It has no settings."""
        yield from unknown_keys(self.kind, settings, (), what="gate")

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Open or waiting."""
        found = list(find_open(context.promotion)[: SHOWN + 1])
        if not found:
            return GateOutcome(
                Verdict.OPEN, "Nothing is unusual about the service there.", fresh_for=FRESH_FOR
            )
        more = " There are more." if len(found) > SHOWN else ""
        return GateOutcome(
            Verdict.WAITING,
            f"{found[0].sentence} It goes on when that is over or somebody dismisses it.{more}",
            tuple((str(one), _address(one)) for one in found[:SHOWN]),
            look_again_in=LOOK_AGAIN_IN,
        )


def note_anomalies(promotion: Promotion) -> list[Note]:
    """What is unusual about the promotion itself, and lately about its service there; two queries."""
    own = Anomaly.objects.filter(promotion=promotion, dismissed_at=None, closed_at=None)
    notes = [Note("warned", "Unusual", one.sentence, _address(one)) for one in own[:SHOWN]]
    # Who decides today is helped by what is so now; what was over weeks ago stands in the list.
    lately = find_open(promotion).filter(last_day__gt=timezone.localdate() - SHOWN_FOR)
    others = list(lately[:SHOWN]) if promotion.is_open else []
    there = [Note("warned", "Unusual there", one.sentence, _address(one)) for one in others]
    return [*notes, *there]


def _address(anomaly: Anomaly) -> str:
    return reverse("anomaly-detail", args=[anomaly.pk])
