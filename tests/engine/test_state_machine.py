"""Whatever people, clocks and crashes do in whatever order, the engine keeps its promises.

A longer search: `HYPOTHESIS_EXAMPLES=500 pytest tests/engine/test_state_machine.py`.
"""

import os
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from promotion.actions.advance import advance
from promotion.actions.apply_pipeline import apply_pipeline
from promotion.actions.approve import Choice, decide
from promotion.actions.break_glass import Emergency, break_glass
from promotion.actions.cancel import cancel_promotion, stop_promotion
from promotion.actions.execute import claim, execute
from promotion.actions.freeze import Scope, freeze, lift_freeze
from promotion.actions.holds import lift_hold
from promotion.actions.promote import Request, ask_for_promotion
from promotion.actions.promote_automatically import promote_automatically
from promotion.actions.resolve_step import Resolution, resolve_step
from promotion.actions.retry import retry_promotion
from promotion.actions.roll_back import roll_back
from promotion.actions.veto import take_back_veto, veto_release
from promotion.models import Approval, Freeze, Hold, Promotion, Release, StepRun
from promotion.steps.known import STEPS
from tests.engine.promises import (
    FarSide,
    KilledError,
    Promises,
    RecordStep,
    Scene,
    make_scene,
    pipeline_text,
)

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "12"))
LEASE = timedelta(minutes=2)  # longer than a lease lasts
SPANS = st.sampled_from(
    [timedelta(seconds=5), timedelta(minutes=3), timedelta(minutes=3), timedelta(days=8)]
)
PLACES = st.sampled_from(["dev", "production"])
RELEASES = st.integers(0, 3)
PEOPLE = st.sampled_from(["ines", "priya", "tomasz"])
PICKS = st.integers(0, 50)
UNKNOWN = StepRun.State.UNKNOWN
YES, NO, BACK = Approval.Decision.APPROVE, Approval.Decision.REJECT, Approval.Decision.WITHDRAW
DECISIONS = st.sampled_from([YES, YES, YES, YES, NO, BACK])
FATES = st.sampled_from(
    ["well", "well", "well", "waits", "fails", "breaks", "dies before", "dies after", "unknown"]
)


class EngineMachine(RuleBasedStateMachine):
    """One service with two environments; every rule is an act of somebody, or of nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.frame = transaction.atomic()
        self.frame.__enter__()
        self.far_side = FarSide()
        STEPS["record"] = RecordStep(self.far_side)
        self.scene: Scene = make_scene()
        self.promises = Promises(self.scene, self.far_side)
        self.sleepers: list[tuple[StepRun, object]] = []
        self.versions = 1

    def teardown(self) -> None:
        try:
            self.finish_everything()
        finally:
            del STEPS["record"]
            transaction.set_rollback(True)
            self.frame.__exit__(None, None, None)

    def has(self, *states: str) -> bool:
        """Is there a promotion in one of them?"""
        return any(
            state in self.promises.states.values() for state in states or ("waiting", "running")
        )

    # What people do.

    @initialize(decision=DECISIONS)
    def begin(self, decision: Approval.Decision) -> None:
        """One runs, one is mostly approved."""
        for release, place in ((1, "dev"), (2, "production")):
            self.ask(release, place, "tomasz")
        self.promises.check()
        self.say(0, "ines", decision)

    @rule(release=RELEASES, place=PLACES, who=PEOPLE)
    def ask(self, release: int, place: str, who: str) -> None:
        """Also for what was asked for already."""
        scene = self.scene
        wish = Request(scene.releases[release], scene.places[place], person=scene.people[who])
        asked = self.promises.act(ask_for_promotion, wish, at=scene.now)
        if asked:
            advance(asked.promotion.pk, at=scene.now)

    @precondition(lambda self: self.has("waiting"))
    @rule(pick=PICKS, who=PEOPLE, decision=DECISIONS)
    def say(self, pick: int, who: str, decision: Approval.Decision) -> None:
        """Approve, reject or withdraw what one sees now; then it is looked at."""
        promotion = self.pick(pick, state="waiting")
        person, now = self.scene.people[who], self.scene.now
        choice = Choice(decision, promotion.content_hash, "Because.")
        self.promises.act(decide, promotion.pk, choice, person=person, at=now)
        advance(promotion.pk, at=now)

    @precondition(lambda self: self.has())
    @rule(
        pick=PICKS, who=PEOPLE, act=st.sampled_from(["cancel", "stop", "stop and go back", "glass"])
    )
    def interfere(self, pick: int, who: str, act: str) -> None:
        """With what is open."""
        person, now = self.scene.people[who], self.scene.now
        if act == "glass" and (promotion := self.pick(pick, state="waiting")):
            emergency = Emergency(promotion.content_hash, "It burns.", "https://example.com/1")
            self.promises.act(break_glass, promotion.pk, emergency, person=person, at=now)
        elif act == "cancel" and (promotion := self.pick(pick, state="waiting")):
            self.promises.act(cancel_promotion, promotion.pk, person=person, reason="", at=now)
        elif promotion := self.pick(pick, state="running"):
            then = "roll back" if act == "stop and go back" else "leave"
            named = {"then": then, "person": person, "reason": ""}
            self.promises.act(stop_promotion, promotion.pk, **named, at=now)

    @rule(
        release=RELEASES,
        who=PEOPLE,
        act=st.sampled_from(["veto", "unveto", "freeze", "lift", "lift"]),
    )
    def hold_back(self, release: int, who: str, act: str) -> None:
        """Or let go again."""
        found, now = self.scene.releases[release].pk, self.scene.now
        named = {"person": self.scene.people[who], "at": now}
        if act == "freeze":
            scope = Scope(environment=self.scene.places["production"] if release % 2 else None)
            self.promises.act(freeze, scope, reason="Hush.", **named)
        elif act == "lift":
            self.lift_what_holds()
        else:
            action = veto_release if act == "veto" else take_back_veto
            self.promises.act(action, found, reason="Bad.", **named)

    @precondition(lambda self: bool(self.promises.ended))
    @rule(pick=PICKS, who=PEOPLE, is_retry=st.booleans())
    def go_back_or_try_again(self, pick: int, who: str, is_retry: bool) -> None:
        """After an end, which allows only some of it."""
        ended = sorted(self.promises.ended)
        action = retry_promotion if is_retry else roll_back
        person = self.scene.people[who]
        self.promises.act(action, ended[pick % len(ended)], person=person, at=self.scene.now)

    @precondition(lambda self: StepRun.objects.filter(state=UNKNOWN).exists())
    @rule(
        pick=PICKS,
        answer=st.sampled_from(list(Resolution)),
        who=st.sampled_from(["ines", "tomasz"]),
    )
    def answer(self, pick: int, answer: Resolution, who: str) -> None:
        """What became of a step that nobody knows of."""
        unknown = list(StepRun.objects.filter(state=UNKNOWN))
        run = unknown[pick % len(unknown)]
        person = self.scene.people[who]
        self.promises.act(resolve_step, run.pk, answer, person=person, at=self.scene.now)

    @rule(count=st.integers(1, 2), is_auto=st.booleans())
    def change_the_pipeline(self, count: int, is_auto: bool) -> None:
        """Waiting promotions follow it, and their approvals may become stale."""
        self.versions += 1
        text = pipeline_text(self.versions, count=count, is_auto=is_auto)
        self.promises.act(apply_pipeline, text, person=None, at=self.scene.now)
        promote_automatically(self.scene.service.pk, at=self.scene.now)

    # What the engine does, and what happens to it.

    @rule(span=SPANS)
    def time_passes(self, span: timedelta) -> None:
        """Leases, approvals and requests run out; the sweep looks at all."""
        self.scene.now += span
        for number in Promotion.objects.due(self.scene.now).values_list("pk", flat=True):
            advance(number, at=self.scene.now)

    @precondition(lambda self: self.has("running"))
    @rule(pick=PICKS, fates=st.lists(FATES, min_size=1, max_size=3))
    def work(self, pick: int, fates: list[str]) -> None:
        """Workers do the next things of a promotion, if it is ready, and may die of it."""
        promotion = self.pick(pick, state="running")
        for fate in fates:
            self.work_on(promotion, fate)

    @precondition(lambda self: self.has("running"))
    @rule(pick=PICKS)
    def fall_asleep(self, pick: int) -> None:
        """A worker claims, does it, and says so only later; its lease runs out meanwhile."""
        promotion = self.pick(pick, state="running")
        step = advance(promotion.pk, at=self.scene.now).step_run
        run = claim(step, at=self.scene.now) if step else None
        if run:
            self.sleepers.append((run, self.far_side.do(run)))
            self.scene.now += LEASE

    @precondition(lambda self: bool(self.sleepers))
    @rule()
    def wake_up(self) -> None:
        """Who was taken over changes nothing."""
        self.promises.wake(*self.sleepers.pop(0))

    def lift_what_holds(self) -> None:
        """Freezes and holds."""
        ines, now = self.scene.people["ines"], self.scene.now
        for one in Freeze.objects.filter(lifted_at=None):
            self.promises.act(lift_freeze, one.pk, person=ines, at=now)
        for hold in Hold.objects.filter(ended_at=None):
            self.promises.act(lift_hold, hold.pk, person=ines, at=now)

    @invariant()
    def all_promises_are_kept(self) -> None:
        """After every act."""
        self.promises.check()

    def pick(self, number: int, state: str = "") -> Promotion | None:
        """One of the open ones, in that state if one is named."""
        found = Promotion.objects.open().order_by("pk")
        rows = list(found.filter(state=state) if state else found)
        return rows[number % len(rows)] if rows else None

    def work_on(self, promotion: Promotion, fate: str) -> None:
        step = advance(promotion.pk, at=self.scene.now).step_run
        if step is None:
            return
        self.far_side.fate = fate
        try:
            execute(step, now=lambda: self.scene.now)
        except KilledError:
            pass
        finally:
            self.far_side.fate = "well"

    def finish_everything(self) -> None:
        """Nothing stays open for ever, whatever was done to it."""
        for _ in range(40):
            rows = list(Promotion.objects.open())
            if not rows:
                break
            self.lift_what_holds()
            for run in StepRun.objects.filter(state=UNKNOWN):
                ines = self.scene.people["ines"]
                self.promises.act(
                    resolve_step, run.pk, Resolution.DONE, person=ines, at=self.scene.now
                )
            for promotion in rows:
                self.work_on(promotion, "well")
            self.scene.now += timedelta(days=1)
            self.promises.check()
        assert not Promotion.objects.open().exists()


def test_in_any_order_of_acts_clocks_and_crashes_the_promises_are_kept() -> None:
    assert Release.objects.count() == 0
    run_state_machine_as_test(
        EngineMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            derandomize=EXAMPLES == 12,
            suppress_health_check=list(HealthCheck),
        ),
    )
