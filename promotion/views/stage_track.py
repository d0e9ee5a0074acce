"""The track of a promotion: how far this release got along the pipeline's stages."""

from dataclasses import dataclass
from datetime import datetime

from promotion.models import Deployment, Environment, Promotion, RunResult
from promotion.rules.states import State


@dataclass(slots=True)
class Stop:
    """One stage; `next` is the style of the line after it."""

    name: str
    status: str
    at: datetime | None = None
    note: str = ""
    url: str = ""
    next: str = ""


LINES = {
    State.WAITING: "waiting",
    State.PENDING: "waiting",
    State.RUNNING: "running",
    State.SUCCEEDED: "",
}


def stops_of(promotion: Promotion, note: str) -> list[Stop]:
    """The stages in the pipeline's order; two queries."""
    form = promotion.pipeline_version.form
    arrived = dict(
        Deployment.objects.filter(release=promotion.release_id, result=RunResult.SUCCEEDED)
        .order_by("finished_at")
        .values_list("environment__slug", "finished_at")
    )
    names = dict(Environment.objects.values_list("slug", "name"))
    stops = []
    for stage in form.stages:
        name, at = names.get(stage.environment, stage.environment), arrived.get(stage.environment)
        if stage.name == promotion.stage:
            stops.append(Stop(name, promotion.state, promotion.ended_at, note))
        elif at:
            stops.append(Stop(name, "passed", at))
        else:
            stops.append(Stop(name, "pending", None, "not there yet"))
    for here, there, stage in zip(stops, stops[1:], form.stages[1:], strict=False):
        if stage.name == promotion.stage:
            here.next = (
                LINES.get(State(promotion.state), "none") if here.status == "passed" else "none"
            )
        else:
            here.next = "" if here.status == there.status == "passed" else "none"
    return stops
