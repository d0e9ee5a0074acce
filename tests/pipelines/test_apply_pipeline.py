"""Checking a pipeline against all that exists, and applying it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group

from promotion.actions.apply_pipeline import apply_pipeline, check_pipeline
from promotion.exceptions import NotAllowedError
from promotion.models import (
    AuditEntry,
    Connection,
    Environment,
    Membership,
    PipelineVersion,
    Release,
    Role,
    Service,
    Target,
    Team,
    User,
)
from promotion.rules.pipeline import PipelineError, pipeline_document

pytestmark = pytest.mark.django_db

WHOLE = (Path(__file__).parent / "whole-form.yaml").read_text()
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOP = "service: shop\nstages:\n  - name: live\n    environment: live\n"


@pytest.fixture
def shop() -> Service:
    Environment.objects.create(slug="live", name="Live", tier="production")
    team = Team.objects.create(slug="retail", name="Retail")
    return Service.objects.create(slug="shop", team=team)


def make_person(username: str, role: str | None = None, team: Team | None = None) -> User:
    person = User.objects.create(username=username)
    if role:
        Membership.objects.create(user=person, role=role, team=team)
    return person


# Kinds of the form that have no gate or step yet; a pipeline that uses one is refused with its line.
NOT_BUILT = {
    "vulnerabilities",
    "signature",
    "provenance",
    "sbom",
}


def test_of_the_whole_form_only_kinds_that_are_not_built_are_refused() -> None:
    team = Team.objects.create(slug="meridian", name="Meridian")
    Service.objects.create(slug="shipment-api", team=team)
    for slug in ("dev", "staging", "production"):
        Environment.objects.create(slug=slug, name=slug, tier="production")
    production = Environment.objects.get(slug="production")
    for name in ("eu-1", "eu-2", "us-1"):
        Target.objects.create(environment=production, name=name)
    for name in ("registry-main", "registry-prod", "gitops", "prometheus", "releases"):
        Connection.objects.create(name=name, kind="http", address="https://x.test", created_at=NOW)
    make_person("mira", Role.RELEASE_MANAGER)
    make_person("sven").groups.add(Group.objects.create(name="security"))
    Group.objects.create(name="platform")
    form, problems, _ = check_pipeline(WHOLE, at=NOW)
    assert form is not None
    unknown = {
        name for name in NOT_BUILT for one in problems if f'"{name}"' in one.sentence.split(";")[0]
    }
    assert len(problems) == len(NOT_BUILT)
    assert unknown == NOT_BUILT


@pytest.mark.parametrize("when", ["risk.scor > 0.5", "risk.score", "risk.score > 1"])
def test_a_condition_that_cannot_be_used_is_a_problem_with_its_line(
    shop: Service, when: str
) -> None:
    make_person("mira", Role.RELEASE_MANAGER)
    text = SHOP + f"    approvals:\n      - name: managers\n        when: '{when}'\n"
    _, problems, _ = check_pipeline(text, at=NOW)
    assert [(one.line, one.key) for one in problems] == [(7, "stages[0].approvals[0].when")]


def test_a_rule_with_a_condition_over_known_facts_is_no_problem(shop: Service) -> None:
    make_person("mira", Role.RELEASE_MANAGER)
    text = SHOP + "    approvals: [{name: managers, when: 'risk.score > 0.5'}]\n"
    assert check_pipeline(text, at=NOW)[1:] == ((), ())


def test_a_text_that_cannot_be_read_is_no_form(shop: Service) -> None:
    form, problems, warnings = check_pipeline(SHOP + "    mode: off\n", at=NOW)
    assert form is None and warnings == ()
    assert [(problem.line, problem.key) for problem in problems] == [(5, "stages[0].mode")]


def test_what_does_not_exist_is_a_problem(shop: Service) -> None:
    _, problems, _ = check_pipeline(SHOP.replace("environment: live", "environment: life"), at=NOW)
    assert [(problem.line, problem.key) for problem in problems] == [(4, "stages[0].environment")]
    assert 'did you mean "live"?' in problems[0].sentence


def test_settings_a_gate_does_not_have_are_a_problem(shop: Service) -> None:
    _, problems, _ = check_pipeline(SHOP + "    gates:\n      - soak: {four: 2h}\n", at=NOW)
    assert "stages[0].gates[0].four" in [problem.key for problem in problems]


def test_applying_makes_the_first_version_and_tells_the_service_what_a_release_is(
    shop: Service,
) -> None:
    text = SHOP + "artifacts: [api, jobs]\nversion: 'tag ~ ^shop-(.*)$'\n"
    version = apply_pipeline(text, person=None, at=NOW)
    assert (version.number, version.text, version.applied_at, version.applied_by) == (
        1, text, NOW, None,
    )  # fmt: skip
    assert version.document == pipeline_document(version.form)
    shop.refresh_from_db()
    assert shop.needed_artifacts == ("api", "jobs") and shop.version_in("shop-1.2") == "1.2"
    assert shop.next_look_at == NOW


def test_applying_is_on_the_record_in_the_name_of_the_person(shop: Service) -> None:
    person = make_person("petra", Role.PLATFORM_ENGINEER)
    version = apply_pipeline(SHOP, person=person, at=NOW)
    entry = AuditEntry.objects.get(action="pipeline.apply")
    assert (entry.actor, entry.at, entry.subject_id) == (person, NOW, str(version.pk))
    assert entry.details == {"service": "shop", "number": 1, "before": 0}


@pytest.mark.parametrize("text", [SHOP, "# a note\n" + SHOP + "    mode: enforce\n"])
def test_what_says_the_same_as_the_newest_version_changes_nothing(shop: Service, text: str) -> None:
    first = apply_pipeline(SHOP, person=None, at=NOW)
    assert apply_pipeline(text, person=None, at=NOW + timedelta(days=1)) == first
    assert PipelineVersion.objects.count() == AuditEntry.objects.count() == 1


def test_another_text_is_the_next_version_and_going_back_is_one_more(shop: Service) -> None:
    texts = [SHOP, SHOP + "    queue: fifo\n", SHOP]
    versions = [apply_pipeline(text, person=None, at=NOW) for text in texts]
    assert [version.number for version in versions] == [1, 2, 3]
    shop.refresh_from_db()
    assert shop.pipeline.current == versions[2]


def test_a_text_with_problems_is_refused_and_changes_nothing(shop: Service) -> None:
    with pytest.raises(PipelineError) as caught:
        apply_pipeline(SHOP + "    gates: [sook]\n", person=None, at=NOW)
    assert caught.value.problems[0].key == "stages[0].gates[0]"
    assert not PipelineVersion.objects.exists() and not AuditEntry.objects.exists()


def test_who_may_not_configure_may_not_apply(shop: Service) -> None:
    person = make_person("mira", Role.RELEASE_MANAGER)
    with pytest.raises(NotAllowedError, match="may not change pipelines"):
        apply_pipeline(SHOP, person=person, at=NOW)
    assert not PipelineVersion.objects.exists()


def warnings_of(text: str) -> tuple[str, ...]:
    form, problems, warnings = check_pipeline(text, at=NOW)
    assert form is not None and problems == ()
    return warnings


def test_a_window_that_never_opens_is_warned_of(shop: Service) -> None:
    over = "{start: '2026-01-05T08:00', duration: 8h}"
    weekly = "{start: '2026-01-05T08:00', duration: 8h, rrule: FREQ=WEEKLY}"
    for_ever = "{start: '2026-01-05T08:00'}"
    assert (
        "no window opens within 400 days"
        in warnings_of(SHOP + f"    windows: {{allow: [{over}]}}\n")[0]
    )
    assert warnings_of(SHOP + f"    windows: {{allow: [{weekly}], deny: [{for_ever}]}}\n")
    assert warnings_of(SHOP + f"    windows: {{allow: [{weekly}]}}\n") == ()


def test_a_rule_that_too_few_people_can_meet_is_warned_of(shop: Service) -> None:
    rule = SHOP + "    approvals: [{name: managers, count: 2}]\n"
    assert "managers needs 2, lets in nobody" in warnings_of(rule)[0]
    make_person("mira", Role.RELEASE_MANAGER, shop.team)
    make_person("else", Role.RELEASE_MANAGER, Team.objects.create(slug="other", name="Other"))
    make_person("viewer", Role.VIEWER)
    assert "managers needs 2, lets in only 1" in warnings_of(rule)[0]
    make_person("sven", Role.RELEASE_MANAGER)
    assert warnings_of(rule) == ()


def test_a_fallback_counts_among_those_let_in(shop: Service) -> None:
    make_person("sven").groups.add(Group.objects.create(name="platform"))
    Group.objects.create(name="security")
    assert warnings_of(SHOP + "    approvals: [{from: [security]}]\n")
    assert warnings_of(SHOP + "    approvals: [{from: [security], fallback: platform}]\n") == ()


def test_distinct_rules_need_different_people(shop: Service) -> None:
    make_person("mira", Role.RELEASE_MANAGER)
    rules = SHOP + "    approvals: [{name: first}, {name: second, from: ['user:mira']}]\n"
    assert warnings_of(rules) == ()
    assert "a different one in each" in warnings_of(rules + "    distinct: true\n")[0]


def test_a_soak_longer_than_the_usual_time_between_releases_is_warned_of(shop: Service) -> None:
    text = SHOP + "    gates: [{soak: {for: 24h}}]\n"
    for number in range(4):
        assert warnings_of(text) == ()
        Release.objects.create(
            service=shop,
            version=f"1.0.{number}",
            digests_sha256=f"{number:064}",
            created_at=NOW - timedelta(hours=6 * number),
        )
    assert "a soak of 1 d is longer than the usual 6 h between releases" in warnings_of(text)[0]
    assert warnings_of(text.replace("24h", "6h")) == ()


def test_artifacts_that_share_a_repository_are_warned_of(shop: Service) -> None:
    Connection.objects.create(name="hub", kind="http", address="https://x.test", created_at=NOW)
    text = SHOP + "artifacts: [a, b]\nrepositories: {live: 'hub/all'}\n"
    assert "2 artifacts would share hub/all" in warnings_of(text)[0]
    assert warnings_of(text.replace("hub/all", "hub/{name}")) == ()
