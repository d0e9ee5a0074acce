"""What a team shows for an answer: a link or a file, with owner, date and the day to review it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from metrics.models import Answer, Assessment, EvidenceFile
from promotion.actions.audit import record
from promotion.exceptions import InputError
from promotion.models import User

from .assess import check_draft, check_member, drop_acceptance, lock_assessment, may_record

LARGEST_FILE = 5 * 1024 * 1024
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Evidence as it is given; without `body` no file, without `url` no link."""

    url: str = ""
    title: str = ""
    owner: str = ""
    dated: date | None = None
    review_on: date | None = None
    file_name: str = ""
    body: bytes | None = None
    keeps_file: bool = False
    """Without a new file the one that is there stays."""


@transaction.atomic
def give_evidence(
    key: int, statement_id: str, shown: Shown, *, person: User, at: datetime
) -> Answer:
    """Puts evidence on the team's answer in place of what was there; it is to be accepted anew.

    An empty one takes it off. InputError where there is no answer yet or the file is empty or too
    large, ConflictError once submitted, NotAllowedError for who may not answer.
    """
    assessment = lock_assessment(key)
    check_member(person, assessment.team)
    check_draft(assessment)
    answer = Answer.objects.filter(assessment=assessment, statement_id=statement_id).first()
    if answer is None or not may_record(assessment, person):
        raise InputError(
            "Answer the statement first, then show what carries it. Nothing was saved."
        )
    if answer.inherited_from_id:
        raise InputError("The answer is another team's, and so is its evidence. Nothing was saved.")
    if shown.body is not None:
        answer.evidence_file = _keep_file(assessment, shown, person, at)
    elif not shown.keeps_file:
        answer.evidence_file = None
    drop_acceptance(answer)
    answer.evidence_url, answer.evidence_title = shown.url, shown.title
    answer.evidence_owner, answer.evidence_dated = shown.owner, shown.dated
    answer.evidence_review_on = shown.review_on
    answer.evidence_by = person if answer.has_evidence else None
    answer.save()
    details = {"statement": statement_id, "evidence": shown.url}
    if answer.evidence_file is not None:
        details["sha256"] = answer.evidence_file.sha256
    record("assessment.give-evidence", assessment, actor=person, at=at, details=details)
    return answer


def _keep_file(assessment: Assessment, shown: Shown, person: User, at: datetime) -> EvidenceFile:
    body = shown.body or b""
    if not body:
        raise InputError("The file is empty. Nothing was saved.", key="file")
    if len(body) > LARGEST_FILE:
        raise InputError("A file may have 5 MiB. Nothing was saved.", key="file")
    name = re.sub(r"[^\w.() -]", "_", shown.file_name).strip(" .")[-200:] or "evidence"
    digest = hashlib.sha256(body).hexdigest()
    found, _ = EvidenceFile.objects.get_or_create(
        team=assessment.team,
        sha256=digest,
        name=name,
        defaults={"size": len(body), "body": body, "given_by": person, "given_at": at},
    )
    return found
