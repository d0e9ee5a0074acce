"""Reminding teams of this quarter's assessment, of drafts left lying, and owners of their actions."""

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from metrics.answers import Look, find_looks, read_answers, resolve_inherited
from metrics.check_results import find_day, find_results, write_check
from metrics.maturity.loading import load_shipped_model
from metrics.members import find_members
from metrics.models import Assessment, Improvement
from promotion.actions.tell import News, tell
from promotion.models import NoticeKind

from .assess import find_cycle

LEFT_LYING = timedelta(days=14)


@transaction.atomic
def remind(at: datetime) -> int:
    """Tells everything that is due; how many things. Repeating is harmless: each is told once."""
    return _remind_of_quarter(at) + _remind_of_drafts(at) + _remind_of_actions(at)


def _remind_of_quarter(at: datetime) -> int:
    """Teams that agreed one before, and have not begun this quarter's."""
    model, cycle = load_shipped_model(), find_cycle(at)
    begun = Assessment.objects.filter(model_id=model.id, cycle__gte=cycle)
    last = Assessment.objects.filter(model_id=model.id, state=Assessment.State.AGREED).exclude(
        team__in=begun.values("team")
    )
    told = 0
    for assessment in last.select_related("team", "team__parent"):
        sentence = _tell_what_is_asked(assessment, at)
        key = f"assessment:{assessment.team_id}:{cycle}"
        tell(
            find_members(assessment.team),
            News(NoticeKind.ASSESSMENT, key, sentence, reverse("assessment-list")),
            at=at,
        )
        told += 1
    return told


def _tell_what_is_asked(assessment: Assessment, at: datetime) -> str:
    model = load_shipped_model()
    answers = [one for one in read_answers(assessment) if model.has_statement(one.statement_id)]
    resolve_inherited(answers)
    for answer in answers:
        # The next assessment carries them over; they are looked at as they would stand there.
        answer.is_carried = True
    checks = {
        each.statement_id: write_check(each) for each in find_results(assessment.team, model, at)
    }
    looks = find_looks(model, answers, checks, assessment.result, at)
    year, _, quarter = find_cycle(at).partition("-")
    begin = f"{assessment.team.name} can assess itself for {quarter.upper()} {year}"
    if not looks:
        return f"{begin}: nothing speaks against the last answers; confirm them."
    counts = Counter(looks.values())
    why = ", ".join(f"{counts[look]} {look}" for look in Look if counts[look])
    return f"{begin}: {len(looks)} of {len(model.statements)} statements are asked ({why})."


def _remind_of_drafts(at: datetime) -> int:
    """Assessments of this quarter that are two weeks old and not agreed."""
    left = Assessment.objects.filter(
        cycle=find_cycle(at),
        started_at__lte=at - LEFT_LYING,
        state__in=(Assessment.State.DRAFT, Assessment.State.IN_REVIEW),
    ).select_related("team", "team__parent")
    for assessment in left:
        waits = "waits for somebody else to agree" if not assessment.is_draft else "is a draft"
        sentence = f"{assessment} was begun two weeks ago and {waits}."
        link = reverse("assessment-detail", args=[assessment.team.slug, assessment.cycle])
        key = f"assessment-left:{assessment.pk}"
        tell(
            find_members(assessment.team),
            News(NoticeKind.ASSESSMENT, key, sentence, link),
            at=at,
        )
    return len(left)


def _remind_of_actions(at: datetime) -> int:
    """Open actions whose day has passed, each to its owner."""
    late = Improvement.objects.filter(
        state=Improvement.State.OPEN, due_on__lt=find_day(at)
    ).select_related("team", "owner")
    for action in late:
        sentence = f"{action} was due on {action.due_on:%d %b %Y} and is open."
        link = reverse("team-actions", args=[action.team.slug])
        key = f"improvement-late:{action.pk}:{action.due_on}"
        tell([action.owner], News(NoticeKind.ASSESSMENT, key, sentence, link), at=at)
    return len(late)
