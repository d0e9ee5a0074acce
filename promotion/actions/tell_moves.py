"""Who is told of a promotion's moves, and in which words."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Count, Q

from promotion.gates.authors import authors_of
from promotion.models import (
    Approval,
    BreakGlass,
    NoticeKind,
    Notification,
    Promotion,
    Role,
    Team,
    User,
)
from promotion.rules.states import State

from .tell import News, tell

REVIEWERS = (Role.RELEASE_MANAGER, Role.AUDITOR)
_WORDS = {
    State.RUNNING: (NoticeKind.RUNNING, "is running"),
    State.SUCCEEDED: (NoticeKind.SUCCEEDED, "succeeded"),
    State.FAILED: (NoticeKind.FAILED, "failed"),
    State.ERRORED: (NoticeKind.FAILED, "could not be carried out"),
    State.REJECTED: (NoticeKind.DECIDED, "was rejected"),
    State.EXPIRED: (NoticeKind.DECIDED, "expired"),
    State.CANCELLED: (NoticeKind.DECIDED, "was cancelled"),
    State.SUPERSEDED: (NoticeKind.DECIDED, "was superseded"),
}


def tell_waiting(promotion: Promotion, newcomers: Sequence[User], *, at: datetime) -> None:
    """Those whose approval it newly waits for; again only for other content or after they withdrew."""
    if not newcomers:
        return
    decided: dict[int, int] = dict(
        Approval.objects.filter(promotion=promotion, person__in=newcomers)
        .values_list("person")
        .annotate(Count("pk"))
    )
    groups: dict[int, list[User]] = defaultdict(list)
    for person in newcomers:
        groups[decided.get(person.pk, 0)].append(person)
    for count, people in sorted(groups.items()):
        again = f":{count}" if count else ""
        key = f"waiting:{promotion.pk}:{promotion.content_hash}{again}"
        sentence = f"{_named(promotion)} waits for your approval."
        tell(people, _news(promotion, NoticeKind.WAITING, key, sentence), at=at)


def tell_move(promotion: Promotion, *, at: datetime, actor: User | None = None) -> None:
    """Tells of the state the promotion has just moved to; who moved it needs no telling."""
    state = State(promotion.state)
    if state not in _WORDS:
        return
    kind, words = _WORDS[state]
    sentence = f"{_named(promotion)} {words}."
    if state is State.REJECTED:
        sentence = f"{_named(promotion)}: {promotion.reason}"  # it says who, and why
    elif promotion.reason and kind in (NoticeKind.FAILED, NoticeKind.DECIDED):
        sentence = f"{_named(promotion)} {words}: {promotion.reason}"
    _settle_waiting(promotion, at)
    news = _news(promotion, kind, f"{state.value}:{promotion.pk}", sentence)
    tell(_without(actor, _concerned(promotion, kind)), news, at=at)


def tell_decision(approval: Approval, *, at: datetime) -> None:
    """Tells who asked that somebody approved or withdrew; a rejection is a move of its own."""
    promotion = approval.promotion
    _settle_waiting(promotion, at, approval.person)
    words = {
        Approval.Decision.APPROVE: "approved",
        Approval.Decision.WITHDRAW: "withdrew their approval of",
    }.get(Approval.Decision(approval.decision))
    if words is None:
        return
    sentence = f"{approval.person.name} {words} {_named(promotion)}."
    news = _news(promotion, NoticeKind.DECIDED, f"decision:{approval.pk}", sentence)
    tell(_without(approval.person, _asker(promotion)), news, at=at)


def _settle_waiting(promotion: Promotion, at: datetime, person: User | None = None) -> None:
    """What no longer waits for somebody is not left unread with them."""
    rows = Notification.objects.unread().filter(promotion=promotion, kind=NoticeKind.WAITING)
    if person is not None:
        rows = rows.filter(person=person)
    rows.update(read_at=at)


def tell_stuck(promotion: Promotion, sentence: str, *, at: datetime) -> None:
    """Who asked, and who may stop it: the release managers of the service's team."""
    people = [*_asker(promotion), *people_with_roles(promotion.service.team, Role.RELEASE_MANAGER)]
    news = _news(promotion, NoticeKind.STUCK, stuck_key(promotion.pk), sentence)
    tell(people, news, at=at)


def stuck_key(number: int) -> str:
    """One promotion is said to be stuck once."""
    return f"stuck:{number}"


def tell_broken_glass(glass: BreakGlass, *, at: datetime) -> None:
    """Those who may review it, at once: an emergency is nobody's private matter."""
    promotion = glass.promotion
    sentence = f"{glass.broken_by.name} broke the glass for {_named(promotion)}: {glass.reason}"
    _tell_reviewers(glass, f"glass:{glass.pk}", sentence, at)


def tell_review_overdue(glass: BreakGlass, *, at: datetime) -> None:
    """The same people, once the review is overdue."""
    sentence = (
        f"The review of {glass} is overdue: {glass.broken_by.name} broke the glass for"
        f" {_named(glass.promotion)}."
    )
    _tell_reviewers(glass, overdue_key(glass), sentence, at)


def overdue_key(glass: BreakGlass) -> str:
    """One review is said to be overdue once."""
    return f"review-overdue:{glass.pk}"


def _tell_reviewers(glass: BreakGlass, key: str, sentence: str, at: datetime) -> None:
    people = _without(glass.broken_by, people_with_roles(glass.promotion.service.team, *REVIEWERS))
    tell(people, _news(glass.promotion, NoticeKind.EMERGENCY, key, sentence), at=at)


def people_with_roles(team: Team | None, *roles: str) -> list[User]:
    """Those who hold one of the roles for all teams, in the team, or in a team above it.

    Without a team: those who hold one anywhere.
    """
    held = Q(memberships__role__in=roles)
    if team is not None:
        line: list[int] = []
        while team is not None:
            line.append(team.pk)
            team = team.parent
        held &= Q(memberships__team=None) | Q(memberships__team__in=line)
    return list(User.objects.filter(held, is_active=True).distinct())


def _concerned(promotion: Promotion, kind: NoticeKind) -> list[User]:
    """Who asked; of a failure also who wrote it and who approved it."""
    people = _asker(promotion)
    if kind is not NoticeKind.FAILED:
        return people
    approved = Q(
        pk__in=Approval.objects.filter(
            promotion=promotion, decision=Approval.Decision.APPROVE
        ).values("person")
    )
    wrote = Q(username__in=authors_of(promotion).people)
    return [*people, *User.objects.filter(approved | wrote, is_active=True)]


def _asker(promotion: Promotion) -> list[User]:
    return [promotion.requested_by] if promotion.requested_by else []


def _without(actor: User | None, people: Iterable[User]) -> list[User]:
    return [person for person in people if actor is None or person.pk != actor.pk]


def _named(promotion: Promotion) -> str:
    """'P-12 (shipment-api 4.18.0 to Production)'."""
    release, place = promotion.release, promotion.environment.name
    return f"{promotion.number} ({promotion.service.slug} {release.version} to {place})"


def _news(promotion: Promotion, kind: NoticeKind, key: str, sentence: str) -> News:
    return News(
        kind=kind,
        key=key,
        sentence=sentence,
        link=f"/promotions/{promotion.pk}/",
        promotion=promotion,
        service=promotion.service,
        environment=promotion.environment,
    )
