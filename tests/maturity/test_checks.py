"""Each check of the standard over real rows: it supports, it contradicts, it has too little data."""

from datetime import timedelta

import pytest

from metrics.maturity.checks.registry import FIGURES
from metrics.maturity.loading import load_shipped_model
from promotion.models import Artifact, ArtifactTag, BuildArtifact, Deployment
from promotion.rules.states import State
from tests.factories import NOW, digest_of, make_artifact, make_observation, make_release
from tests.parts.checked_team import make_checked_team

pytestmark = pytest.mark.django_db

MODEL = load_shipped_model()
CHECKED = [one for one in MODEL.statements if one.check is not None]
NOT_MEASURABLE = {
    "technology.2.basic-storage",
    "technology.5.routing-anomalies",
}
MEASURED = [one.id for one in CHECKED if one.id not in NOT_MEASURABLE]
OF_A_YEAR = "measurement.5.throughput"
DAY = timedelta(days=1)


def day(number: int):
    return NOW - number * DAY


def make_things(team, count=12, *, passes=True, **how):
    """So many releases, each promoted in the same way, two days apart."""
    for number in range(count):
        at = day(2 + 2 * number)
        release = team.release(f"1.{number}.0", at - timedelta(hours=6))
        if passes:
            team.pass_through(release, at)
        team.promote(release, at, **how)


def by_hand(team):
    make_things(team, mechanism="manual", steps=(), run_id="")


def past_staging(team):
    make_things(team, passes=False)


def past_the_record(team):
    for number in range(12):
        release = team.release(f"1.{number}.0", day(3 + 2 * number))
        team.pass_through(release, day(2 + 2 * number))
        late = team.deploy(release, "production", day(2 + 2 * number), mechanism="manual")
        Deployment.objects.filter(pk=late.pk).update(
            received_at=late.finished_at + timedelta(hours=1)
        )


def rebuilt(team):
    make_things(team)
    for release in team.releases:
        digest = digest_of(f"again {release.version}")
        again = make_artifact(team.service, release.version, digest=digest)
        make_release(team.service, release.version, artifacts=[again], at=release.created_at)


def in_no_repository(team):
    make_things(team, gates=False)
    ArtifactTag.objects.all().delete()


def stored_too_late(team):
    make_things(team, gates=False)
    ArtifactTag.objects.update(seen_at=NOW)


def without_controls(team):
    make_things(team, gates=False, approved=False, steps=("git-commit",))


def without_run(team):
    make_things(team, steps=(), run_id="")


def of_unknown_origin(team):
    make_things(team)
    BuildArtifact.objects.all().delete()
    Artifact.objects.update(commit="")


def failing(team):
    make_things(team, 10)
    for number in range(4):
        release = team.release(f"2.{number}.0", day(1))
        team.promote(release, day(1) + number * timedelta(hours=1), state=State.FAILED)


def unwatched(team):
    make_things(team, 6)
    for number in range(6):
        digest = digest_of(f"nobody knows {number}")
        make_observation(team.service, team.places["production"], digest, at=day(1 + 3 * number))


def slowing_down(team):
    for number, ago in enumerate([*range(300, 358, 4), *range(220, 265, 9), 130, 150, 20, 30, 361]):
        release = team.release(f"1.{number}.0", day(ago) - timedelta(hours=6))
        team.pass_through(release, day(ago))
        team.promote(release, day(ago))
    make_things_to_staging(team)


def make_things_to_staging(team):
    """Enough promotions lately for a window of 90 days, without one to production."""
    for number in range(2, 6):
        release = team.release(f"3.{number}.0", day(10 + number))
        team.promote(release, day(5 + number))


WRONG = {
    "people.1.manual-steps": (by_hand, "true"),
    "process.1.no-process": (past_staging, "true"),
    "process.1.artifacts-differ": (past_staging, "true"),
    "technology.1.rebuilt-per-environment": (rebuilt, "true"),
    "technology.1.no-central-store": (in_no_repository, "true"),
    "measurement.1.no-tracking": (past_the_record, "true"),
    "people.2.scripted-copying": (by_hand, "N"),
    "process.2.reuse-guidelines": (past_staging, "N"),
    "process.2.manual-verification": (without_controls, "true"),
    "technology.2.not-in-cicd": (without_run, "true"),
    "measurement.2.manual-logs": (past_the_record, "N"),
    "people.3.shared-pipelines": (past_the_record, "N"),
    "process.3.built-once": (past_staging, "N"),
    "process.3.no-manual-rebuilds": (rebuilt, "N"),
    "technology.3.repositories": (stored_too_late, "N"),
    "technology.3.metadata": (of_unknown_origin, "N"),
    "measurement.3.traceability": (of_unknown_origin, "N"),
    "measurement.3.auto-logged": (past_the_record, "N"),
    "people.4.learn-from-failures": (failing, "N"),
    "process.4.gates-approvals": (without_controls, "N"),
    "process.4.audit-ready": (without_controls, "N"),
    "technology.4.signed-or-checksummed": (without_controls, "N"),
    "technology.4.dashboards": (make_things, "N"),
    "measurement.4.monitored": (unwatched, "N"),
    "people.5.rollout-experiments": (make_things, "N"),
    "process.5.metadata-decides": (without_controls, "N"),
    "measurement.5.throughput": (slowing_down, "N"),
    "measurement.5.compliance": (without_controls, "N"),
}


def test_every_figure_that_the_standard_names_is_there():
    named = {name for one in CHECKED for name in one.check.figures}
    assert named == set(FIGURES)
    assert set(WRONG) == set(MEASURED)


@pytest.mark.parametrize("statement", [each for each in MEASURED if each != OF_A_YEAR])
def test_the_check_supports_a_team_that_does_it(found_of_a_good_team, statement):
    result = found_of_a_good_team[statement]

    assert result.verdict == MODEL.get_statement(statement).scale[-1]
    assert result.n > 0
    assert result.window_days == 90
    assert result.counterexample_count == 0
    assert result.coverage == {"unit": "services", "have": 1, "of": 1}


@pytest.mark.parametrize("statement", MEASURED)
def test_the_check_contradicts_a_team_that_does_it_not(statement):
    spoil, verdict = WRONG[statement]
    team = make_checked_team("careless")
    spoil(team)

    result = team.find(statement)

    assert (result.verdict, result.reason) == (verdict, "")
    assert result.counterexample_count > 0 or statement == "people.5.rollout-experiments"
    assert all(each["what"] for each in result.counterexamples)


@pytest.mark.parametrize("statement", MEASURED)
def test_the_check_says_that_there_is_too_little_data(found_of_a_new_team, statement):
    result = found_of_a_new_team[statement]

    assert (result.verdict, result.value, result.n) == ("insufficient", None, 0)
    assert result.window_days == 365
    assert result.reason.startswith("3 p")


@pytest.mark.parametrize("statement", sorted(NOT_MEASURABLE))
def test_what_is_kept_nowhere_is_not_measurable_and_says_why(
    found_of_a_good_team, found_of_a_new_team, statement
):
    for found in (found_of_a_good_team, found_of_a_new_team):
        assert found[statement].verdict == "unmeasurable"
        assert found[statement].reason
        assert found[statement].counterexamples == []


def test_throughput_that_rises_over_four_windows_is_fully():
    team = make_checked_team("careless")
    for number, ago in enumerate([365, 330, 220, 200, 190, 140, 130, 120, 100, *range(2, 80, 6)]):
        release = team.release(f"1.{number}.0", day(ago) - timedelta(hours=6))
        team.pass_through(release, day(ago))
        team.promote(release, day(ago))

    result = team.find(OF_A_YEAR)

    assert (result.verdict, result.value) == ("F", 1)


def test_thirty_promotions_of_which_none_failed_are_fully_learnt_from():
    team = make_checked_team("careless")
    make_things(team, 29)
    assert team.find("people.4.learn-from-failures").verdict == "insufficient"

    release = team.release("9.0.0", day(1))
    team.promote(release, day(1))

    later = NOW + timedelta(minutes=1)
    assert team.find("people.4.learn-from-failures", later).verdict == "F"


def test_the_window_widens_until_it_holds_enough():
    team = make_checked_team("careless")
    team.do_well(12, until=NOW - 100 * DAY)

    assert team.find("process.3.built-once").window_days == 180
