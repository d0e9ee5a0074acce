"""Vetoing a release: it is never promoted anywhere further, unless the veto is taken back."""

from datetime import UTC, datetime

from django.db import transaction

from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import Release, Role, Service, User

from .audit import record
from .checking import check_words
from .finish import wake_service

LONGEST_REASON = 500


@transaction.atomic
def veto_release(release: int, *, person: User, reason: str, at: datetime) -> Release:
    """Records the veto and has everything of the service looked at again.

    NotAllowedError where the person is no release manager of the team, InputError without a
    reason, ConflictError where the release is vetoed already. Nothing was changed then.
    """
    # The service first, as everybody locks: a start and a veto never wait for each other in a circle.
    Service.objects.select_for_update(no_key=True).get(releases=release)
    found = Release.objects.select_for_update().get(pk=release)
    team = found.service.team
    if not may_veto(person, found):
        raise NotAllowedError(
            f"{person.name} may not veto {found}: that takes a release manager of {team.name}."
            " Nothing was changed."
        )
    said = reason.strip()
    if not said or len(said) > LONGEST_REASON:
        raise InputError(
            f"A veto needs a reason of at most {LONGEST_REASON} characters. Nothing was changed.",
            key="reason",
        )
    if found.vetoed_at is not None:
        by = found.vetoed_by.name if found.vetoed_by else "Somebody"
        raise ConflictError(f"{by} has vetoed {found} already. Nothing was changed.")
    found.vetoed_at, found.vetoed_by, found.veto_reason = at, person, said
    found.save(update_fields=["vetoed_at", "vetoed_by", "veto_reason"])
    record(
        "release.veto",
        found,
        actor=person,
        at=at,
        reason=said,
        details={"digests": list(found.digests)},
    )
    wake_service(found.service_id, at)
    return found


@transaction.atomic
def take_back_veto(release: int, *, person: User, reason: str, at: datetime) -> Release:
    """Lets a vetoed release be promoted again, and has everything of the service looked at.

    NotAllowedError where the person is no release manager of the team, InputError without a
    reason, ConflictError where the release is not vetoed. Nothing was changed then.
    """
    Service.objects.select_for_update(no_key=True).get(releases=release)
    found = Release.objects.select_for_update().get(pk=release)
    if not may_veto(person, found):
        raise NotAllowedError(
            f"{person.name} may not take back the veto of {found}: that takes a release manager of"
            f" {found.service.team.name}. Nothing was changed."
        )
    said = check_words(reason, "Taking back a veto needs a reason", LONGEST_REASON)
    if found.vetoed_at is None:
        raise ConflictError(f"{found} is not vetoed. Nothing was changed.")
    details = {
        "digests": list(found.digests),
        "vetoed_at": found.vetoed_at.astimezone(UTC).isoformat(),
        "vetoed_by": found.vetoed_by.get_username() if found.vetoed_by else "",
        "veto_reason": found.veto_reason,
    }
    found.vetoed_at, found.vetoed_by, found.veto_reason = None, None, ""
    found.save(update_fields=["vetoed_at", "vetoed_by", "veto_reason"])
    record("release.unveto", found, actor=person, at=at, reason=said, details=details)
    wake_service(found.service_id, at)
    return found


def may_veto(person: User, release: Release) -> bool:
    """The release managers of the service's team."""
    return person.has_role(release.service.team, Role.RELEASE_MANAGER)
