"""What Celery may call: fetch by id, call one action."""

from celery import shared_task
from django.utils import timezone

from promotion.actions import advance as advancing
from promotion.actions import execute as executing
from promotion.actions.ask_reverification import begin_scheduled
from promotion.actions.audit import seal_entries
from promotion.actions.place_again import find_misplaced, set_back
from promotion.actions.process_event import left_events, process_event
from promotion.actions.promote_automatically import promote_automatically
from promotion.actions.resolve_references import due_references, resolve_reference
from promotion.actions.reverify import look_at_reverification
from promotion.actions.send_notice import due_deliveries
from promotion.actions.send_notice import send_notice as send
from promotion.actions.watch import find_stuck, tell_of_freezes, tell_of_overdue_reviews
from promotion.models import Promotion, Reverification, ReverificationSchedule, Service, User

SWEPT_AT_ONCE = 500
# Seconds after which a hint of the sweep is not worth doing: later sweeps have sent it again.
SWEPT_FOR = 30


@shared_task
def advance(number: int) -> None:
    """Does what the promotion is ready for, until it waits or ends; nothing where another hint had it done."""
    due = Promotion.objects.due(timezone.now()).filter(pk=number)
    service = due.values_list("service", flat=True).first()
    if service is None:
        return
    while True:
        result = advancing.advance(number, at=timezone.now())
        if result.step_run is None or not executing.execute(result.step_run, now=timezone.now):
            break
    promotion = Promotion.objects.filter(pk=number).first()
    if promotion is not None and not promotion.is_open:
        look_at_service.delay(service)


@shared_task
def look_at_service(service: int) -> None:
    """Judges automatic promotion, then looks at what waits in the service's lanes."""
    promote_automatically(service, at=timezone.now())
    for number in (
        Promotion.objects.filter(service=service).due(timezone.now()).values_list("pk", flat=True)
    ):
        advance.delay(number)


@shared_task
def sweep() -> None:
    """Finds by an index what is due, whatever hint was lost."""
    at = timezone.now()
    for number in (
        Promotion.objects.due(at)
        .order_by("next_look_at")
        .values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    ):
        advance.apply_async((number,), expires=SWEPT_FOR)
    for service in Service.objects.filter(next_look_at__lte=at).values_list("pk", flat=True)[
        :SWEPT_AT_ONCE
    ]:
        look_at_service.delay(service)
    for reference in due_references(at=at):
        resolve.delay(reference)


@shared_task
def reverify(number: int) -> None:
    """Verifies what runs again, as far as it can go now."""
    while look_at_reverification(number, now=timezone.now):
        pass


@shared_task
def sweep_reverifications() -> None:
    """Begins what schedules ask for, and looks at what is under way."""
    at = timezone.now()
    for schedule in ReverificationSchedule.objects.filter(next_at__lte=at).values_list(
        "pk", flat=True
    )[:SWEPT_AT_ONCE]:
        begin_scheduled(schedule, at=at)
    due = Reverification.objects.filter(
        state=Reverification.State.RUNNING, next_look_at__lte=timezone.now()
    )
    for number in due.order_by("next_look_at").values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        reverify.delay(number)


@shared_task
def process(event: int) -> None:
    """Turns one event into facts, then lets the services they speak of go on."""
    for service in process_event(event, at=timezone.now()):
        look_at_service.delay(service)


@shared_task
def process_together(events: list[int]) -> None:
    """Turns several events into facts, each for itself, then lets each service go on once."""
    services = {one for event in events for one in process_event(event, at=timezone.now())}
    for service in sorted(services):
        look_at_service.delay(service)


@shared_task
def place_again(person: int | None = None, below: int | None = None) -> None:
    """Has the kept events processed again that belong elsewhere now, a batch at a time."""
    batch = find_misplaced(below=below)
    actor = None if person is None else User.objects.filter(pk=person).first()
    for event in set_back(batch.events, person=actor, at=timezone.now()):
        process.delay(event)
    if batch.below is not None:
        place_again.delay(person, batch.below)


@shared_task
def process_left_events() -> None:
    """Processes what was acknowledged and whose hint was lost."""
    for event in left_events(at=timezone.now()):
        process.delay(event)


@shared_task
def resolve(reference: int) -> None:
    """Asks the registries for one reference, then lets the service it is of go on."""
    for service in resolve_reference(reference, at=timezone.now()):
        look_at_service.delay(service)


@shared_task
def seal_audit() -> None:
    """Chains the audit entries written since the last time."""
    seal_entries()


@shared_task
def sweep_outbox() -> None:
    """Has every message sent that is due."""
    for number in due_deliveries(at=timezone.now()):
        send_notice.delay(number)


@shared_task
def send_notice(number: int) -> None:
    """Sends one message, unless another worker does."""
    send(number, at=timezone.now())


@shared_task
def watch() -> None:
    """Tells of what nobody does: stuck promotions, times of freezes, overdue reviews."""
    at = timezone.now()
    tell_of_freezes(at=at)
    find_stuck(at=at)
    tell_of_overdue_reviews(at=at)
