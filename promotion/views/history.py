"""What happened to a promotion, newest first: its moves, the decisions, and the rest of the record."""

from dataclasses import dataclass
from datetime import datetime

from promotion.models import Approval, AuditEntry, Promotion
from promotion.rules.states import State

# Acts that a transition or an approval tells already.
TOLD = frozenset({
    "promotion.ask", "promotion.start", "promotion.approve", "promotion.reject",
    "promotion.withdraw", "promotion.supersede", "promotion.expire",
    "promotion.cancel", *(f"promotion.{state.value}" for state in State),
})  # fmt: skip
WORDS = {
    "promotion.content_changed": "followed the newest pipeline; what it would do has changed",
    "promotion.stop": "asked to stop it",
    "promotion.break_glass": "broke the glass",
    "promotion.review": "reviewed the broken glass",
    "promotion.cause": "told the cause",
    "promotion.action_done": "settled the action",
    "promotion.action_reopened": "opened the action again",
    "promotion.not_rolled_back": "could not roll it back",
    "promotion.evaluate": "had the gates asked again",
}
DECIDED = {
    Approval.Decision.APPROVE: ("approved", "passed"),
    Approval.Decision.REJECT: ("rejected it", "blocked"),
    Approval.Decision.WITHDRAW: ("withdrew the approval", "pending"),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One line: who (empty where the sentence says it), what, why, when."""

    at: datetime
    status: str
    who: str
    what: str
    words: str = ""


def history_of(promotion: Promotion) -> list[Happening]:
    """Everything on record about it."""
    found = [*_moves(promotion), *_decisions(promotion), *_acts(promotion)]
    return sorted(found, key=lambda one: one.at)[::-1]  # of one instant the later told comes first


def _moves(promotion: Promotion) -> list[Happening]:
    moves = promotion.transitions.exclude(to_state=State.REJECTED.value)
    return [Happening(move.at, _status(move.to_state), "", move.reason) for move in moves]


def _status(state: str) -> str:
    return "pending" if state == State.WAITING else state


def _decisions(promotion: Promotion) -> list[Happening]:
    found = []
    for row in promotion.approvals.select_related("person"):
        what, status = DECIDED[Approval.Decision(row.decision)]
        found.append(Happening(row.at, status, row.person.name, what, row.comment))
    return found


def _acts(promotion: Promotion) -> list[Happening]:
    rows = AuditEntry.objects.filter(
        subject_type="promotion", subject_id=str(promotion.pk)
    ).exclude(action__in=TOLD)
    return [
        Happening(
            row.at,
            "pending",
            row.actor_name,
            WORDS.get(row.action, row.action.partition(".")[2].replace("_", " ")),
            row.reason,
        )
        for row in rows
    ]
