"""The review that is owed for a broken glass: somebody else says what they think of it."""

from datetime import UTC, datetime

from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import BreakGlass, Role, Service, User
from promotion.models.break_glass import BreakGlassQuerySet

from .audit import record
from .checking import check_words
from .finish import wake_service
from .rights import teams_where

REVIEWERS = (Role.RELEASE_MANAGER, Role.AUDITOR)
LONGEST_WORDS = 5000


@transaction.atomic
def review_break_glass(
    glass: int, *, person: User, outcome: str, words: str, at: datetime
) -> BreakGlass:
    """Records the review, once, and has what the debt held looked at again.

    NotAllowedError where the person broke the glass themself or may not review there, InputError
    without words or with another outcome, ConflictError where it was reviewed already.
    """
    service = Service.objects.select_for_update(no_key=True).get(promotions__broken_glasses=glass)
    found = (
        BreakGlass.objects.select_for_update(of=("self",))
        .select_related("promotion__service__team", "broken_by", "reviewed_by")
        .get(pk=glass)
    )
    refusal = why_not_review(person, found)
    if refusal:
        raise NotAllowedError(f"{refusal} Nothing was changed.")
    if found.reviewed_at is not None:
        by = found.reviewed_by.name if found.reviewed_by else "Somebody"
        raise ConflictError(f"{by} has reviewed {found} already. Nothing was changed.")
    if outcome not in BreakGlass.Outcome.values:
        raise InputError(
            f"A review ends as one of {', '.join(BreakGlass.Outcome.values)}. Nothing was changed.",
            key="outcome",
        )
    found.review_words = check_words(words, "A review needs words", LONGEST_WORDS, key="words")
    found.outcome, found.reviewed_at, found.reviewed_by = outcome, at, person
    found.save(update_fields=["review_words", "outcome", "reviewed_at", "reviewed_by"])
    details = {
        "break_glass": str(found),
        "outcome": outcome,
        "due_at": found.review_due_at.astimezone(UTC).isoformat(),
        "was_overdue": found.review_due_at < at,
    }
    words = found.review_words
    record("promotion.review", found.promotion, actor=person, at=at, reason=words, details=details)
    wake_service(service.pk, at)
    return found


def why_not_review(person: User, glass: BreakGlass) -> str:
    """Why the person may not review it; empty where they may."""
    team = glass.promotion.service.team
    if person.pk == glass.broken_by_id:
        return f"{person.name} broke the glass, so somebody else reviews it."
    if not person.has_role(team, *REVIEWERS):
        return f"{person.name} may not review this: that takes a release manager or auditor of {team.name}."
    return ""


def reviews_for(person: User) -> BreakGlassQuerySet:
    """The reviews owed that this person may do, the one due first ahead."""
    teams = teams_where(person, *REVIEWERS)
    return (
        BreakGlass.objects.unreviewed()
        .filter(promotion__service__team__in=teams)
        .exclude(broken_by=person)
        .order_by("review_due_at", "pk")
    )
