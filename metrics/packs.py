"""Evidence packs of agreed assessments: all that an outsider needs to derive the level again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import rfc8785

from metrics.answers import read_answers
from metrics.facts.checked import load_check_facts
from metrics.maturity.checks.measuring import tally_figures
from metrics.maturity.checks.results import Tally, Unit
from metrics.maturity.checks.windows import CheckWindow, open_window
from metrics.maturity.loading import SHIPPED_MODEL
from metrics.maturity.model import Better, Check, MaturityModel, Statement
from metrics.maturity.packs import CLAIMS, MODEL, open_pack, write_pack
from metrics.maturity.packs.contents import ASSESSMENT, MANIFEST, hash_part
from metrics.models import Answer, Assessment
from metrics.standing import find_model
from metrics.targets import Targets
from promotion.exceptions import ConflictError

# A target on any of these is one that the team watches.
WATCHED = ("first_pass", "failures", "build_to_production")
THROUGHPUT = "throughput"
HOW = """How to check this pack

1. manifest.json lists every part with its SHA-256. Compare the SHA-256 of manifest.json itself
   with the one that Throughline tells beside the download.
2. model.yaml is the standard as data: statements, thresholds, and the rule of the levels.
3. Each file under claims/ is one statement: the answer, the hash of its evidence, what its check
   found, the rows it counted, and the values that followed.
4. "manage.py recompute_level PACK" derives the level again from this file alone, without a
   database, and ends with 1 where anything differs.
"""


def check_frozen(assessment: Assessment) -> None:
    """ConflictError where the assessment is not agreed: only what is agreed goes out."""
    if not assessment.is_frozen:
        raise ConflictError(
            f"{assessment} is {assessment.state}. It goes out once it is agreed; nothing was made."
        )


def make_pack(assessment: Assessment) -> bytes:
    """The ZIP of an agreed assessment; ConflictError for another, and for a model not shipped.

    The rows are what the record gives as of the assessment. A figure they do not give (something
    was excused or learnt later) goes without rows, and says so.
    """
    check_frozen(assessment)
    model = find_model(assessment)
    answers = {each.statement_id: each for each in read_answers(assessment)}
    at = datetime.fromisoformat(assessment.result["at"])
    tallies = _Tallies(assessment, model, at)
    parts = {
        MODEL: SHIPPED_MODEL.read_bytes(),
        ASSESSMENT: rfc8785.dumps(_write_assessment(assessment)),
        "README.txt": HOW.encode(),
    }
    for statement in model.statements:
        claim = write_claim(assessment, statement, answers.get(statement.id))
        claim |= tallies.write_rows(statement, claim["check"])
        parts[f"{CLAIMS}{statement.id}.json"] = rfc8785.dumps(claim)
    head = {"team": assessment.team.slug, "cycle": assessment.cycle}
    return write_pack(head, parts)


def find_manifest_digest(pack: bytes) -> str:
    """The SHA-256 (hex) of a pack's manifest: what stands for all of it."""
    return hash_part(open_pack(pack)[MANIFEST])


def _write_assessment(assessment: Assessment) -> dict[str, Any]:
    kept = ("claimed", "verified", "binding", "confidence", "provisional", "progress", "rule", "at")
    return {
        "team": {"slug": assessment.team.slug, "name": assessment.team.name},
        "cycle": assessment.cycle,
        "model": {"id": assessment.model_id, "version": assessment.model_version},
        "submitted_by": _write_person(assessment.submitted_by),
        "agreed_by": _write_person(assessment.agreed_by),
        "agreed_at": _write_time(assessment.agreed_at),
        "result": {name: assessment.result[name] for name in kept},
    }


def write_claim(
    assessment: Assessment, statement: Statement, answer: Answer | None
) -> dict[str, Any]:
    """One statement of an agreed assessment: answer, evidence, frozen check, and the values."""
    result = assessment.result
    return {
        "statement": {
            "id": statement.id,
            "text": statement.text,
            "category": statement.category,
            "level": statement.level,
            "kind": str(statement.kind),
        },
        "at": result["at"],
        "answer": None if answer is None else _write_answer(answer),
        "evidence": None if answer is None or not answer.has_evidence else _write_evidence(answer),
        "check": result["checks"].get(statement.id),
        "values": result["statements"][statement.id],
    }


def _write_answer(answer: Answer) -> dict[str, Any]:
    return {
        "value": answer.value,
        "comment": answer.comment,
        "answered_by": _write_person(answer.answered_by),
        "answered_at": _write_time(answer.answered_at),
        "inherited_from": answer.inherited_from.slug if answer.inherited_from else None,
        "not_applicable": {
            "reason": answer.not_applicable_reason,
            "agreed_by": _write_person(answer.not_applicable_agreed_by),
            "agreed_at": _write_time(answer.not_applicable_agreed_at),
            "until": _write_time(answer.not_applicable_until),
        },
    }


def _write_evidence(answer: Answer) -> dict[str, Any]:
    file = answer.evidence_file
    return {
        "url": answer.evidence_url,
        "file": None
        if file is None
        else {"name": file.name, "size": file.size, "sha256": file.sha256},
        "title": answer.evidence_title,
        "owner": answer.evidence_owner,
        "dated": _write_time(answer.evidence_dated),
        "given_by": _write_person(answer.evidence_by),
        "accepted_by": _write_person(answer.evidence_accepted_by),
        "accepted_at": _write_time(answer.evidence_accepted_at),
        "expires_at": _write_time(answer.evidence_expires_at),
    }


def _write_person(person: Any) -> str | None:
    return None if person is None else str(person.get_username())


def _write_time(at: Any) -> str | None:
    return None if at is None else str(at.isoformat())


class _Tallies:
    """What each check counted, one by one, as of an assessment."""

    def __init__(self, assessment: Assessment, model: MaturityModel, at: datetime) -> None:
        targets, team = Targets(at), assessment.team
        self._facts = load_check_facts(
            team,
            at,
            model_id=model.id,
            has_target=any(targets.find(each, team.slug) is not None for each in WATCHED),
            throughput_target=targets.find(THROUGHPUT, team.slug),
        )
        self._windows: dict[int, CheckWindow] = {}

    def write_rows(self, statement: Statement, check: Mapping[str, Any] | None) -> dict[str, Any]:
        """`rows` by figure, null where there are none to give, and why in `rows_left_out`."""
        if statement.check is None or check is None or not check["figures"]:
            return {"rows": None, "rows_left_out": ""}
        rows, left_out = {}, []
        frozen = {each["name"]: each for each in check["figures"]}
        window = self._open(check["window"]["days"])
        for name, tally in tally_figures(statement, self._facts, window).items():
            reason = _find_mismatch(statement.check, tally, frozen.get(name))
            if reason:
                left_out.append(f"{name}: {reason}")
            else:
                rows[name] = [_write_row(unit) for unit in tally.units]
        return {"rows": rows or None, "rows_left_out": "; ".join(left_out)}

    def _open(self, days: int) -> CheckWindow:
        if days not in self._windows:
            self._windows[days] = open_window(self._facts, days)
        return self._windows[days]


def _find_mismatch(check: Check, tally: Tally, frozen: Mapping[str, Any] | None) -> str:
    """Why the rows do not carry the frozen figure; empty where they do."""
    if frozen is None:
        return "it is not among the figures kept with the assessment"
    counting = [unit for unit in tally.units if not unit.excused]
    found = sum(unit.good is (check.better is not Better.LOWER) for unit in counting)
    if tally.value is not None:
        found = int(tally.value)
    if (found, len(counting)) == (frozen["numerator"], frozen["denominator"]):
        return ""
    return (
        f"the record now gives {found} of {len(counting)} as of then, kept with the assessment are"
        f" {frozen['numerator']} of {frozen['denominator']}; something was learnt or excused since"
    )


def _write_row(unit: Unit) -> dict[str, Any]:
    return {
        "key": unit.key,
        "service": unit.service,
        "good": unit.good,
        "excused": unit.excused,
        "what": unit.what,
    }
