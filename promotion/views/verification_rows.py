"""What verifications said of a promotion's release where it went, and whether it can be verified again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from promotion.gates.runs import running_release
from promotion.models import Promotion, Reverification, User, Verification
from promotion.rules.states import State
from promotion.steps.known import VERIFICATIONS

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Verifications:
    """The newest first; `under_way` is one that runs now, `refusal` why this person may not ask."""

    rows: Sequence[Verification] = ()
    under_way: Reverification | None = None
    may_be_asked: bool = False
    refusal: str = ""
    left_out: int = 0

    @property
    def is_shown(self) -> bool:
        """Is there anything to say?"""
        return bool(self.rows or self.may_be_asked or self.under_way)


def verifications_of(promotion: Promotion, person: User, at: datetime) -> Verifications:
    """Of the release in the environment, by whatever promotion or repetition."""
    if promotion.started_at is None:
        return Verifications()
    found = Verification.objects.filter(
        release=promotion.release_id, environment=promotion.environment_id
    )
    rows = list(
        found.select_related("promotion", "reverification__asked_by").order_by("-at", "-pk")[
            : SHOWN + 1
        ]
    )
    left_out = found.count() - SHOWN if len(rows) > SHOWN else 0
    stage = promotion.pipeline_version.form.stage(promotion.stage)
    verifies = any(step.kind in VERIFICATIONS for step in stage.steps)
    under_way = Reverification.objects.filter(
        service=promotion.service_id,
        environment=promotion.environment_id,
        release=promotion.release_id,
        state=Reverification.State.RUNNING,
    ).first()
    may_be_asked = (
        verifies
        and under_way is None
        and promotion.state == State.SUCCEEDED
        and running_release(promotion.service, promotion.environment, at) == promotion.release
    )
    team = promotion.service.team
    refusal = (
        ""
        if person.may_ask(team)
        else f"Verifying again takes a member or release manager of {team.name}."
    )
    return Verifications(rows[:SHOWN], under_way, may_be_asked, refusal, left_out)
