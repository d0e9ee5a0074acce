"""What holds of the checks whatever the facts: pure, over made-up records, with no database."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.maturity.checks import CheckFacts, CheckFinding, measure_statements
from metrics.maturity.checks.facts import ArtifactDetail, PromotionDetail, ReleaseDetail
from metrics.maturity.levels import LevelResult, derive_levels
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.values import RANKS, Answer
from metrics.measures.base import (
    BuildFact,
    DeploymentFact,
    EnvironmentFact,
    PipelineFact,
    PromotionFact,
    Record,
    ReleaseFact,
    ServiceFact,
    StageFact,
)
from metrics.measures.compliance import Controls, GateFact
from metrics.measures.history import History
from tests.factories import NOW

MODEL = load_shipped_model()
STAGES = (
    StageFact("dev"),
    StageFact("staging", ("dev",)),
    StageFact("production", ("dev", "staging")),
)
FAULTS = (
    "skipped", "untracked", "manual", "without run", "unverified", "uncontrolled", "not stored",
    "rebuilt", "undescribed", "late", "failed",
)  # fmt: skip
untimed = settings(deadline=None, max_examples=40)


@dataclass(frozen=True)
class Thing:
    """One release on its way to production, and what is wrong with it."""

    number: int
    faults: frozenset[str]

    def has(self, fault: str) -> bool:
        return fault in self.faults

    @property
    def at(self) -> datetime:
        return NOW - timedelta(days=1, hours=36 * self.number)

    @property
    def digest(self) -> str:
        return f"digest-{self.number}"

    @property
    def version(self) -> str:
        return f"1.{self.number}.0"


def make_deployments(thing: Thing) -> list[DeploymentFact]:
    late = timedelta(hours=2) if thing.has("late") else timedelta(0)
    made = []
    for hours, place in ((-4, "dev"), (-2, "staging"), (0, "production")):
        if place != "production" and thing.has("skipped"):
            continue
        ended_at = thing.at + timedelta(hours=hours, minutes=5)
        is_ours = place == "production" and not thing.has("untracked")
        made.append(
            DeploymentFact(
                id=f"deployment-{3 * thing.number + hours + 4}{place}",
                service="api",
                environment=place,
                digest=thing.digest,
                started_at=ended_at - timedelta(minutes=4),
                received_at=ended_at + late,
                finished_at=ended_at,
                result="failed" if is_ours and thing.has("failed") else "succeeded",
                promotion=f"P-{thing.number}" if is_ours else None,
                mechanism="manual" if thing.has("manual") else "automated",
            )
        )
    return made


def make_record(things: list[Thing]) -> Record:
    return Record(
        environments=tuple(
            EnvironmentFact(name, tier)
            for name, tier in (
                ("dev", "development"),
                ("staging", "staging"),
                ("production", "production"),
            )
        ),
        services=(ServiceFact("api", "team", (PipelineFact(STAGES),)),),
        releases=tuple(
            ReleaseFact(f"release-{each.number}", "api", frozenset((each.digest,)), each.version)
            for each in things
        ),
        builds=tuple(
            BuildFact(
                id=f"build-{each.number}",
                service="api",
                digest=each.digest,
                finished_at=each.at - timedelta(hours=6),
                received_at=each.at - timedelta(hours=6),
                commit=None if each.has("undescribed") else f"commit-{each.number}",
            )
            for each in things
        ),
        promotions=tuple(
            PromotionFact(
                id=f"P-{each.number}",
                service="api",
                digest=each.digest,
                to="production",
                asked_at=each.at - timedelta(hours=1),
                received_at=each.at - timedelta(hours=1),
                state="failed" if each.has("failed") else "succeeded",
                started_at=each.at,
                ended_at=each.at + timedelta(minutes=9),
                mechanism="manual" if each.has("manual") else "automated",
            )
            for each in things
            if not each.has("untracked")
        ),
        deployments=tuple(one for each in things for one in make_deployments(each)),
    )


def make_detail(thing: Thing) -> PromotionDetail:
    has_run = not thing.has("without run")
    gate = GateFact("order", True, not thing.has("uncontrolled"), thing.at)
    return PromotionDetail(
        id=f"P-{thing.number}",
        number=thing.number,
        service="api",
        environment="production",
        version=thing.version,
        kind="normal",
        state="failed" if thing.has("failed") else "succeeded",
        mechanism="manual" if thing.has("manual") else "automated",
        started_at=thing.at,
        ended_at=thing.at + timedelta(minutes=9),
        steps=frozenset(("git-commit",)) if has_run else frozenset(),
        verified_by=() if thing.has("unverified") else ("checksum",),
        controls=Controls(("order",), (gate,), started_at=thing.at),
        strategy="all-at-once",
    )


def make_facts(things: list[Thing], excused: dict[str, frozenset[str]] | None = None) -> CheckFacts:
    made = [
        ReleaseDetail("api", each.version, frozenset((each.digest,)), each.at) for each in things
    ]
    made += [
        ReleaseDetail("api", each.version, frozenset((f"other-{each.number}",)), each.at)
        for each in things
        if each.has("rebuilt")
    ]
    return CheckFacts(
        team="team",
        zone="UTC",
        history=History(make_record(things), NOW),
        services=frozenset(("api",)),
        promotions=tuple(make_detail(each) for each in things if not each.has("untracked")),
        releases=tuple(made),
        artifacts=tuple(
            ArtifactDetail(
                each.digest, "api", "api", each.version, each.at,
                ("commit",) if each.has("undescribed") else (),
            )
            for each in things
        ),
        versions={("api", each.digest): each.version for each in things},
        stored_since={
            each.digest: each.at - timedelta(hours=6)
            for each in things
            if not each.has("not stored")
        },
        excused=excused or {},
    )  # fmt: skip


faults = st.frozensets(st.sampled_from(FAULTS), max_size=2)
# Enough of them promoted within 90 days that one more changes no window.
sound = st.just(frozenset()) | st.frozensets(st.sampled_from(("rebuilt", "failed")), max_size=1)
histories = st.tuples(st.lists(sound, min_size=12, max_size=12), st.lists(faults, max_size=20)).map(
    lambda both: [Thing(number, each) for number, each in enumerate([*both[0], *both[1]])]
)
answers = st.fixed_dictionaries(
    {one.id: st.sampled_from([*one.scale, *[one.scale[-1]] * 6]) for one in MODEL.statements}
)


def derive(found: dict[str, CheckFinding], claimed: dict[str, Answer]) -> LevelResult:
    measured = {key: one.measured for key, one in found.items() if one.measured}
    return derive_levels(MODEL, claimed, measured, {one.id for one in MODEL.statements})


@untimed
@given(histories, answers)
def test_a_counterexample_to_everything_never_raises_a_verified_level(things, claimed):
    worst = Thing(len(things), frozenset(FAULTS))
    before = derive(measure_statements(MODEL, make_facts(things)), claimed)
    after = derive(measure_statements(MODEL, make_facts([*things, worst])), claimed)

    assert after.verified.overall <= before.verified.overall
    for category, level in after.verified.categories.items():
        assert level <= before.verified.categories[category]


@untimed
@given(histories, st.frozensets(st.sampled_from(FAULTS), min_size=1, max_size=2))
def test_a_check_that_gets_a_counterexample_never_finds_more_than_before(things, added):
    before = measure_statements(MODEL, make_facts(things))
    after = measure_statements(MODEL, make_facts([*things, Thing(len(things), added)]))

    for key, now in after.items():
        was = before[key]
        has_one_figure = len(now.figures) == 1
        if len(now.counting) > len(was.counting) and has_one_figure and was.verdict:
            assert now.verdict is not None
            assert RANKS[now.verdict] <= RANKS[was.verdict], key


@untimed
@given(histories, answers)
def test_verified_is_never_above_claimed_whatever_the_facts(things, claimed):
    found = derive(measure_statements(MODEL, make_facts(things)), claimed)

    assert found.verified.overall <= found.claimed.overall
    for rating in found.ratings:
        assert RANKS[rating.verified] <= RANKS[rating.claimed]


@untimed
@given(histories)
def test_excusing_every_counterexample_never_finds_less(things):
    before = measure_statements(MODEL, make_facts(things))
    excused = {
        key: frozenset(each.key for each in one.counterexamples) for key, one in before.items()
    }
    after = measure_statements(MODEL, make_facts(things, excused))

    for key, was in before.items():
        if was.verdict and after[key].verdict:
            assert RANKS[after[key].verdict] >= RANKS[was.verdict]


@untimed
@given(histories)
def test_numbers_agree_with_each_other(things):
    for finding in measure_statements(MODEL, make_facts(things)).values():
        keys = [each.key for each in finding.counterexamples]
        assert len(keys) == len(set(keys))
        assert finding.covered <= finding.coverable
        for figure in finding.figures:
            assert 0 <= figure.numerator <= figure.denominator
        assert (finding.verdict is None) == bool(finding.reason)
