"""What a person says of an incident's link and of a return: confirm, dispute, link, withdraw."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, InputError
from promotion.models import Deployment, Incident, IncidentVerdict, RollbackVerdict, User

from .audit import record
from .checking import check_words
from .finish import wake_service
from .void_fact import LONGEST_WORDS, refuse_correcting


@transaction.atomic
def judge_incident(
    key: int,
    word: str,
    *,
    why: str,
    person: User,
    at: datetime,
    deployment: int | None = None,
) -> IncidentVerdict:
    """Adds the word; the newest counts, as of an earlier time the one before does.

    `deployment` is the one it is linked to, of the same service. NotAllowedError, InputError for
    an unknown word, a missing reason or deployment, ConflictError where the same is said already.
    """
    incident = (
        Incident.objects.select_for_update(of=("self",)).select_related("service__team").get(pk=key)
    )
    refuse_correcting(person, incident.service)
    if word not in IncidentVerdict.Word.values:
        raise InputError("Choose what you say of it. Nothing was changed.", key="word")
    words = check_words(why, "Say why, in words", LONGEST_WORDS)
    linked = _find_deployment(incident, deployment) if word == IncidentVerdict.Word.LINKED else None
    last = incident.verdicts.order_by("at", "pk").last()
    _refuse_same(
        last.word if last else None,
        word,
        is_other=linked is not None and linked.pk != (last.deployment_id if last else None),
    )
    made = IncidentVerdict.objects.create(
        incident=incident, word=word, deployment=linked, why=words, by=person, at=at
    )
    details = {"word": word, "deployment": linked.pk if linked else None}
    record("incident.judge", incident, actor=person, at=at, reason=words, details=details)
    if incident.service_id:
        wake_service(incident.service_id, at)
    return made


def _find_deployment(incident: Incident, key: int | None) -> Deployment:
    ended = Deployment.objects.filter(service=incident.service_id).exclude(finished_at=None)
    found = ended.filter(pk=key).first() if key and incident.service_id else None
    if found is None:
        raise InputError(
            "Choose an ended deployment of the incident's service. Nothing was changed.",
            key="deployment",
        )
    return found


def _refuse_same(last: str | None, word: str, *, is_other: bool = False) -> None:
    if last == word and not is_other:
        raise ConflictError("That is said of it already. Nothing was changed.")
    if word == "withdrawn" and last is None:
        raise ConflictError("Nothing was said of it yet. Nothing was changed.")


@transaction.atomic
def judge_return(
    key: int, word: str, *, why: str, person: User, at: datetime
) -> list[RollbackVerdict]:
    """Says of a deployment that went back, or of a hotfix, that it was planned, or was not.

    One of several of a promotion stands for all of them. Refuses as `judge_incident` does.
    """
    deployment = (
        Deployment.objects.select_for_update(of=("self",))
        .select_related("service__team")
        .get(pk=key)
    )
    refuse_correcting(person, deployment.service)
    if word not in RollbackVerdict.Word.values:
        raise InputError("Choose what you say of it. Nothing was changed.", key="word")
    words = check_words(why, "Say why, in words", LONGEST_WORDS)
    last = deployment.verdicts.order_by("at", "pk").last()
    _refuse_same(last.word if last else None, word)
    together = [deployment]
    if deployment.promotion_id:
        together = list(
            Deployment.objects.filter(
                promotion=deployment.promotion_id,
                environment=deployment.environment_id,
                service=deployment.service_id,
            )
        )
    made = [
        RollbackVerdict.objects.create(deployment=each, word=word, why=words, by=person, at=at)
        for each in together
    ]
    details = {"word": word, "deployments": [each.pk for each in together]}
    record("deployment.judge", deployment, actor=person, at=at, reason=words, details=details)
    wake_service(deployment.service_id, at)
    return made
