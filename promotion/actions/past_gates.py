"""What a broken glass lets a promotion past, and what it never does."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from promotion.formats import format_moment
from promotion.gates.known import GATES
from promotion.models import (
    BreakGlass,
    CheckedDigest,
    Freeze,
    GateException,
    GateResult,
    Promotion,
)
from promotion.rules.pipeline import StageForm
from promotion.rules.states import State

FRESH_FOR = timedelta(minutes=2)
CHECKSUM = "checksum"


def glass_in_force(promotion: Promotion) -> BreakGlass | None:
    """The glass broken for exactly what the promotion would do now; None where there is none."""
    if promotion.glass_broken_at is None:
        return None
    return (
        BreakGlass.objects.filter(promotion=promotion, content_hash=promotion.content_hash)
        .select_related("broken_by")
        .first()
    )


def pass_gates(
    promotion: Promotion, stage: StageForm, results: Sequence[GateResult], *, at: datetime
) -> list[GateResult]:
    """The results with those required gates open that a broken glass passes.

    Never passed: bytes that nobody has ever checked, a neighbour that runs, a freeze where the
    pipeline says so; and nothing at all with a vetoed release or one of another service.
    """
    glass = glass_in_force(promotion)
    if glass is None or not may_pass_at_all(promotion):
        return list(results)
    return [_pass(glass, promotion, stage, one, at) for one in results]


def may_pass_at_all(promotion: Promotion) -> bool:
    """The release is this service's own and not vetoed."""
    release = promotion.release
    is_own = release.service_id == promotion.service_id
    is_its_pipeline = promotion.pipeline_version.form.service == promotion.service.slug
    return is_own and is_its_pipeline and not release.is_vetoed


def _pass(
    glass: BreakGlass, promotion: Promotion, stage: StageForm, result: GateResult, at: datetime
) -> GateResult:
    if not result.is_required or result.verdict == GateResult.Verdict.OPEN:
        return result
    because = f"{glass.broken_by.name} broke the glass ({glass})."
    if result.gate == CHECKSUM:
        check = _earlier_check(promotion, result)
        if check is None:
            return result
        moment = format_moment(check.checked_at.astimezone(UTC))
        because += f" Every byte was read and matched on {moment}."
    elif _holds_all_the_same(result.gate, promotion, stage, at):
        return result
    return GateResult(
        promotion_id=result.promotion_id,
        position=result.position,
        gate=result.gate,
        is_required=True,
        verdict=GateResult.Verdict.OPEN,
        reason=f"{because} Without it: {result.reason}"[:1000],
        evidence=result.evidence,
        earliest=at,
        break_glass=glass,
        content_hash=result.content_hash,
        measured_at=result.measured_at,
        fresh_until=at + FRESH_FOR,
    )


def _holds_all_the_same(gate: str, promotion: Promotion, stage: StageForm, at: datetime) -> bool:
    """A neighbour that runs, and a freeze where the pipeline says so."""
    if gate == "window":
        return _is_frozen_all_the_same(promotion, stage, at)
    return gate == "lock" and _runs_there(promotion)


def _earlier_check(promotion: Promotion, result: GateResult) -> CheckedDigest | None:
    """The oldest of the checks that together cover every artifact; none while the bytes differ now."""
    if result.verdict != GateResult.Verdict.WAITING:
        return None
    artifacts = {artifact.pk for artifact in promotion.release.artifacts.all()}
    found = list(CheckedDigest.objects.filter(artifact__in=artifacts).order_by("checked_at"))
    is_whole = bool(artifacts) and {one.artifact_id for one in found} == artifacts
    return found[0] if is_whole else None


def note_checked_digests(
    promotion: Promotion, results: Sequence[GateResult], *, at: datetime
) -> None:
    """Remembers that every byte was read and matched, so that an emergency can rest on it later."""
    fresh = next(
        (
            one
            for one in results
            if one.gate == CHECKSUM and one.pk is None and one.verdict == GateResult.Verdict.OPEN
        ),
        None,
    )
    if fresh is None:
        return
    CheckedDigest.objects.bulk_create(
        [
            CheckedDigest(
                artifact=artifact, promotion=promotion, checked_at=at, reason=fresh.reason
            )
            for artifact in promotion.release.artifacts.all()
        ],
        update_conflicts=True,
        unique_fields=["artifact"],
        update_fields=["promotion", "checked_at", "reason"],
    )


def note_passing(glass: BreakGlass, results: Sequence[GateResult], *, at: datetime) -> list[str]:
    """Keeps what the glass passed when the promotion starts; the gates' kinds."""
    passed = [one for one in results if one.break_glass is not None]
    BreakGlass.objects.filter(pk=glass.pk).update(
        used_at=at if passed else None,
        passed=[{"gate": one.gate, "reason": one.reason} for one in passed],
    )
    return [one.gate for one in passed]


def say_passed(glass: BreakGlass, gates: Sequence[str]) -> str:
    """The sentence for the promotion's history."""
    titles = [GATES[kind].title.lower() if kind in GATES else kind for kind in gates]
    return f"{glass.broken_by.name} broke the glass: {glass.reason} Passed: {', '.join(titles)}."


def _is_frozen_all_the_same(promotion: Promotion, stage: StageForm, at: datetime) -> bool:
    """The pipeline lets freezes hold break-glass, one is on, and no exception passes it."""
    if not stage.freezes_apply_to_break_glass:
        return False
    freezes = (
        Freeze.objects.not_over(at)
        .touching(promotion.service, promotion.environment)
        .filter(starts_at__lte=at)
    )
    excepted = GateException.objects.in_force(at).filter(
        release=promotion.release_id, environment=promotion.environment_id, gate="window"
    )
    return freezes.exists() and not excepted.exists()


def _runs_there(promotion: Promotion) -> bool:
    return (
        Promotion.objects.of(promotion.service, promotion.environment)
        .filter(state=State.RUNNING.value)
        .exclude(pk=promotion.pk)
        .exists()
    )
