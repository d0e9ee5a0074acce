"""How the teams assess themselves, this quarter and the one before, each step by who does it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings

from demo import acting
from demo.answers import ASSESSED, Assessed, Remark
from demo.timeline import Timeline, working_time
from metrics.actions.agree import agree, submit
from metrics.actions.assess import Given, find_cycle, save_answer, start_assessment
from metrics.actions.support import accept_evidence, agree_not_applicable
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.values import Answer as Value
from metrics.models import Assessment
from promotion.models import Team

TAKES_AT_MOST = timedelta(days=24)
# Less than this of a quarter is no time to assess anything in.
TAKES_AT_LEAST = timedelta(days=7)
ENDED_BEFORE_THE_QUARTER = timedelta(days=5)
ANSWER_TAKES = timedelta(minutes=3)
UNANSWERED = "-"


@dataclass(slots=True)
class Stretch:
    """The days in which assessments are made; times in it are asked for from early to late."""

    begins_at: datetime
    ends_at: datetime
    latest_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.latest_at = self.begins_at

    def move_to(self, share: float) -> datetime:
        """The time at that share of it, in working hours where those lie within; never back."""
        at = self.begins_at + share * (self.ends_at - self.begins_at)
        if working_time(at) <= self.ends_at:
            at = working_time(at)
        self.latest_at = max(self.latest_at, at)
        return self.latest_at


def add_assessments(timeline: Timeline) -> None:
    """Those of this quarter, and of the one before where the history reaches so far back."""
    now = timeline.ends_at
    quarter_began_at = _find_beginning(now)
    ended_at = quarter_began_at - ENDED_BEFORE_THE_QUARTER
    reaches = timeline.begins_at + timedelta(days=2)
    for one in ASSESSED:
        if one.is_of_this_quarter:
            begins_at, ends_at = max(quarter_began_at, now - TAKES_AT_MOST), now
        elif ended_at - reaches >= TAKES_AT_LEAST:
            begins_at, ends_at = max(reaches, ended_at - TAKES_AT_MOST), ended_at
        else:
            continue
        _add_assessment(timeline, one, Stretch(begins_at, ends_at))


def _find_beginning(at: datetime) -> datetime:
    """When the quarter of a time began in the reporting zone."""
    local = at.astimezone(ZoneInfo(settings.TIME_ZONE))
    month = (local.month - 1) // 3 * 3 + 1
    midnight = local.replace(month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


def _add_assessment(timeline: Timeline, one: Assessed, stretch: Stretch) -> None:
    started_at = stretch.move_to(one.begins)
    supported_at = stretch.move_to(one.begins + (one.ends - one.begins) / 2)
    submitted_at = stretch.move_to(one.begins + (one.ends - one.begins) * 3 / 4)
    agreed_at = stretch.move_to(one.ends)
    timeline.add(started_at, partial(_start, one, at=started_at))
    answers = list(_read_answers(one))
    step = min(ANSWER_TAKES, (supported_at - started_at) / (len(answers) + 1))
    for number, given in enumerate(answers, start=1):
        at = started_at + number * step
        timeline.add(at, partial(_answer, one, given, at=at))
    for statement, remark in one.remarks.items():
        if remark.accepted_by or remark.agreed_by:
            timeline.add(supported_at, partial(_support, one, statement, remark, at=supported_at))
    if one.submitted_by:
        timeline.add(submitted_at, partial(_submit, one, at=submitted_at))
    if one.agreed_by:
        timeline.add(agreed_at, partial(_agree, one, at=agreed_at))


def _read_answers(one: Assessed) -> Iterator[Given]:
    model = load_shipped_model()
    for category, values in one.values.items():
        for statement, value in zip(model.get_statements(category), values.split(), strict=True):
            if value == UNANSWERED:
                continue
            remark = one.remarks.get(statement.id, Remark())
            yield Given(
                statement.id, Value(value), remark.comment, remark.reason, remark.evidence_url
            )


def _find_key(one: Assessed, at: datetime) -> int:
    return Assessment.objects.get(team__slug=one.team, cycle=find_cycle(at)).pk


def _start(one: Assessed, *, at: datetime) -> None:
    team = Team.objects.get(slug=one.team)
    start_assessment(team, person=acting.person_named(one.answered_by), at=at)


def _answer(one: Assessed, given: Given, *, at: datetime) -> None:
    person = acting.person_named(one.answered_by)
    save_answer(_find_key(one, at), given, person=person, at=at)


def _support(one: Assessed, statement: str, remark: Remark, *, at: datetime) -> None:
    key = _find_key(one, at)
    if remark.accepted_by:
        person = acting.person_named(remark.accepted_by)
        accept_evidence(key, statement, person=person, at=at)
    if remark.agreed_by:
        person = acting.person_named(remark.agreed_by)
        agree_not_applicable(key, statement, person=person, at=at)


def _submit(one: Assessed, *, at: datetime) -> None:
    submit(_find_key(one, at), person=acting.person_named(one.submitted_by), at=at)


def _agree(one: Assessed, *, at: datetime) -> None:
    agree(_find_key(one, at), person=acting.person_named(one.agreed_by), at=at)
