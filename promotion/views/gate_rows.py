"""Gates as a page shows them: trouble first, each with its reason, its evidence and its time."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from promotion.actions.evaluate import answers_of
from promotion.actions.exceptions import NEVER_PASSED
from promotion.gates.known import GATES
from promotion.models import GateException, GateResult, Promotion
from promotion.rules.deciding import earliest_start

Verdict = GateResult.Verdict
SEVERITY = ("failed", "blocked", "warned", "running", "waiting", "pending", "unknown", "passed")


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate; `word` says its status, `exception` is the granted deviation that lets it be open."""

    result: GateResult
    title: str
    status: str
    word: str
    exception: GateException | None = None


@dataclass(frozen=True, slots=True)
class GateCount:
    """How many gates have one status, in words: "7 passed"."""

    status: str
    text: str


def gate_title(kind: str) -> str:
    """What people call the gate."""
    return GATES[kind].title if kind in GATES else kind


def gate_rows(
    results: Iterable[GateResult], exceptions: Sequence[GateException] = ()
) -> list[GateRow]:
    """The rows sorted by severity, then in the pipeline's order."""
    by_gate = {exception.gate: exception for exception in exceptions}
    # By which one it was let past is kept with the result, also when the exception is over.
    rows = [
        _row(result, result.exception if result.exception_id else by_gate.get(result.gate))
        for result in results
    ]
    return sorted(rows, key=lambda row: (SEVERITY.index(row.status), row.result.position))


def _row(result: GateResult, exception: GateException | None) -> GateRow:
    title = gate_title(result.gate)
    if result.verdict == Verdict.OPEN:
        if result.break_glass_id:
            return GateRow(result, title, "warned", "glass broken")
        if exception:
            return GateRow(result, title, "warned", "with exception", exception)
        return GateRow(result, title, "passed", "passed")
    if not result.is_required:
        return GateRow(result, title, "warned", "advisory")
    if result.verdict == Verdict.CLOSED:
        return GateRow(result, title, "blocked", "closed")
    return GateRow(result, title, "waiting", "waiting")


def count_gates(rows: Sequence[GateRow]) -> list[GateCount]:
    """The summary of a page or a list: worst first, "1 closed", "2 waiting", "7 passed"."""
    counts = Counter((SEVERITY.index(row.status), row.status, row.word) for row in rows)
    return [GateCount(status, f"{n} {word}") for (_, status, word), n in sorted(counts.items())]


def passable_gates(
    rows: Iterable[GateRow], *, only: Container[str] | None = None
) -> dict[str, str]:
    """The gates that hold the promotion and that an exception may pass, by kind, with their titles.

    `only` are those that this person may let it past, None = all.
    """
    return {
        row.result.gate: row.title
        for row in rows
        if row.result.is_required
        and row.result.verdict != Verdict.OPEN
        and row.result.gate not in NEVER_PASSED
        and (only is None or row.result.gate in only)
    }


def exceptions_of(promotion: Promotion, at: datetime) -> list[GateException]:
    """The deviations granted for this release there that are in force."""
    rows = GateException.objects.filter(
        release=promotion.release_id,
        environment=promotion.environment_id,
        revoked_at=None,
        granted_at__lte=at,
        ends_at__gt=at,
    )
    return list(rows.select_related("owner", "granted_by"))


def holding(results: Iterable[GateResult]) -> list[GateResult]:
    """The required gates that are not open."""
    return [one for one in results if one.is_required and one.verdict != Verdict.OPEN]


def earliest_of(
    promotion: Promotion, results: Sequence[GateResult], at: datetime
) -> datetime | None:
    """When the promotion could start by itself; None while that is not known, or nothing was asked yet."""
    if not results:
        return None
    answers = answers_of(holding(results))
    return earliest_start(answers, not_before=promotion.not_before, now=at)
