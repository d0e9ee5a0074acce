"""Writing a few words at a date of the charts, changing them, taking them away; all on record."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from metrics.models import Annotation
from promotion.actions.audit import record
from promotion.actions.checking import check_words
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Role, Service, Team, User

LONGEST_TEXT = 120
EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Note:
    """What is to stand at a day: of a team or a service (slugs), or of everybody."""

    day: date
    text: str
    team: str = ""
    service: str = ""


def may_annotate(person: User, team: Team | None) -> bool:
    """Members and release managers of the team; for everybody who is one of all teams."""
    return person.has_role(team, Role.MEMBER, Role.RELEASE_MANAGER, Role.PLATFORM_ENGINEER)


def team_of(annotation: Annotation) -> Team | None:
    """Whose it is."""
    return annotation.service.team if annotation.service else annotation.team


def _refuse(person: User, team: Team | None) -> None:
    if not may_annotate(person, team):
        whose = team.name if team else "all teams"
        raise NotAllowedError(
            f"Writing at a date takes a member or release manager of {whose}. Nothing was changed."
        )


def _check(note: Note) -> str:
    if note.day < EARLIEST:
        raise InputError("The date lies before 2000. Nothing was changed.", key="day")
    return check_words(note.text, "Write a few words", LONGEST_TEXT, key="text")


@transaction.atomic
def annotate(note: Note, *, person: User, at: datetime) -> Annotation:
    """Writes at a day. NotAllowedError, InputError for what cannot be used."""
    service = Service.objects.select_related("team").filter(slug=note.service).first()
    team = None if service else Team.objects.filter(slug=note.team).first()
    if (note.service and service is None) or (note.team and not service and team is None):
        raise InputError("There is no such team or service. Nothing was changed.")
    _refuse(person, service.team if service else team)
    made = Annotation.objects.create(
        day=note.day, text=_check(note), team=team, service=service, made_by=person, made_at=at
    )
    details = {"day": note.day.isoformat(), "text": made.text}
    record("annotation.make", made, actor=person, at=at, details=details)
    return made


def _find(key: int, person: User) -> Annotation:
    found = (
        Annotation.objects.select_for_update(of=("self",))
        .select_related("team", "service__team")
        .get(pk=key)
    )
    _refuse(person, team_of(found))
    if found.removed_at is not None:
        raise ConflictError("It was taken away already. Nothing was changed.")
    return found


@transaction.atomic
def change_annotation(key: int, note: Note, *, person: User, at: datetime) -> Annotation:
    """Other words or another day; the scope stays. The audit log holds both."""
    found = _find(key, person)
    before = {"day": found.day.isoformat(), "text": found.text}
    found.day, found.text = note.day, _check(note)
    after = {"day": found.day.isoformat(), "text": found.text}
    if before == after:
        return found
    found.save(update_fields=["day", "text"])
    record("annotation.change", found, actor=person, at=at, details={"before": before, **after})
    return found


@transaction.atomic
def remove_annotation(key: int, *, person: User, at: datetime) -> Annotation:
    """It is shown no more."""
    found = _find(key, person)
    found.removed_at = at
    found.save(update_fields=["removed_at"])
    details = {"day": found.day.isoformat(), "text": found.text}
    record("annotation.remove", found, actor=person, at=at, details=details)
    return found
