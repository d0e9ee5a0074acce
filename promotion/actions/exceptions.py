"""Letting a release past one gate of an environment, for a time: a right of its own, and on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.formats import format_moment
from promotion.gates.known import GATES
from promotion.models import (
    Environment,
    GateException,
    GateResult,
    Promotion,
    Release,
    Role,
    Service,
    Team,
    User,
)

from .audit import record
from .finish import wake_service
from .rights import has_right

RIGHT = "grant_exception"
LONGEST_REASON = 500
LONGEST = timedelta(days=90)
# Bytes that differ from their digest, a running neighbour, and people who decide are passed by nobody.
NEVER_PASSED = frozenset({"checksum", "lock", "approval"})
# The order gate passes verification and soak by itself, and never the deployment upstream.
ORDER = "order"
# What a release manager may approve a release past without the right of its own.
MANAGERS_MAY_PASS = frozenset({"order", "soak"})
FRESH_FOR = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which gate of which environment the release is let past, why, who answers for it, until when."""

    release: Release
    environment: Environment
    gate: str
    reason: str
    owner: User
    ends_at: datetime


@transaction.atomic
def grant_exception(wanted: Wanted, *, person: User, at: datetime) -> GateException:
    """Grants it, and has everything of the service looked at again.

    NotAllowedError where the person has not the right, InputError where something is missing or the
    gate lets nobody past, ConflictError where there is one already. Nothing was changed then.
    """
    service = Service.objects.select_for_update(no_key=True).get(pk=wanted.release.service_id)
    if not may_grant_for(person, service.team, wanted.gate):
        raise NotAllowedError(
            f"{person.name} may not let a release past a gate: that is a right of its own, which"
            " nobody has by a role; past verification and soak a release manager of"
            f" {service.team.name} may approve it, too. Nothing was changed."
        )
    _check(wanted, at)
    _check_not_in_force(wanted, at)
    made = GateException.objects.create(
        release=wanted.release,
        environment=wanted.environment,
        gate=wanted.gate,
        reason=wanted.reason.strip(),
        owner=wanted.owner,
        granted_by=person,
        granted_at=at,
        ends_at=wanted.ends_at,
    )
    details = {
        "release": str(wanted.release),
        "digests": list(wanted.release.digests),
        "environment": wanted.environment.slug,
        "gate": made.gate,
        "owner": wanted.owner.get_username(),
        "ends_at": made.ends_at.astimezone(UTC).isoformat(),
    }
    record("exception.grant", made, actor=person, at=at, reason=made.reason, details=details)
    wake_service(service.pk, at)
    return made


@transaction.atomic
def revoke_exception(number: int, *, person: User, reason: str, at: datetime) -> GateException:
    """Ends it now, and has everything of the service looked at again; what runs already goes on.

    NotAllowedError where the person neither owns it nor has the right, ConflictError where it is over.
    """
    service = Service.objects.select_for_update(no_key=True).get(releases__exceptions=number)
    found = (
        GateException.objects.select_for_update(of=("self",))
        .select_related("release__service__team")
        .get(pk=number)
    )
    if not may_revoke(person, found):
        raise NotAllowedError(
            f"{person.name} may not revoke {found}: its owner may, and who may grant"
            " it. Nothing was changed."
        )
    if found.revoked_at is not None or found.ends_at <= at:
        raise ConflictError(f"{found} is over already. Nothing was changed.")
    found.revoked_at = at
    found.save(update_fields=["revoked_at"])
    record("exception.revoke", found, actor=person, at=at, reason=reason.strip()[:LONGEST_REASON])
    wake_service(service.pk, at)
    return found


def may_grant(person: User) -> bool:
    """Was the right given to the person, or to a group of theirs? Being an administrator is not enough."""
    return has_right(person, RIGHT)


def may_grant_for(person: User, team: Team, gate: str) -> bool:
    """Who has the right; and a release manager of the team past verification and soak."""
    is_managers = gate in MANAGERS_MAY_PASS and person.has_role(team, Role.RELEASE_MANAGER)
    return is_managers or may_grant(person)


def may_revoke(person: User, exception: GateException) -> bool:
    """Who answers for it, and who may grant it."""
    team = exception.release.service.team
    return person.pk == exception.owner_id or may_grant_for(person, team, exception.gate)


def let_past(
    promotion: Promotion, results: Sequence[GateResult], *, at: datetime
) -> list[GateResult]:
    """The results with those required gates open that an exception in force lets the release past."""
    rows = (
        GateException.objects.in_force(at)
        .filter(release=promotion.release_id, environment=promotion.environment_id)
        .exclude(gate__in=NEVER_PASSED)
        .select_related("owner", "granted_by")
    )
    by_gate = {one.gate: one for one in rows}
    # Approved past verification and soak: the soak gate is the same question asked again.
    order = by_gate.pop(ORDER, None)
    if order is not None:
        by_gate.setdefault("soak", order)
    return [_let_past(result, by_gate.get(result.gate), at) for result in results]


def _let_past(result: GateResult, exception: GateException | None, at: datetime) -> GateResult:
    if exception is None or not result.is_required or result.verdict == GateResult.Verdict.OPEN:
        return result
    reason = (
        f"Exception {exception} by {exception.granted_by.name} until {_moment(exception.ends_at)};"
        f" {exception.owner.name} answers for it. Without it: {result.reason}"
    )
    return GateResult(
        promotion_id=result.promotion_id,
        position=result.position,
        gate=result.gate,
        is_required=True,
        verdict=GateResult.Verdict.OPEN,
        reason=reason[:1000],
        evidence=result.evidence,
        earliest=at,
        look_again_at=exception.ends_at,
        exception=exception,
        content_hash=result.content_hash,
        measured_at=result.measured_at,
        fresh_until=min(at + FRESH_FOR, exception.ends_at),
    )


def _check(wanted: Wanted, at: datetime) -> None:
    if wanted.gate not in GATES or wanted.gate in NEVER_PASSED:
        title = GATES[wanted.gate].title if wanted.gate in GATES else wanted.gate
        raise InputError(
            f"No exception lets a release past {title[:60] or 'no gate'}. Nothing was changed.",
            key="gate",
        )
    reason = wanted.reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise InputError(
            f"An exception needs a reason of at most {LONGEST_REASON} characters."
            " Nothing was changed.",
            key="reason",
        )
    if not wanted.owner.is_active:
        raise InputError(
            f"{wanted.owner.name} is not here any more and cannot answer for it."
            " Nothing was changed.",
            key="owner",
        )
    if not at < wanted.ends_at <= at + LONGEST:
        raise InputError(
            f"An exception ends within the next {LONGEST.days} days. Nothing was changed.",
            key="ends_at",
        )


def _check_not_in_force(wanted: Wanted, at: datetime) -> None:
    before = (
        GateException.objects.in_force(at)
        .filter(release=wanted.release, environment=wanted.environment, gate=wanted.gate)
        .first()
    )
    if before is not None:
        raise ConflictError(
            f"{before} is in force there until {_moment(before.ends_at)} already."
            " Nothing was changed. Revoke it first to grant another."
        )


def _moment(at: datetime) -> str:
    return format_moment(at.astimezone(UTC))
