"""What the page of a promotion shows of emergencies and of what is learnt from a failure."""

from datetime import datetime
from typing import Any

from promotion.actions.break_glass import may_break_glass
from promotion.actions.review import why_not_review
from promotion.actions.roll_back import last_good_release
from promotion.actions.tell_cause import asks_for_cause, may_tell_cause
from promotion.forms import BreakGlassForm, CauseForm, ReviewForm
from promotion.models import Promotion, Role, User
from promotion.rules.states import State


def aftermath_context(
    promotion: Promotion, person: User, at: datetime, *, is_held: bool
) -> dict[str, Any]:
    """Broken glasses with their reviews, the choice that a stop asks for, and the cause of a failure."""
    return {
        **_glass(promotion, person, at, is_held),
        **_stop(promotion, person, at),
        **_cause(promotion, person),
    }


def _glass(promotion: Promotion, person: User, at: datetime, is_held: bool) -> dict[str, Any]:
    rows = (
        list(
            promotion.broken_glasses.select_related("broken_by", "reviewed_by").order_by(
                "broken_at"
            )
        )
        if promotion.glass_broken_at
        else []
    )
    is_broken = any(one.content_hash == promotion.content_hash for one in rows)
    may_break = (
        promotion.state == State.WAITING
        and is_held
        and not is_broken
        and not promotion.release.is_vetoed
        and may_break_glass(person, promotion)
    )
    glasses = []
    for one in rows:
        one.promotion = promotion  # read already, with its team
        glasses.append((one, why_not_review(person, one), one.review_due_at < at))
    return {
        "glasses": glasses,
        "glass_form": BreakGlassForm(initial={"content_hash": promotion.content_hash})
        if may_break
        else None,
        "review_form": ReviewForm(),
    }


def _stop(promotion: Promotion, person: User, at: datetime) -> dict[str, Any]:
    """To which release a stop may go back; None where this person may not, or there is none."""
    may = promotion.state == State.RUNNING and person.has_role(
        promotion.service.team, Role.RELEASE_MANAGER
    )
    lane = promotion.service, promotion.environment
    return {"stop_back_to": last_good_release(*lane, promotion.release, at) if may else None}


def _cause(promotion: Promotion, person: User) -> dict[str, Any]:
    if not asks_for_cause(promotion):
        return {"asks_cause": False}
    may_tell = may_tell_cause(person, promotion)
    initial = {
        "cause": promotion.cause,
        "words": promotion.cause_words,
        "action": promotion.action,
        "owner": promotion.action_owner.get_username() if promotion.action_owner else "",
        "due": promotion.action_due,
        "url": promotion.action_url,
    }
    return {
        "asks_cause": True,
        "cause_form": CauseForm(initial=initial) if may_tell else None,
        "may_settle": may_tell or promotion.action_owner_id == person.pk,
    }
