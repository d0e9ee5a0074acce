"""An emergency: one person lets a promotion past its gates, on record, and owes a review by another."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce

from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import BreakGlass, Promotion, User
from promotion.rules.states import State

from .advance import follow_newest_pipeline
from .audit import record
from .checking import check_link, check_words
from .past_gates import may_pass_at_all
from .rights import has_right
from .tell_moves import tell_broken_glass

RIGHT = "break_glass"
LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Emergency:
    """What content is let past, why, and the incident it is for."""

    content_hash: str
    reason: str
    incident_url: str


@transaction.atomic
def break_glass(number: int, emergency: Emergency, *, person: User, at: datetime) -> BreakGlass:
    """Lets the promotion past waiting and closed gates, makes it due, and owes its review.

    NotAllowedError where the person has not the right or the release may never go, InputError
    without a reason or a link, ConflictError where it does not wait, its content is not what the
    person saw, nothing holds it, or the glass is broken already. Nothing was changed then.
    """
    promotion = Promotion.objects.locked(number)
    _check_allowed(person, promotion)
    reason = check_words(emergency.reason, "Breaking the glass needs a reason", LONGEST_REASON)
    url = check_link(emergency.incident_url, "incident_url", "the incident")
    _check_state(promotion, emergency.content_hash, at)
    stage = promotion.pipeline_version.form.stage(promotion.stage)
    within = stage.review_within or timedelta(hours=settings.BREAK_GLASS_REVIEW_HOURS)
    glass = BreakGlass.objects.create(
        promotion=promotion,
        content_hash=promotion.content_hash,
        reason=reason,
        incident_url=url,
        broken_by=person,
        broken_at=at,
        review_due_at=at + within,
    )
    # Who breaks the glass means now, whatever time was asked for before.
    Promotion.objects.filter(pk=number).update(
        glass_broken_at=Coalesce("glass_broken_at", at), not_before=None, next_look_at=at
    )
    details = {
        "break_glass": str(glass),
        "incident": url,
        "content_hash": promotion.content_hash,
        "artifacts": promotion.content.get("artifacts", []),
        "review_due_at": glass.review_due_at.astimezone(UTC).isoformat(),
    }
    record("promotion.break_glass", promotion, actor=person, at=at, reason=reason, details=details)
    tell_broken_glass(glass, at=at)
    return glass


def may_break_glass(person: User, promotion: Promotion) -> bool:
    """Has the right of its own, and a part in the service's team."""
    return person.may_ask(promotion.service.team) and has_right(person, RIGHT)


def _check_allowed(person: User, promotion: Promotion) -> None:
    if not may_break_glass(person, promotion):
        raise NotAllowedError(
            f"{person.name} may not break the glass for {promotion.service.slug}: that takes a right"
            f" of its own, and being a member or release manager of {promotion.service.team.name}."
            " Nothing was changed."
        )


def _check_state(promotion: Promotion, content_hash: str, at: datetime) -> None:
    if promotion.state != State.WAITING:
        raise ConflictError(
            f"{promotion.number} is {promotion.state}; there is nothing to go past any more."
            " Nothing was changed."
        )
    if not may_pass_at_all(promotion):
        raise NotAllowedError(
            f"{promotion.release} was vetoed or is not of {promotion.service.slug}. Even with the"
            " glass broken it does not go. Nothing was changed."
        )
    follow_newest_pipeline(promotion, at)
    if content_hash != promotion.content_hash:
        raise ConflictError(
            f"What {promotion.number} would do has changed since the page was shown. Nothing was"
            " changed; look at it again and decide then."
        )
    if promotion.pipeline_version.form.stage(promotion.stage).mode == "observe":
        raise ConflictError(
            f"The stage {promotion.stage} only observes, so no gate holds {promotion.number}."
            " Nothing was changed."
        )
    before = BreakGlass.objects.filter(promotion=promotion, content_hash=content_hash).first()
    if before is not None:
        raise ConflictError(
            f"{before.broken_by.name} has broken the glass for {promotion.number} already."
            " Nothing was changed."
        )
