"""The tests gate by what senders said of digests and commits."""

from datetime import datetime, timedelta

import pytest

from promotion.gates.base import GateContext, GateOutcome, Verdict
from promotion.gates.known import GATES
from promotion.models import Evidence, Promotion
from tests.factories import (
    NOW,
    make_artifact,
    make_environments,
    make_promotion,
    make_release,
    make_service,
)

pytestmark = pytest.mark.django_db

GATE = GATES["tests"]


@pytest.fixture
def promotion() -> Promotion:
    return make_promotion(make_release(make_service()), make_environments()["production"])


def ask(promotion: Promotion, *names: str, at: datetime = NOW) -> GateOutcome:
    form = promotion.pipeline_version.form
    settings = {"names": list(names)}
    return GATE.evaluate(GateContext(promotion, form, form.stage(promotion.stage), settings, at))


def tell(name: str, result: str, *, digest: str = "", commit: str = "", ago: int = 60) -> Evidence:
    at = NOW - timedelta(minutes=ago)
    return Evidence.objects.create(
        type="test",
        title=name,
        result=result,
        digest=digest,
        commit=commit,
        issued_at=at,
        received_at=at,
        url=f"https://ci.example.com/{name}",
    )


def test_every_named_test_must_have_passed(promotion: Promotion) -> None:
    digest = promotion.release.digests[0]
    tell("unit", "passed", digest=digest)
    outcome = ask(promotion, "unit", "integration")
    assert (outcome.verdict, outcome.reason) == (
        Verdict.WAITING, "No result yet: integration.",
    )  # fmt: skip
    tell("integration", "passed", digest=digest)
    outcome = ask(promotion, "unit", "integration")
    assert (outcome.verdict, outcome.reason) == (Verdict.OPEN, "Passed: unit, integration.")
    assert ("unit", "https://ci.example.com/unit") in outcome.evidence


def test_the_latest_result_of_a_test_counts(promotion: Promotion) -> None:
    digest = promotion.release.digests[0]
    tell("unit", "passed", digest=digest, ago=30)
    tell("unit", "failed", digest=digest, ago=20)
    assert ask(promotion, "unit").reason == "Failed: unit."
    assert ask(promotion, "unit").verdict == Verdict.CLOSED
    tell("unit", "passed", digest=digest, ago=10)
    tell("unit", "failed", digest=digest, ago=50)  # told of late, but older
    assert ask(promotion, "unit").verdict == Verdict.OPEN
    tell("unit", "", digest=digest, ago=5)
    assert ask(promotion, "unit").verdict == Verdict.OPEN


def test_of_another_digest_commit_kind_or_a_later_time_it_says_nothing(
    promotion: Promotion,
) -> None:
    digest = promotion.release.digests[0]
    tell("unit", "passed", digest="sha256:" + "e" * 64, commit=promotion.release.commit)
    tell("unit", "passed", commit="f" * 40)
    tell("unit", "passed", digest=digest, ago=-5)
    tell("unit", "passed", digest=digest)
    Evidence.objects.filter(pk=Evidence.objects.latest("pk").pk).update(type="scan")
    assert ask(promotion, "unit").verdict == Verdict.WAITING
    assert ask(promotion, "unit", at=NOW + timedelta(hours=1)).verdict == Verdict.OPEN


def test_the_result_of_the_commit_counts_where_the_digest_has_none(promotion: Promotion) -> None:
    tell("unit", "passed", commit=promotion.release.commit, ago=10)
    assert ask(promotion, "unit").verdict == Verdict.OPEN
    tell("unit", "failed", digest=promotion.release.digests[0], ago=20)
    assert ask(promotion, "unit").verdict == Verdict.CLOSED


def test_a_suite_is_known_by_its_name(promotion: Promotion) -> None:
    row = tell("", "passed", digest=promotion.release.digests[0])
    Evidence.objects.filter(pk=row.pk).update(details={"suite": "smoke"})
    assert ask(promotion, "smoke").verdict == Verdict.OPEN


def test_every_artifact_of_a_release_is_tested() -> None:
    service = make_service()
    artifacts = [make_artifact(service, name=name) for name in ("api", "jobs")]
    release = make_release(service, artifacts=artifacts)
    promotion = make_promotion(release, make_environments()["production"])
    tell("unit", "passed", digest=artifacts[0].digest)
    assert ask(promotion, "unit").reason == "No result yet: unit of jobs."
    release.artifacts.clear()
    assert ask(promotion, "unit").verdict == Verdict.CLOSED


def test_names_are_needed() -> None:
    assert list(GATE.problems_in({"names": ["unit"]})) == []
    for wrong in ({}, {"names": []}, {"names": "unit"}, {"names": [1]}, {"names": [" "]}):
        assert [key for key, _ in GATE.problems_in(wrong)] == ["names"], wrong
    assert [key for key, _ in GATE.problems_in({"names": ["unit"], "age": 1})] == ["age"]
