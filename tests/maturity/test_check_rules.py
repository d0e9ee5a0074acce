"""Windows, excuses, controls and changes: the rules around the checks, over real rows."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.actions.dispute import Objection, decide_dispute, dispute_check
from metrics.actions.recompute_checks import recompute_checks, recompute_due
from metrics.models import Assessment, CheckResult, TeamLevel
from promotion.exceptions import ConflictError, InputError, NotAllowedError
from promotion.models import AuditEntry, BreakGlass, GateException, GateResult, Role
from tests.factories import NOW, digest_of, make_artifact, make_person, make_release, make_team
from tests.parts.checked_team import make_checked_team

pytestmark = pytest.mark.django_db
ONE_DIGEST = "process.3.no-manual-rebuilds"
GATES = "process.4.gates-approvals"
LATER = NOW + timedelta(days=1)


@pytest.fixture
def team():
    made = make_checked_team()
    made.do_well()
    return made


def rebuild(team, number: int = 0, at=None):
    release = team.releases[number]
    again = make_artifact(
        team.service, release.version, digest=digest_of(f"again {release.version}")
    )
    make_release(team.service, release.version, artifacts=[again], at=at or release.created_at)


def test_a_counterexample_names_the_version_and_leads_to_it(team):
    rebuild(team)

    result = team.find(ONE_DIGEST)

    assert (result.verdict, result.numerator, result.denominator) == ("L", 11, 12)
    assert result.value == pytest.approx(1100 / 12)
    assert result.thresholds == {"P": 50, "L": 90, "F": 99}
    assert result.counterexamples == [
        {
            "key": "version-shipping-api-1.0.0",
            "what": "`shipping-api 1.0.0` was rebuilt",
            "page": "release-detail",
            "names": ["shipping-api", "1.0.0"],
            "excused": False,
        }
    ]


def test_what_somebody_else_accepts_as_excused_does_not_count(team):
    rebuild(team)
    team.find(ONE_DIGEST)
    member = make_person("mei", Role.MEMBER, team=team.team)
    objection = Objection(ONE_DIGEST, "A test of the registry.", "version-shipping-api-1.0.0")
    dispute = dispute_check(team.team, objection, person=member, at=NOW)
    assert team.find(ONE_DIGEST, NOW + timedelta(minutes=1)).verdict == "L"

    with pytest.raises(NotAllowedError):
        decide_dispute(dispute.pk, is_accepted=True, outcome="Yes.", person=member, at=NOW)
    decide_dispute(dispute.pk, is_accepted=True, outcome="Seen.", person=team.manager, at=NOW)

    result = team.find(ONE_DIGEST, NOW + timedelta(minutes=2))
    assert (result.verdict, result.n, result.counterexample_count) == ("F", 11, 0)
    assert [each["excused"] for each in result.counterexamples] == [True]
    acts = AuditEntry.objects.filter(action__startswith="check.").values_list("action", flat=True)
    assert sorted(acts) == ["check.dispute", "check.dispute-accept"]


def test_a_rejected_dispute_changes_nothing(team):
    rebuild(team)
    team.find(ONE_DIGEST)
    member = make_person("mei", Role.MEMBER, team=team.team)
    objection = Objection(ONE_DIGEST, "It was me.", "version-shipping-api-1.0.0")
    dispute = dispute_check(team.team, objection, person=member, at=NOW)

    decide_dispute(dispute.pk, is_accepted=False, outcome="No.", person=team.manager, at=NOW)

    assert team.find(ONE_DIGEST, NOW + timedelta(minutes=2)).counterexample_count == 1
    with pytest.raises(ConflictError):
        decide_dispute(dispute.pk, is_accepted=True, outcome="Yes", person=team.manager, at=NOW)


@pytest.mark.parametrize(
    ("objection", "refused"),
    [
        (Objection(ONE_DIGEST, "  "), InputError),
        (Objection(ONE_DIGEST, "Why?", "version-nothing"), InputError),
        (Objection("people.1.low-awareness", "Why?"), InputError),
        (Objection("people.9.nothing", "Why?"), InputError),
    ],
)
def test_what_cannot_be_disputed_is_refused(team, objection, refused):
    team.find(ONE_DIGEST)

    with pytest.raises(refused):
        dispute_check(team.team, objection, person=team.manager, at=NOW)


def test_only_who_has_a_part_in_the_team_disputes_and_each_thing_once(team):
    team.find(ONE_DIGEST)
    with pytest.raises(NotAllowedError):
        dispute_check(team.team, Objection(ONE_DIGEST, "Why?"), person=make_person("vera"), at=NOW)
    auditor = make_person("carla", Role.AUDITOR)
    dispute_check(team.team, Objection(ONE_DIGEST, "Why?"), person=auditor, at=NOW)
    with pytest.raises(ConflictError):
        dispute_check(team.team, Objection(ONE_DIGEST, "Why?"), person=team.manager, at=NOW)


def find_gates(team) -> tuple[str, int]:
    result = team.find(GATES)
    return result.verdict, result.counterexample_count


def test_an_approval_after_the_start_is_none(team):
    promotion = team.promote(
        team.release("2.0.0", NOW - timedelta(days=1)), NOW - timedelta(hours=20), approved=False
    )
    team.approve(promotion, NOW - timedelta(hours=19))

    assert find_gates(team) == ("L", 1)


def test_a_gate_measured_after_the_start_was_not_met(team):
    promotion = team.promote(
        team.release("2.0.0", NOW - timedelta(days=1)), NOW - timedelta(hours=20), gates=False
    )
    team.open_gates(promotion, measured_at=NOW)

    assert find_gates(team) == ("L", 1)


@pytest.mark.parametrize(("is_reviewed", "counted"), [(True, ("F", 0)), (False, ("L", 1))])
def test_a_broken_glass_counts_once_it_is_reviewed(team, is_reviewed, counted):
    promotion = team.promote(
        team.release("2.0.0", NOW - timedelta(days=1)), NOW - timedelta(hours=20), gates=False
    )
    BreakGlass.objects.create(
        promotion=promotion, content_hash=promotion.content_hash, reason="Outage",
        incident_url="https://incidents.example/1", broken_by=team.manager,
        broken_at=promotion.started_at, used_at=promotion.started_at,
        review_due_at=NOW + timedelta(days=2),
        reviewed_at=NOW - timedelta(hours=1) if is_reviewed else None,
        reviewed_by=make_person("priya") if is_reviewed else None,
    )  # fmt: skip

    assert find_gates(team) == counted


@pytest.mark.parametrize(("is_own", "counted"), [(False, ("F", 0)), (True, ("L", 1))])
def test_an_exception_that_somebody_else_granted_is_met_and_an_own_one_not(team, is_own, counted):
    asker = make_person("mei", Role.MEMBER, team=team.team)
    promotion = team.promote(
        team.release("2.0.0", NOW - timedelta(days=1)), NOW - timedelta(hours=20),
        requested_by=asker,
    )  # fmt: skip
    exception = GateException.objects.create(
        release=promotion.release, environment=promotion.environment, gate="order",
        reason="Late at night", owner=asker, granted_by=asker if is_own else team.manager,
        granted_at=NOW - timedelta(days=1), ends_at=NOW,
    )  # fmt: skip
    GateResult.objects.filter(promotion=promotion, gate="order").update(exception=exception)

    assert find_gates(team) == counted


def test_a_team_has_the_facts_of_the_teams_below_it(team):
    above = make_team("freight")
    team.team.parent = above
    team.team.save()

    recompute_checks(NOW, teams=[above])

    assert CheckResult.objects.get(team=above, statement_id=ONE_DIGEST).n == 12


def test_only_what_was_known_by_the_time_counts(team):
    rebuild(team, 11)

    assert team.find(ONE_DIGEST, NOW - timedelta(days=3)).counterexample_count == 0


def count_queries(team, at) -> int:
    with CaptureQueriesContext(connection) as captured:
        recompute_checks(at, teams=[team.team])
    return len(captured)


def test_the_number_of_queries_does_not_grow_with_the_facts(team):
    before = count_queries(team, NOW)
    team.do_well(12, until=NOW - timedelta(days=40), first=12)
    rebuild(team)

    assert count_queries(team, NOW + timedelta(minutes=1)) == before


def agree_all(team, values: dict[str, str]) -> Assessment:
    assessment = Assessment.objects.create(
        team=team.team, model_id="artifact-promotion", model_version="1.0", cycle="2026-q4",
        state="agreed", started_at=NOW, started_by=team.manager,
    )  # fmt: skip
    for statement, value in values.items():
        assessment.answers.create(
            statement_id=statement, value=value, answered_by=team.manager, answered_at=NOW
        )
    return assessment


PROCESS = {
    "process.1.no-process": "no",
    "process.1.artifacts-differ": "no",
    "process.2.reuse-guidelines": "F",
    "process.2.manual-verification": "no",
    "process.3.built-once": "F",
    ONE_DIGEST: "L",
}


def test_a_fall_is_explained_by_the_new_counterexample(team):
    agree_all(team, PROCESS)
    recompute_checks(NOW, teams=[team.team])
    first = TeamLevel.objects.get()
    assert first.result["verified"]["categories"]["process"] == 3
    assert first.changes == []
    rebuild(team, 0)
    rebuild(team, 1)

    recompute_checks(LATER, teams=[team.team])

    level = TeamLevel.objects.order_by("-day").first()
    assert [each["sentence"] for each in level.changes] == [
        "Process fell to 2: `shipping-api 1.0.0` was rebuilt; `shipping-api 1.1.0` was rebuilt."
    ]
    recompute_checks(LATER + timedelta(hours=1), teams=[team.team])
    assert TeamLevel.objects.count() == 2
    assert TeamLevel.objects.order_by("-day").first().changes == level.changes


def test_a_rise_and_a_lower_answer_are_explained_too(team):
    assessment = agree_all(team, PROCESS | {"process.3.built-once": "P"})
    recompute_checks(NOW, teams=[team.team])
    assessment.answers.filter(statement_id="process.3.built-once").update(value="L")
    recompute_checks(LATER, teams=[team.team])
    assessment.answers.filter(statement_id=ONE_DIGEST).update(value="N")
    recompute_checks(LATER + timedelta(days=1), teams=[team.team])

    told = [each["sentence"] for one in TeamLevel.objects.order_by("day") for each in one.changes]
    assert told == [
        "Process rose to 3: “Built once” is Largely now.",
        "Process fell to 2: the team now answers Not to “No manual rebuilds”.",
    ]


def test_each_team_is_measured_once_a_day_and_again_when_asked(team):
    assert recompute_due(NOW) == 1
    assert recompute_due(NOW + timedelta(hours=1)) == 0
    assert recompute_due(LATER) == 1
    call_command("recompute_checks", team=["shipping"])
    with pytest.raises(CommandError):
        call_command("recompute_checks", team=["nobody"])
