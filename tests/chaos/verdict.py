"""What must be true after a storm, looked for in the record and at the far sides."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from promotion.actions.audit import seal_entries
from promotion.actions.verify_audit import verify_audit
from promotion.models import Approval, AuditEntry, Promotion, StepRun, Transition
from promotion.rules.states import FINAL, State, may_move
from tests.chaos.world import World

ACTS = {
    State.WAITING: "promotion.ask",
    State.RUNNING: "promotion.start",
    State.REJECTED: "promotion.reject",
    State.EXPIRED: "promotion.expire",
    State.SUPERSEDED: "promotion.supersede",
}


def find_faults(world: World) -> list[str]:
    """A sentence for everything that is not as it must be; none is the only good answer."""
    return [
        *_all_ended(),
        *_effects(world),
        *_whole_successes(),
        *_one_at_a_time(),
        *_moves(),
        *_approved_before(),
        *_audit(),
    ]


def count_effects(world: World) -> dict[str, int]:
    """The figures of the far sides."""
    return {
        "effects done": len(world.far_side.done),
        "calls": sum(world.far_side.asked.values()),
        "repeats refused by key": sum(world.far_side.repeats.values()),
        "commits": len(world.count_commits()),
    }


def _all_ended() -> Iterator[str]:
    for one in Promotion.objects.open():
        yield f"{one.number} is still {one.state}: {one.reason}"
    left = StepRun.objects.filter(state__in=StepRun.UNFINISHED)
    for run in left:
        yield f"{run} is still {run.state}"


def _effects(world: World) -> Iterator[str]:
    """Each key one effect, of a step that was begun, with the content of its promotion."""
    runs = {run.effect_key: run for run in StepRun.objects.select_related("promotion__release")}
    once = {run.effect_key for run in runs.values() if run.inputs.get("repeatable") is False}
    for key in world.far_side.changed:
        yield f"{key} came again with another body"
    for key, version in world.far_side.done.items():
        run = runs.get(key)
        if run is None or run.begun_at is None:
            yield f"{key} was done, and no step of that key was begun"
        elif run.promotion.release.version != version:
            yield f"{key} did {version} and not what its promotion is of"
    for key in once & set(world.far_side.repeats):
        yield f"{key} may not be repeated and was"
    commits = world.count_commits()
    for key, count in commits.items():
        if count != 1 or key not in runs:
            yield f"{key} was committed {count} times"
    for run in StepRun.objects.filter(state=StepRun.State.SUCCEEDED):
        if run.kind == "http" and run.effect_key not in world.far_side.done:
            yield f"{run} succeeded without its effect"
        unchanged = run.output.get("is_unchanged")
        if run.kind == "git-commit" and run.effect_key not in commits and not unchanged:
            yield f"{run} succeeded without its commit"


def _whole_successes() -> Iterator[str]:
    """No promotion succeeded but with every step."""
    by_promotion: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for promotion, position, state in StepRun.objects.values_list("promotion", "position", "state"):
        by_promotion[promotion][position].add(state)
    for one in Promotion.objects.filter(state=State.SUCCEEDED.value):
        steps = by_promotion[one.pk]
        if not steps or any(StepRun.State.SUCCEEDED not in states for states in steps.values()):
            yield f"{one.number} succeeded without all its steps: {dict(steps)}"


def _one_at_a_time() -> Iterator[str]:
    """In the order of the record, and by the times it tells."""
    running: dict[tuple[int, int], int] = {}
    ended: dict[tuple[int, int], Transition] = {}
    for move in Transition.objects.select_related("promotion").order_by("pk"):
        lane = (move.promotion.service_id, move.promotion.environment_id)
        if move.to_state == State.RUNNING:
            if lane in running:
                yield f"P-{move.promotion_id} began while P-{running[lane]} ran"
            if lane in ended and move.at < ended[lane].at:
                yield f"P-{move.promotion_id} began, by the record's times, before the one before it ended"
            running[lane] = move.promotion_id
        elif move.from_state == State.RUNNING:
            running.pop(lane, None)
            ended[lane] = move


def _moves() -> Iterator[str]:
    """Each only as the table allows, one after the other, and nothing after a final one."""
    by_promotion: dict[int, list[Transition]] = defaultdict(list)
    for move in Transition.objects.order_by("pk"):
        by_promotion[move.promotion_id].append(move)
        if not may_move(State(move.from_state), State(move.to_state)):
            yield f"{move} is no allowed move"
    for promotion, moves in by_promotion.items():
        for before, after in pairwise(moves):
            if before.to_state != after.from_state or State(before.to_state) in FINAL:
                yield f"P-{promotion} moved from {after.from_state} after {before.to_state}"


def _approved_before() -> Iterator[str]:
    """Where a stage asks for approvals nothing began without one of exactly this content."""
    for one in Promotion.objects.exclude(started_at=None).select_related("pipeline_version"):
        stage = one.pipeline_version.form.stage(one.stage)
        if not stage.approvals or one.kind == Promotion.Kind.ROLLBACK:
            continue
        valid = Approval.objects.filter(
            promotion=one,
            decision=Approval.Decision.APPROVE,
            content_hash=one.content_hash,
            at__lte=one.started_at,
        )
        if not valid.exists():
            yield f"{one.number} began without an approval"


def _audit() -> Iterator[str]:
    """The chain holds, and each act is on it exactly once."""
    while seal_entries():
        pass
    verdict = verify_audit()
    if not verdict.holds or verdict.unsealed:
        yield verdict.sentence
    entries = Counter(AuditEntry.objects.values_list("subject_type", "subject_id", "action"))
    for number, to in Transition.objects.values_list("promotion", "to_state"):
        act = ACTS.get(State(to), f"promotion.{to}")
        acts = {act, "promotion.cancel"} if to == State.CANCELLED else {act}
        found = sum(entries["promotion", str(number), one] for one in acts)
        if found != 1:
            yield f"P-{number} became {to}, and {act} is {found} times on the record"
    # What a stop or a person's word ended has an entry of its own; the others say what came of them.
    told = {StepRun.State.SUCCEEDED, StepRun.State.FAILED}
    for pk, state in StepRun.objects.filter(state__in=told).values_list("pk", "state"):
        outcomes = entries["steprun", str(pk), "step.outcome"]
        answers = entries["steprun", str(pk), "step.resolve"]
        if not 1 <= outcomes + answers <= 2 or (outcomes != 1 and not answers):
            yield f"step {pk} is {state}, with {outcomes} outcomes and {answers} answers on the record"
