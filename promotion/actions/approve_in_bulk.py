"""Several approvals with one press: each is a decision of its own, on its own content, and may be refused alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from promotion.exceptions import ConflictError, ThroughlineError
from promotion.gates.facts import facts_of
from promotion.models import Approval, Promotion, User

from .approve import Choice, decide

MOST = 20
HIGH_RISK = 0.6


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one row; `refusal` is empty where the approval was recorded."""

    number: int
    refusal: str = ""


def approve_each(
    wanted: Sequence[tuple[int, str]], *, person: User, comment: str, at: datetime
) -> list[Answer]:
    """Approves each (number, content hash) in a transaction of its own; one refusal stops no other.

    High risk is never approved in bulk: who lets it pass has opened it.
    """
    return [_approve(number, content_hash, person, comment, at) for number, content_hash in wanted]


def why_not_in_bulk(promotion: Promotion, at: datetime) -> str:
    """Why one has to open it to decide; empty where it may be approved with others."""
    if promotion.kind == Promotion.Kind.HOTFIX:
        return "A hotfix is opened to decide."
    if promotion.glass_broken_at is not None:
        return "Somebody broke the glass for it; open it to decide."
    score = facts_of(promotion, at)["risk.score"]
    if score is None:
        return "Its risk is not known; open it to decide."
    if score >= HIGH_RISK:
        return f"Its risk is high ({score:.2f}); open it to decide."
    return ""


def _approve(number: int, content_hash: str, person: User, comment: str, at: datetime) -> Answer:
    try:
        promotion = Promotion.objects.for_display().filter(pk=number).first()
        if promotion is None:
            raise ConflictError("It is not there any more. Nothing was recorded.")
        reason = why_not_in_bulk(promotion, at)
        if reason:
            raise ConflictError(f"{reason} Nothing was recorded.")
        choice = Choice(Approval.Decision.APPROVE, content_hash, comment)
        decide(number, choice, person=person, at=at)
    except ThroughlineError as error:
        return Answer(number, error.sentence)
    return Answer(number)
