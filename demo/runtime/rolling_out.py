"""Rolling out what was asked for: pull the image, take some seconds, tell how it went."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from demo.acting import write_rollout
from demo.organisation import BUILD_REGISTRY, DIRECTORY, PRODUCTION_REGISTRY
from demo.runtime.place import Place, Rollout
from promotion.exceptions import ThroughlineError
from promotion.integrity.oci.layout import OciLayoutStore
from promotion.integrity.oci.verifying import verify_image
from promotion.sources.times import clean_time, format_time

TAKES = timedelta(seconds=4)
# Tells one fact under an id; False where it was not taken in and is told again later.
Tell = Callable[[str, dict[str, Any]], bool]


def go_on(place: Place, tell: Tell, save: Callable[[], None], *, at: datetime) -> None:
    """Does for each rollout what its time has come for; stops where nobody listens.

    What will be told is kept before it is told, so that after a kill the very same is told
    again, which its id shows.
    """
    for rollout in list(place.rollouts):
        if not rollout.began_at:
            rollout.began_at = format_time(at)
            save()
        if not rollout.has_told_start:
            fact = _fact(rollout, "started", rollout.began_at)
            if not tell(f"{rollout.identity}-started", fact):
                return
            rollout.has_told_start = True
            save()
        began_at = clean_time(rollout.began_at) or at
        if at < began_at + TAKES:
            continue
        if not rollout.ended_at:
            rollout.ended_at = format_time(at)
            rollout.result = "succeeded" if can_pull(rollout) else "failed"
            save()
        if not tell(f"{rollout.identity}-ended", _fact(rollout, rollout.result, rollout.ended_at)):
            return
        if rollout.result == "succeeded":
            place.running[rollout.place] = rollout.digest
        place.rollouts.remove(rollout)
        save()


def can_pull(rollout: Rollout) -> bool:
    """Whether every byte of the image is in the registry that the environment pulls from."""
    is_production = rollout.environment == "production"
    name = PRODUCTION_REGISTRY if is_production else BUILD_REGISTRY
    root = Path(settings.DATA_DIR) / DIRECTORY / name
    try:
        image = OciLayoutStore(root).open_repository(f"meridian/{rollout.service}")
        return verify_image(image, rollout.digest).is_intact
    except ThroughlineError:
        return False


def _fact(rollout: Rollout, result: str, at: str) -> dict[str, Any]:
    return write_rollout(
        rollout.service,
        rollout.environment,
        rollout.target,
        rollout.digest,
        result,
        identity=rollout.identity,
        began_at=_time(rollout.began_at),
        at=_time(at),
        promotion=rollout.promotion,
    )


def _time(text: str) -> datetime:
    at = clean_time(text)
    if at is None:
        raise ValueError(f"{text!r} is no time.")
    return at
