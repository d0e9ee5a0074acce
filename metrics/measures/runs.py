"""What ran where: restarts, observations and rollbacks, judged target by target."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from metrics.measures.base import (
    END_OF_TIME,
    DeploymentFact,
    ObservationFact,
    PromotionFact,
)
from metrics.measures.knowledge import Knowledge
from metrics.measures.targets import DECLARED, Mark, Run, TargetHistory

Place = tuple[str, str, str]
_Entry = tuple[datetime, datetime, int, str, DeploymentFact | ObservationFact]


class _PlaceReader:
    """Reads all that is known of one service and artifact in one environment."""

    def __init__(self, knowledge: Knowledge, place: Place, promotions: list[PromotionFact]) -> None:
        self.knowledge = knowledge
        self.declared_targets = knowledge.environments[place[1]].targets
        self.promotions = promotions
        self.targets: dict[str, TargetHistory] = defaultdict(TargetHistory)
        self.runs: list[Run] = []
        self.marks: list[Mark] = []

    def targets_of(self, target: str | None) -> tuple[str, ...]:
        """A fact without a target concerns every target the environment declares."""
        return (target,) if target is not None else self.declared_targets or ("",)

    def read(self, deployments: list[DeploymentFact], seen: list[ObservationFact]) -> None:
        """Reads the facts in order of finish; at one instant deployments come first."""
        for each in deployments:
            start = (each.started_at, each.finished_at or END_OF_TIME, each.id, each.digest)
            for name in self.targets_of(each.target):
                self.targets[name].started.append(start)
        for target in self.targets.values():
            target.started.sort()
        ended: list[_Entry] = [
            (fact.finished_at, fact.started_at, 0, fact.id, fact)
            for fact in deployments
            if fact.finished_at is not None
        ]
        looked: list[_Entry] = [(fact.at, fact.at, 1, fact.id, fact) for fact in seen]
        ordered = sorted([*ended, *looked], key=lambda entry: entry[:4])
        for order, entry in enumerate(ordered):
            fact = entry[4]
            if isinstance(fact, DeploymentFact):
                self._read_deployment(fact, entry[0], order)
            else:
                self._read_observation(fact, order)

    def _enter(self, run: Run, order: int) -> None:
        for name in run.targets:
            self.targets[name].add(run, order)
        self.runs.append(run)

    def _read_deployment(self, fact: DeploymentFact, finished_at: datetime, order: int) -> None:
        names = self.targets_of(fact.target)
        promotion = match_promotion(fact, self.knowledge)
        kind = fact.kind or (promotion.kind if promotion else "normal")
        restart = all(self._is_restart(fact, self.targets[name]) for name in names)
        succeeded = fact.result == "succeeded"
        found = [] if restart or fact.planned else list(self._judge(fact, kind, names))
        run = Run(
            id=fact.id,
            service=fact.service,
            environment=fact.environment,
            digest=fact.digest,
            started_at=fact.started_at,
            finished_at=finished_at,
            received_at=fact.received_at,
            succeeded=succeeded,
            targets=names,
            kind=kind,
            planned=fact.planned,
            restart=restart,
            goes_back=any(how == "inferred" for _, how in found),
            mechanism=fact.mechanism,
            config_digest=fact.config_digest,
            promotion=promotion,
        )
        mark_kind = kind if kind in DECLARED else "rollback"
        self.marks += [Mark(failed, run, mark_kind, how) for failed, how in found]
        self._enter(run, order)

    def _is_restart(self, fact: DeploymentFact, target: TargetHistory) -> bool:
        running = target.running_at(fact.started_at)
        if running is None or running.digest != fact.digest:
            return False
        both = running.config_digest is not None and fact.config_digest is not None
        return not both or running.config_digest == fact.config_digest

    def _judge(
        self, fact: DeploymentFact, kind: str, names: tuple[str, ...]
    ) -> Iterator[tuple[Run, str]]:
        """The runs that this deployment says have failed, one a target at most."""
        for name in names:
            target = self.targets[name]
            gone_past = target.returned_past(fact.digest, fact.started_at)
            if kind not in DECLARED:
                if gone_past and fact.result == "succeeded":
                    yield gone_past, "inferred"
                continue
            failed = gone_past if kind == "rollback" and gone_past else None
            failed = failed or target.replaced(fact.digest)
            if failed is not None:
                yield failed, "declared"

    def _read_observation(self, fact: ObservationFact, order: int) -> None:
        names = self.targets_of(fact.target)
        targets = {name: self.targets[name] for name in names}
        fresh = tuple(name for name, target in targets.items() if target.is_new(fact.at))
        for target in targets.values():
            target.known_at = target.known_at or fact.at
        if self._is_explained(fact, targets):
            return
        starting = len(fresh) == len(names)
        places = fresh if starting else tuple(name for name in names if name not in fresh)
        found = [
            gone_past
            for name in places
            if not starting and (gone_past := targets[name].returned_past(fact.digest, fact.at))
        ]
        run = Run(
            id=fact.id,
            service=fact.service,
            environment=fact.environment,
            digest=fact.digest,
            started_at=fact.at,
            finished_at=fact.at,
            received_at=fact.received_at,
            succeeded=True,
            targets=places,
            observed=True,
            starting=starting,
            goes_back=bool(found),
        )
        self.marks += [Mark(failed, run, "rollback", "inferred") for failed in found]
        self._enter(run, order)

    def _is_explained(self, fact: ObservationFact, targets: dict[str, TargetHistory]) -> bool:
        index = bisect_right(self.promotions, fact.at, key=lambda each: _start_of(each)) - 1
        if index >= 0 and self.promotions[index].covers(fact.digest):
            return True
        return any(
            (target.ran and target.ran[-1].digest == fact.digest)
            or target.last_started(fact.at) == fact.digest
            for target in targets.values()
        )


def _start_of(promotion: PromotionFact) -> datetime:
    return promotion.started_at or promotion.asked_at


def match_promotion(fact: DeploymentFact, knowledge: Knowledge) -> PromotionFact | None:
    """The promotion a deployment names, if service, environment and digest are the same."""
    promotion = knowledge.promotions.get(fact.promotion) if fact.promotion else None
    if promotion is None or not promotion.covers(fact.digest):
        return None
    same_place = promotion.service == fact.service and promotion.to == fact.environment
    return promotion if same_place else None


def read_runs(knowledge: Knowledge) -> tuple[list[Run], list[Mark]]:
    """All runs and what they say of each other; O(n log n) in the facts."""
    deployments: dict[Place, list[DeploymentFact]] = defaultdict(list)
    seen: dict[Place, list[ObservationFact]] = defaultdict(list)
    promotions: dict[tuple[str, str], list[PromotionFact]] = defaultdict(list)
    for deployment in knowledge.deployments:
        place = (deployment.service, deployment.environment, deployment.artifact)
        deployments[place].append(deployment)
    for observation in knowledge.observations:
        place = (observation.service, observation.environment, observation.artifact)
        seen[place].append(observation)
    for promotion in knowledge.promotions.values():
        if promotion.started_at is not None:
            promotions[promotion.service, promotion.to].append(promotion)
    for started in promotions.values():
        started.sort(key=lambda each: (_start_of(each), each.asked_at, each.id))
    runs: list[Run] = []
    marks: list[Mark] = []
    for place in sorted({*deployments, *seen}):
        reader = _PlaceReader(knowledge, place, promotions.get(place[:2], []))
        reader.read(deployments.get(place, []), seen.get(place, []))
        runs += reader.runs
        marks += reader.marks
    return runs, marks
