"""Declaring a fact wrong: it stays on record, and no figure from now on counts it."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError
from promotion.models import (
    Build,
    Correction,
    Deployment,
    Incident,
    Observation,
    Role,
    Service,
    User,
)

from .audit import record
from .checking import check_words
from .finish import wake_service

LONGEST_WORDS = 500
Fact = Deployment | Observation | Incident | Build
FACTS: dict[str, type[Fact]] = {
    Correction.Subject.DEPLOYMENT: Deployment,
    Correction.Subject.OBSERVATION: Observation,
    Correction.Subject.INCIDENT: Incident,
    Correction.Subject.BUILD: Build,
}


def may_correct(person: User, service: Service | None) -> bool:
    """A release manager of the service's team; of what is of no service one of all teams."""
    return person.has_role(service.team if service else None, Role.RELEASE_MANAGER)


def refuse_correcting(person: User, service: Service | None) -> None:
    """NotAllowedError unless the person may correct facts of the service."""
    if not may_correct(person, service):
        whose = service.team.name if service else "all teams"
        raise NotAllowedError(
            f"Correcting a fact takes a release manager of {whose}. Nothing was changed."
        )


@transaction.atomic
def void_fact(kind: str, key: int, *, why: str, person: User, at: datetime) -> Correction:
    """Voids a deployment, observation, incident or build; as of earlier times it still stands.

    The figures follow: a trigger notes the services in this transaction. Model.DoesNotExist and
    KeyError for what there is not, NotAllowedError, InputError without a reason, ConflictError
    where it is voided already.
    """
    fact = FACTS[kind]._default_manager.select_related("service__team").get(pk=key)
    refuse_correcting(person, fact.service)
    words = check_words(why, "Say why it is wrong, in words", LONGEST_WORDS)
    # Of two at once the second waits here, and finds it done.
    FACTS[kind]._default_manager.select_for_update(of=("self",)).get(pk=key)
    if Correction.objects.filter(subject=kind, subject_id=key).exists():
        raise ConflictError("It is voided already. Nothing was changed.")
    made = Correction.objects.create(subject=kind, subject_id=key, why=words, by=person, at=at)
    record(f"{kind}.void", fact, actor=person, at=at, reason=words)
    if fact.service_id:
        wake_service(fact.service_id, at)
    return made
