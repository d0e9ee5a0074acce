"""What people and tools do during a storm: ask, approve, reject, stop, say what became of a step, report."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from queue import Empty

from django.db import transaction
from django.utils import timezone

from promotion.actions.approve import Choice, decide
from promotion.actions.cancel import cancel_promotion, stop_promotion
from promotion.actions.finish import wake_service
from promotion.actions.promote import Request, ask_for_promotion
from promotion.actions.resolve_step import Resolution, resolve_step
from promotion.exceptions import ThroughlineError
from promotion.models import Approval, Promotion, Release, StepRun
from promotion.rules.states import State
from tests.chaos.world import World
from tests.factories import make_deployment
from tests.parts.processes import LEASE_SECONDS, Processes

# Of ten thousand looks at what is open so many end in one of these acts.
STOPS, CANCELS, REJECTS = 15, 2, 600
# Nothing more is asked for while so many are open, or most would only be superseded.
MOST_OPEN = 120


@dataclass(slots=True)
class People:
    """They do everything through the actions that pages and the API call; hints may be lost."""

    world: World
    processes: Processes
    seed: int
    acts: Counter[str] = field(default_factory=Counter)
    _luck: random.Random = field(init=False)
    _to_ask: list[Release] = field(init=False)

    def __post_init__(self) -> None:
        self._luck = random.Random(self.seed)
        self._to_ask = list(self.world.releases)

    @property
    def has_asked_for_all(self) -> bool:
        """Is nothing left to ask for?"""
        return not self._to_ask

    def run_until_all_ended(self, *, patience: float) -> None:
        """Act until every promotion has ended; fails, naming what has not, after so many seconds."""
        deadline = time.monotonic() + patience
        while not self.has_asked_for_all or Promotion.objects.open().exists():
            if time.monotonic() > deadline:
                left = list(Promotion.objects.open().values_list("pk", "state", "reason")[:20])
                raise AssertionError(f"These have not ended: {left}")
            self.act()
            time.sleep(0.1)

    def act(self) -> None:
        """One round: everybody does what there is to do for them."""
        room = MOST_OPEN - Promotion.objects.open().count()
        for _ in range(max(0, min(3, room, len(self._to_ask)))):
            self._ask(self._to_ask.pop(0))
        self._report_deployments()
        self._decide()
        self._interfere()
        self._answer_unknowns()

    def _ask(self, release: Release) -> None:
        wish = Request(release, self.world.environment, person=self.world.asker)
        asked = ask_for_promotion(wish, at=timezone.now())
        self.acts["asked"] += 1
        self._hint(asked.promotion.pk)

    def _hint(self, number: int) -> None:
        """As an entry point does; with the broker away the sweep has to find it."""
        try:
            self.processes.advance(number)
        except OSError:
            self.acts["hints lost"] += 1
        except Exception as error:  # redis and kombu have classes of their own for it
            if (
                "onnection" not in type(error).__name__
                and "Operational" not in type(error).__name__
            ):
                raise
            self.acts["hints lost"] += 1

    def _decide(self) -> None:
        for promotion in Promotion.objects.waiting_for(self.world.manager)[:5]:
            is_no = self._luck.randrange(10_000) < REJECTS
            kind = Approval.Decision.REJECT if is_no else Approval.Decision.APPROVE
            choice = Choice(kind, promotion.content_hash, "Looked at.")
            if self._try(str(kind), decide, promotion.pk, choice, person=self.world.manager):
                self._hint(promotion.pk)

    def _interfere(self) -> None:
        for promotion in Promotion.objects.open().order_by("pk")[:40]:
            luck = self._luck.randrange(10_000)
            person = self.world.manager
            if promotion.state == State.RUNNING and luck < STOPS:
                then = self._luck.choice(["leave", "roll back"])
                self._try(
                    "stopped", stop_promotion, promotion.pk, then=then, person=person, reason=""
                )
            elif promotion.state == State.WAITING and luck < CANCELS:
                self._try("cancelled", cancel_promotion, promotion.pk, person=person, reason="")

    def _answer_unknowns(self) -> None:
        """A person looks at the far side before answering, long enough after the worker ended."""
        now = timezone.now()
        for run in StepRun.objects.filter(state=StepRun.State.UNKNOWN)[:5]:
            if run.begun_at and (now - run.begun_at).total_seconds() < 2 * LEASE_SECONDS:
                continue
            is_done = run.effect_key in self.world.far_side.done
            answer = Resolution.DONE if is_done else Resolution.REPEAT
            if self._try(
                f"unknown: {answer}", resolve_step, run.pk, answer, person=self.world.manager
            ):
                self._hint(run.promotion_id)

    def _report_deployments(self) -> None:
        while True:
            try:
                service, version, environment = self.world.far_side.deployed.get_nowait()
            except Empty:
                return
            release = Release.objects.get(service__slug=service, version=version)
            assert environment == self.world.environment.slug
            with transaction.atomic():
                make_deployment(release, self.world.environment, at=timezone.now())
                wake_service(release.service_id, timezone.now())

    def _try(self, act: str, action: object, *arguments: object, **named: object) -> bool:
        """The promotion may have gone on since it was looked at; then the action refuses."""
        try:
            action(*arguments, at=timezone.now(), **named)  # type: ignore[operator]
        except ThroughlineError:
            self.acts[f"{act}, refused"] += 1
            return False
        self.acts[act] += 1
        return True
