"""Deployment executions: the runs of one promotion folded into one."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from metrics.measures.base import PromotionFact
from metrics.measures.targets import Run


@dataclass(frozen=True, slots=True)
class Execution:
    """One deployment execution: all deployments of a promotion, or one that stands alone.

    It goes by the id of its first finished deployment (or of its observation), starts
    with the first and finishes with the last.
    """

    id: str
    service: str
    environment: str
    digest: str
    started_at: datetime
    finished_at: datetime
    runs: tuple[Run, ...]
    promotion: PromotionFact | None = None

    @property
    def is_observed(self) -> bool:
        """Whether it is known only from an observation."""
        return self.runs[0].observed

    @property
    def kind(self) -> str:
        """normal, hotfix, rollback or roll_forward: the first that is not normal."""
        return next((run.kind for run in self.runs if run.kind != "normal"), "normal")

    @property
    def is_planned(self) -> bool:
        """Whether the way back was planned."""
        return any(run.planned for run in self.runs)

    @property
    def reached(self) -> frozenset[str]:
        """The targets on which a deployment of it succeeded."""
        return frozenset(name for run in self.runs if run.succeeded for name in run.targets)

    @property
    def succeeded(self) -> bool:
        """Whether the last deployment on every target succeeded."""
        last = {name: run.succeeded for run in self.runs for name in run.targets}
        return all(last.values())

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its deployments, in order of finish."""
        return tuple(run.id for run in self.runs)


def _order(run: Run) -> tuple[datetime, datetime, str]:
    return (run.finished_at, run.started_at, run.id)


def fold_executions(runs: list[Run]) -> tuple[Execution, ...]:
    """The executions among runs, in order of finish; restarts and starting points are none."""
    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for index, run in enumerate(runs):
        if run.restart or run.starting:
            continue
        alone = ("alone", str(index))
        groups[("promotion", run.promotion.id) if run.promotion else alone].append(run)
    executions = []
    for members in groups.values():
        members.sort(key=_order)
        first = members[0]
        promotion = first.promotion
        executions.append(
            Execution(
                id=first.id,
                service=first.service,
                environment=first.environment,
                digest=promotion.digest if promotion else first.digest,
                started_at=min(run.started_at for run in members),
                finished_at=members[-1].finished_at,
                runs=tuple(members),
                promotion=promotion,
            )
        )
    executions.sort(key=lambda each: (each.finished_at, each.started_at, each.id))
    return tuple(executions)
