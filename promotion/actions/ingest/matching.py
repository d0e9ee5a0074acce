"""Which promotion brought a deployment about, if any."""

from datetime import timedelta

from promotion.models import Deployment, Promotion

# A runtime may report after our last step was satisfied; later than this it is another deployment.
REPORTED_WITHIN = timedelta(hours=1)


def match_promotion(deployment: Deployment) -> Promotion | None:
    """The promotion it names, or the one that was bringing this digest there at that time.

    Service, environment and digest must be the same in both cases; one that matches none stands alone.
    """
    if not deployment.digest:
        return None
    lane = Promotion.objects.filter(
        service=deployment.service_id,
        environment=deployment.environment_id,
        release__artifacts__digest=deployment.digest,
        started_at__isnull=False,
    )
    named = deployment.promotion_named.strip().upper().removeprefix("P-")
    if named:
        return lane.filter(pk=int(named)).first() if named.isdecimal() else None
    happened_at = deployment.finished_at or deployment.started_at or deployment.received_at
    begun = deployment.started_at or happened_at
    last = lane.filter(started_at__lte=happened_at).order_by("-started_at").first()
    if last is None or (last.ended_at and begun > last.ended_at + REPORTED_WITHIN):
        return None
    return last


def strategy_of(promotion: Promotion | None) -> str:
    """How the stage of the promotion rolls out, for a deployment that does not say; empty without one."""
    if promotion is None:
        return ""
    return str(promotion.pipeline_version.form.stage(promotion.stage).strategy)
