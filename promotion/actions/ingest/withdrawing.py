"""Deployments that an event was once taken to speak of, and that a mended mapping places elsewhere."""

from promotion.models import Deployment, DeploymentReport, Event

from .deployments import fold
from .recorded import Recorded


def withdraw_misplaced(event: Event, recorded: list[Recorded]) -> list[Deployment]:
    """Takes back what this event reported of other lanes with the same id; returns those it left.

    Only where the event now has a deployment of that id: what leads nowhere now was not wrong then.
    """
    kept = [one.row for one in recorded if isinstance(one.row, Deployment)]
    if not kept:
        return []
    reports = (
        DeploymentReport.objects.filter(
            event=event, deployment__external_id__in={one.external_id for one in kept}
        )
        .exclude(deployment__in=kept)
        .select_related("deployment__service", "deployment__environment")
    )
    misplaced = {one.deployment_id: one.deployment for one in reports}
    reports.delete()
    for deployment in misplaced.values():
        if deployment.reports.exists():
            fold(deployment)
            continue
        # Nothing says any more that it happened there; what was linked to it follows.
        same = next(one for one in kept if one.external_id == deployment.external_id)
        deployment.incidents.update(deployment=same)
        deployment.delete()
    return list(misplaced.values())
