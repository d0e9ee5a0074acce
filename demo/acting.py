"""What people, tools and Throughline itself did at a time: each through the action or intake it is."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from demo.exceptions import DemoError
from demo.payloads import Body, sign
from promotion.actions import advance as advancing
from promotion.actions import execute as executing
from promotion.actions.approve import Choice, decide
from promotion.actions.process_event import process_event
from promotion.actions.promote import Request, ask_for_promotion
from promotion.actions.promote_automatically import promote_automatically
from promotion.actions.receive import receive
from promotion.models import (
    Approval,
    Deployment,
    Environment,
    Event,
    Observation,
    Promotion,
    Release,
    Sender,
    Service,
    User,
)
from promotion.sources.known import SOURCES
from promotion.sources.times import format_time

READ = (Event.State.RECORDED, Event.State.NOTHING, Event.State.UNMAPPED, Event.State.UNREADABLE)


@transaction.atomic
def send(slug: str, body: Body | bytes, at: datetime, *, event: str = "") -> Event:
    """A sender's delivery arrives, is authenticated, kept and turned into facts, all at that time.

    One transaction, so that no worker finds it half taken in and dates it otherwise.
    """
    sender = Sender.objects.get(slug=slug)
    source = SOURCES[sender.kind]
    delivery = sign(sender, body, at, event=event)
    source.authenticate(delivery, sender.secrets_at(at), at)
    received = receive(source, delivery, sender=sender, token=None, at=at)
    if received.is_new:
        process_event(received.event.pk, at=at)
        received.event.refresh_from_db()
    if received.event.state not in READ:
        raise DemoError(f"The event of {slug} at {at} was not read: {received.event.summary}")
    return received.event


def person_named(username: str) -> User:
    """The person of that user name."""
    return User.objects.get(username=username)


def release_of(digest: str) -> Release:
    """The release of that digest."""
    return Release.objects.select_related("service__team").get(artifacts__digest=digest)


def promotion_of(digest: str, environment: str) -> Promotion:
    """The latest promotion of a release into an environment."""
    found = (
        Promotion.objects.for_display()
        .filter(release__artifacts__digest=digest, environment__slug=environment)
        .order_by("-pk")
        .first()
    )
    if found is None:
        raise DemoError(f"{digest} was never asked for in {environment}.")
    return found


def ask(
    digest: str,
    environment: str,
    username: str,
    at: datetime,
    *,
    reason: str,
    kind: str = Promotion.Kind.NORMAL,
    looks_at_once: bool = True,
) -> Promotion:
    """A person asks for a release; the gates are asked at once, or when next something happens."""
    request = Request(
        release=release_of(digest),
        environment=Environment.objects.get(slug=environment),
        person=person_named(username),
        kind=kind,
        fields={"reason": reason},
    )
    promotion = ask_for_promotion(request, at=at).promotion
    if looks_at_once:
        go_on(promotion.pk, at)
    return promotion


def approve(digest: str, environment: str, username: str, at: datetime, comment: str = "") -> None:
    """A person approves exactly what is asked for; with the last approval it starts."""
    promotion = promotion_of(digest, environment)
    _decide(promotion, Approval.Decision.APPROVE, username, at, comment)
    go_on(promotion.pk, at)


def reject(digest: str, environment: str, username: str, at: datetime, comment: str) -> None:
    """A person says no, and why."""
    promotion = promotion_of(digest, environment)
    _decide(promotion, Approval.Decision.REJECT, username, at, comment)


def _decide(
    promotion: Promotion, decision: Approval.Decision, username: str, at: datetime, comment: str
) -> None:
    choice = Choice(decision, promotion.content_hash, comment)
    decide(promotion.pk, choice, person=person_named(username), at=at)


def promote_what_is_due(slug: str, at: datetime) -> None:
    """Automatic promotion of a service is judged at that time."""
    service = Service.objects.get(slug=slug)
    for number in promote_automatically(service.pk, at=at):
        go_on(number, at)


def go_on(number: int, at: datetime) -> None:
    """Does what the promotion is ready for at that time, until it waits or ends."""
    clock: Callable[[], datetime] = lambda: at  # noqa: E731
    while True:
        result = advancing.advance(number, at=at)
        if result.step_run is None or not executing.execute(result.step_run, now=clock):
            return


def go_on_with(digest: str, environment: str, at: datetime, *, expected: str = "") -> None:
    """The same for the latest promotion of a release; DemoError where it is not then as told."""
    promotion = promotion_of(digest, environment)
    go_on(promotion.pk, at)
    promotion.refresh_from_db()
    if expected and promotion.state != expected:
        raise DemoError(
            f"{promotion} is {promotion.state} at {at} and should be {expected}: {promotion.reason}"
        )


def write_rollout(
    service: str,
    environment: str,
    target: str,
    digest: str,
    result: str,
    *,
    identity: str,
    began_at: datetime,
    at: datetime,
    promotion: str = "",
    mechanism: str = "automated",
    actor: str = "gitops-controller",
) -> dict[str, Any]:
    """Our own fact of a deployment, as the GitOps controller and the deploy script send it."""
    fact = {
        "kind": "deployment",
        "service": service,
        "environment": environment,
        "target": target,
        "digest": digest,
        "result": result,
        "started_at": format_time(began_at),
        "finished_at": format_time(at) if result != "started" else None,
        "occurred_at": format_time(at),
        "external_id": identity,
        "mechanism": mechanism,
        "promotion": promotion,
        "actor": actor,
        # The controller's own run; the deploy script is started by people and names none.
        "run_id": f"sync-{identity}" if actor == "gitops-controller" else "",
    }
    return {name: value for name, value in fact.items() if value not in (None, "")}


def running_digests() -> dict[tuple[str, str], str]:
    """What runs in production by (service, target): the newest that was deployed or seen there."""
    deployed = (
        Deployment.objects.filter(environment__slug="production", result="succeeded")
        .exclude(target="")
        .values_list("finished_at", "service__slug", "target", "digest")
    )
    seen = Observation.objects.filter(environment__slug="production").values_list(
        "seen_at", "service__slug", "target", "digest"
    )
    rows = sorted(row for row in (*deployed, *seen) if row[0] is not None)
    return {(service, target): digest for _, service, target, digest in rows}
