"""Going back to the last good release."""

from datetime import datetime

from django.db import transaction

from promotion.exceptions import ConflictError, NotAllowedError
from promotion.gates.runs import release_key, runs_in
from promotion.models import Environment, Promotion, Release, Role, Service, User
from promotion.rules.states import State

from .promote import Asked, Request, ask_for_promotion


def last_good_release(
    service: Service, environment: Environment, bad: Release, at: datetime
) -> Release | None:
    """The release that ran there before the bad one, and is not vetoed."""
    for run in reversed(runs_in(service, environment.slug, at)):
        if not run.release or release_key(run.release) == bad.pk:
            continue
        release = Release.objects.select_related("service").get(pk=release_key(run.release))
        if not release.is_vetoed:
            return release
    return None


def _check_not_gone_over(bad: Promotion) -> None:
    """ConflictError where another promotion has succeeded there since: that one is what runs now."""
    later = (
        Promotion.objects.of(bad.service, bad.environment)
        .filter(state=State.SUCCEEDED.value, ended_at__gt=bad.ended_at)
        .exclude(release=bad.release)
        .order_by("-ended_at")
        .first()
    )
    if later:
        raise ConflictError(
            f"{later.number} has succeeded in {bad.environment.name} since, so {bad.number} is not what runs there."
            f" Nothing was asked for. Roll back {later.number} instead."
        )


def check_roll_back(running: Promotion, person: User, at: datetime) -> None:
    """Raises where a rollback of what still runs could not be asked for by the person once it ends."""
    if not person.has_role(running.service.team, Role.RELEASE_MANAGER):
        raise NotAllowedError(
            f"{person.name} may not roll back {running.service.slug}: that takes a release manager of"
            f" {running.service.team.name}. Nothing was changed."
        )
    if last_good_release(running.service, running.environment, running.release, at) is None:
        raise ConflictError(
            f"No other release is known to have run in {running.environment.name}, so there is nothing"
            " to go back to. Nothing was changed. Stop it and leave it as it is."
        )


@transaction.atomic
def roll_back(number: int, *, person: User | None, at: datetime, reason: str = "") -> Asked:
    """Asks for the last good release again, as a promotion of kind rollback with its own short gate list.

    `person` is None where the stage's `on_failure: rollback` does it.
    """
    bad = Promotion.objects.for_display().get(pk=number)
    if person and not person.has_role(bad.service.team, Role.RELEASE_MANAGER):
        raise NotAllowedError(
            f"{person.name} may not roll back {bad.service.slug}: that takes a release manager of"
            f" {bad.service.team.name}. Nothing was asked for."
        )
    if bad.state not in {
        State.SUCCEEDED.value,
        State.FAILED.value,
        State.ERRORED.value,
        State.CANCELLED.value,
    }:
        raise ConflictError(
            f"{bad.number} is {bad.state}; there is nothing to roll back yet. Nothing was asked for."
        )
    _check_not_gone_over(bad)
    good = last_good_release(bad.service, bad.environment, bad.release, at)
    if good is None:
        raise ConflictError(
            f"No other release is known to have run in {bad.environment.name}, so there is nothing to go back to."
        )
    request = Request(
        release=good,
        environment=bad.environment,
        person=person,
        origin=Promotion.Origin.PERSON if person else Promotion.Origin.AUTOMATIC,
        kind=Promotion.Kind.ROLLBACK,
        fields={"reason": reason or f"Undoes {bad.number}."},
        undoes=bad,
    )
    return ask_for_promotion(request, at=at)
