"""Which service and environment a fact speaks of."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promotion.rules.mapping import (
    Catalog,
    KnownEnvironment,
    KnownService,
    Rule,
    Subject,
    choose_environment,
    choose_service,
    find_place,
    fits,
)

SHOP = KnownService(1, "shop", "acme/shop", ("shop",))
WEB = KnownService(2, "web", "acme/mono", ("web",))
BACK = KnownService(3, "back", "acme/mono", ("api", "worker"), True, "Build back")
SERVICES = (SHOP, WEB, BACK)
PRODUCTION = KnownEnvironment(11, "production", "Production", "production")
STAGING = KnownEnvironment(12, "stage-eu", "Staging Europe", "staging")
DEV = KnownEnvironment(13, "dev", "Development", "development")
ENVIRONMENTS = (PRODUCTION, STAGING, DEV)
CATALOG = Catalog(SERVICES, ENVIRONMENTS)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("", "acme/shop", True),
        ("", "", True),
        ("*", "acme/shop", True),
        ("*", "", False),
        ("acme/shop", "", False),
        ("acme/shop", "Acme/Shop", True),
        ("acme/shop", "acme/shop2", False),
        ("acme/shop", "x/acme/shop", False),
        ("acme/*", "acme/shop/web", True),
        ("*/shop", "acme/shop", True),
        ("*/shop", "acme/shop-web", False),
        ("acme/*-web", "acme/shop-web", True),
        ("a*a", "a", False),
        ("a*b*c", "abbc", True),
        ("a*b*c", "acb", False),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("a?c", "abc", False),
    ],
)
def test_a_pattern_fits_the_whole_value_whatever_the_case(
    pattern: str, value: str, expected: bool
) -> None:
    assert fits(pattern, value) is expected


@given(st.text("ab*/.", max_size=8), st.text("abAB/.", max_size=12))
@example("*a*ab*", "aab")
def test_a_star_means_what_the_regular_expression_of_any_text_means(
    pattern: str, value: str
) -> None:
    parts = [re.escape(part) for part in pattern.split("*")]
    wanted = re.fullmatch(".*".join(parts), value, re.IGNORECASE | re.DOTALL)
    expected = not pattern or (bool(value) and wanted is not None)
    assert fits(pattern, value) is expected


def test_a_pattern_of_many_stars_is_quick() -> None:
    assert not fits("*".join("a" * 150), "a" * 149 + "b")


@pytest.mark.parametrize(
    ("subject", "slug"),
    [
        (Subject("deployment", service="SHOP", repository="acme/mono"), "shop"),
        (Subject("build", repository="Acme/Shop", job="anything"), "shop"),
        (Subject("artifact", repository="acme/mono", image="registry/acme/worker"), "back"),
        (Subject("artifact", image="acme/web"), "web"),
        (Subject("artifact", image="acme/api"), "back"),
        (Subject("build", repository="acme/mono", job="build back"), "back"),
        (Subject("build", repository="acme/mono", job="web"), "web"),
        (Subject("build", repository="acme/mono", job="lint"), None),
        (Subject("build", repository="other/shop"), None),
        (Subject("deployment"), None),
    ],
)
def test_without_rules_a_service_is_found_by_name_image_repository_or_job(
    subject: Subject, slug: str | None
) -> None:
    found, why = choose_service(subject, SERVICES)
    assert (found.slug if found else None) == slug
    assert why.endswith(".")


def test_several_services_of_one_repository_are_named_and_none_is_chosen() -> None:
    found, why = choose_service(Subject("change", repository="acme/mono"), SERVICES)
    assert found is None
    assert "2 services come from acme/mono (back, web)" in why


@pytest.mark.parametrize(
    ("said", "tier", "slug"),
    [
        ("production", "", "production"),
        ("Staging Europe", "", "stage-eu"),
        ("prod", "", "production"),
        ("PROD", "", "production"),
        ("live", "", "production"),
        ("eu-cluster", "production", "production"),
        ("eu-cluster", "other", None),
        ("eu/cluster", "production", "production"),
        ("review/my-branch", "development", None),
        ("qa", "", None),
        ("", "production", None),
    ],
)
def test_an_environment_is_found_by_name_tier_or_usual_word(
    said: str, tier: str, slug: str | None
) -> None:
    found, why = choose_environment(
        Subject("deployment", environment=said, tier=tier), ENVIRONMENTS
    )
    assert (found.slug if found else None) == slug
    assert why.endswith(".")


def test_of_two_environments_of_the_tier_none_is_chosen() -> None:
    second = KnownEnvironment(14, "production-us", "Production US", "production")
    found, why = choose_environment(
        Subject("deployment", environment="prod"), (*ENVIRONMENTS, second)
    )
    assert found is None
    assert "2 are of the tier production" in why


def test_the_first_rule_that_matches_decides_and_the_older_among_equals() -> None:
    rules = (
        Rule(3, priority=50, repository="acme/*", to_service=3),
        Rule(2, priority=10, repository="acme/x*", to_service=2),
        Rule(1, priority=10, repository="acme/x*", to_service=1),
    )
    subject = Subject("build", repository="acme/xyz")
    place = find_place(subject, replace(CATALOG, rules=rules))
    assert (place.service, place.rules) == (1, (1,))


def test_what_a_rule_leaves_open_the_next_rule_or_the_names_decide() -> None:
    rules = (
        Rule(1, repository="acme/x", to_service=2),
        Rule(2, environment="zone-*", to_environment=11),
    )
    catalog = replace(CATALOG, rules=rules)
    subject = Subject("deployment", repository="acme/x", environment="zone-1")
    assert find_place(subject, catalog).rules == (1, 2)
    assert find_place(subject, catalog).environment == 11
    assert find_place(replace(subject, environment="dev"), catalog).environment == 13
    assert find_place(replace(subject, repository="acme/shop"), catalog).service == 1


def test_a_rule_of_one_sender_says_nothing_of_others() -> None:
    catalog = replace(CATALOG, rules=(Rule(1, sender=7, repository="*", to_service=2),))
    assert find_place(Subject("build", sender=7, repository="acme/shop"), catalog).service == 2
    assert find_place(Subject("build", sender=8, repository="acme/shop"), catalog).service == 1
    assert find_place(Subject("build", repository="acme/shop"), catalog).service == 1


def test_what_is_ignored_has_no_place_unless_an_earlier_rule_placed_it() -> None:
    ignoring = Rule(5, repository="acme/*", is_ignored=True)
    subject = Subject("build", repository="acme/shop")
    assert find_place(subject, replace(CATALOG, rules=(ignoring,))).is_ignored
    placing = Rule(4, repository="acme/shop", to_service=2)
    place = find_place(subject, replace(CATALOG, rules=(placing, ignoring)))
    assert (place.service, place.is_ignored) == (2, False)


def test_a_job_that_is_the_deployment_speaks_of_builds_alone() -> None:
    rule = Rule(1, repository="acme/shop", job="deploy*", to_environment=11, is_deployment=True)
    catalog = replace(CATALOG, rules=(rule,))
    build = Subject("build", repository="acme/shop", job="Deploy to production")
    assert find_place(build, catalog).deploys_to == 11
    assert find_place(replace(build, job="test"), catalog).deploys_to is None
    assert find_place(replace(build, kind="deployment", environment="dev"), catalog).rules == ()


texts = st.sampled_from(
    ["", "acme/shop", "acme/mono", "acme/x", "web", "prod", "dev", "Build back"]
)
rules_of_all_kinds = st.builds(
    Rule,
    key=st.integers(1, 50),
    priority=st.integers(1, 3),
    repository=st.sampled_from(["", "acme/*", "acme/shop"]),
    environment=st.sampled_from(["", "p*"]),
    to_service=st.sampled_from([None, 1, 2]),
    to_environment=st.sampled_from([None, 11, 12]),
    is_ignored=st.booleans(),
)
subjects = st.builds(
    Subject,
    kind=st.sampled_from(["build", "deployment", "artifact"]),
    service=texts,
    repository=texts,
    job=texts,
    image=texts,
    environment=texts,
)


@given(subjects, st.lists(rules_of_all_kinds, max_size=5, unique_by=lambda one: one.key))
def test_the_order_in_which_rules_and_catalog_are_read_does_not_matter(
    subject: Subject, rules: list[Rule]
) -> None:
    place = find_place(subject, replace(CATALOG, rules=rules))
    turned = Catalog(SERVICES[::-1], ENVIRONMENTS[::-1], rules[::-1])
    assert find_place(subject, turned) == place


@given(subjects, st.lists(rules_of_all_kinds, max_size=5, unique_by=lambda one: one.key))
def test_a_rule_that_does_not_match_changes_nothing(subject: Subject, rules: list[Rule]) -> None:
    matching = [one for one in rules if one.is_matching(subject)]
    whole = find_place(subject, replace(CATALOG, rules=rules))
    assert whole == find_place(subject, replace(CATALOG, rules=matching))
