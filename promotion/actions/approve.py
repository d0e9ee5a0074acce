"""One person's decision on exactly this content: approve, reject or withdraw."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.gates.approval import ApprovalFacts, approval_facts
from promotion.models import Approval, Promotion, Token, User
from promotion.rules.states import State

from .advance import follow_newest_pipeline
from .audit import record
from .finish import wake_service
from .readiness import take_snapshot
from .tell_moves import tell_decision, tell_move


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person decided, on which content, with which words."""

    decision: Approval.Decision
    content_hash: str
    comment: str = ""
    token: Token | None = None


@transaction.atomic
def decide(number: int, choice: Choice, *, person: User, at: datetime) -> Approval:
    """Records the decision; a rejection ends the promotion, an approval may let it go on.

    Raises ConflictError where the promotion no longer waits or its content is not what the person
    saw, NotAllowedError where no rule lets the person in, InputError for a rejection without comment.
    """
    promotion = _find_waiting(number, choice, at)
    facts = approval_facts(promotion, at)
    let_in_by = _admit(facts, choice, person, promotion)
    approval = Approval.objects.create(
        promotion=promotion,
        person=person,
        decision=choice.decision,
        comment=choice.comment.strip(),
        content_hash=promotion.content_hash,
        content=promotion.content,
        groups=sorted(facts.groups_of(person)),
        let_in_by=sorted(let_in_by),
        readiness=take_snapshot(promotion),
        eligible=facts.eligible(),
        token=choice.token,
        at=at,
    )
    record(
        f"promotion.{choice.decision}",
        promotion,
        actor=person,
        at=at,
        reason=choice.comment,
        details={
            "content_hash": promotion.content_hash,
            "artifacts": promotion.content["artifacts"],
        },
    )
    if choice.decision == Approval.Decision.REJECT:
        reason = f"{person.name} rejected it: {choice.comment.strip()}"
        promotion.move_to(State.REJECTED, reason=reason, at=at, actor=person)
        tell_move(promotion, at=at, actor=person)
        wake_service(promotion.service_id, at)
    else:
        Promotion.objects.filter(pk=number).update(next_look_at=at)
        tell_decision(approval, at=at)
    return approval


def _find_waiting(number: int, choice: Choice, at: datetime) -> Promotion:
    """The promotion, locked; ConflictError where it no longer is what the person saw."""
    promotion = Promotion.objects.locked(number)
    if promotion.state != State.WAITING:
        raise ConflictError(
            f"{promotion.number} is {promotion.state}; nothing is decided about it any more. Nothing was changed."
        )
    follow_newest_pipeline(promotion, at)
    if choice.content_hash != promotion.content_hash:
        raise ConflictError(
            f"What {promotion.number} would do has changed since the page was shown. Nothing was recorded;"
            " look at it again and decide then."
        )
    return promotion


def _admit(
    facts: ApprovalFacts, choice: Choice, person: User, promotion: Promotion
) -> frozenset[str]:
    """The rules that let the person in; raises where the decision is not accepted."""
    if not facts.forms:
        raise ConflictError(f"{promotion.number} needs nobody's approval. Nothing was recorded.")
    if choice.decision == Approval.Decision.REJECT and not choice.comment.strip():
        raise InputError("A rejection needs a comment. Nothing was recorded.", key="comment")
    admission = facts.admit(person, choice.decision, choice.comment)
    if admission.refusal:
        raise NotAllowedError(f"{admission.refusal} Nothing was recorded.")
    return admission.let_in_by
