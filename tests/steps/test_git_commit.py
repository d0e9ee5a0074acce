"""The step git-commit on a real repository: one commit for all targets, once by its key."""

from pathlib import Path

import pytest

from promotion.exceptions import InputError
from promotion.models import Promotion
from promotion.rules.states import State
from promotion.steps.base import Outcome
from promotion.steps.known import STEPS
from tests.factories import (
    NOW,
    make_connection,
    make_environments,
    make_promotion,
    make_release,
    make_service,
)
from tests.parts.git_server import commit_elsewhere, make_bare_repository, read_branch, run_git
from tests.steps.contexts import make_context

pytestmark = [pytest.mark.needs_git, pytest.mark.django_db]

STEP = STEPS["git-commit"]
VALUES = "# {}\nimage:\n  digest: sha256:old # by promotions\n"
INPUTS = {"repository": "gitops", "path": "apps/eu-1.yaml", "set": {"image.digest": "sha256:new"}}


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    files = {f"apps/{name}.yaml": VALUES.format(name) for name in ("eu-1", "us-1")}
    files["apps/kustomization.yaml"] = "images:\n- name: app\n  newTag: v1\n"
    bare = make_bare_repository(tmp_path, files)
    make_connection("gitops", "git", str(bare))
    return bare


@pytest.fixture
def promotion() -> Promotion:
    release = make_release(make_service())
    return make_promotion(
        release, make_environments()["production"], state=State.RUNNING, started_at=NOW
    )


def test_the_value_is_committed_with_trailers_and_comments_stay(
    bare: Path, promotion: Promotion
) -> None:
    context = make_context(promotion, "git-commit", INPUTS)
    result = STEP.start(context)
    assert result.outcome is Outcome.SUCCEEDED
    assert read_branch(bare, "apps/eu-1.yaml") == VALUES.format("eu-1").replace("old", "new")
    assert run_git(bare, "rev-parse", "main").strip() == result.output["commit"]
    body = run_git(bare, "log", "-1", "--format=%B")
    assert body.splitlines()[0] == "Bring shipment-api 4.18.0 to production"
    assert f"Throughline-Promotion: {promotion.number}" in body
    assert f"Throughline-Key: {context.key}" in body
    assert f"Throughline-Digest: {promotion.release.digests[0]}" in body


def test_several_targets_are_one_commit(bare: Path, promotion: Promotion) -> None:
    each = [
        {**INPUTS, "path": f"apps/{target}.yaml", "target": target} for target in ("eu-1", "us-1")
    ]
    result = STEP.start(make_context(promotion, "git-commit", {"per_target": each}))
    assert result.output["paths"] == ["apps/eu-1.yaml", "apps/us-1.yaml"]
    assert run_git(bare, "rev-list", "--count", "main").strip() == "2"
    assert "sha256:new" in read_branch(bare, "apps/us-1.yaml")


def test_what_differs_between_targets_cannot_be_one_commit(
    bare: Path, promotion: Promotion
) -> None:
    each = [{**INPUTS, "branch": target, "target": target} for target in ("eu-1", "us-1")]
    with pytest.raises(InputError, match="branch"):
        STEP.start(make_context(promotion, "git-commit", {"per_target": each}))
    assert run_git(bare, "rev-list", "--count", "main").strip() == "1"


def test_a_repeat_after_others_committed_is_the_same_commit(
    bare: Path, promotion: Promotion
) -> None:
    context = make_context(promotion, "git-commit", INPUTS)
    first = STEP.start(context)
    commit_elsewhere(bare, {"apps/eu-1.yaml": VALUES.format("eu-1")}, "Revert by hand")
    again = STEP.start(context)
    assert again.outcome is Outcome.SUCCEEDED
    assert again.output["commit"] == first.output["commit"]
    assert not again.output["is_unchanged"]
    assert "sha256:old" in read_branch(bare, "apps/eu-1.yaml")


def test_nothing_to_change_is_success_with_the_commit_that_holds_it(
    bare: Path, promotion: Promotion
) -> None:
    head = run_git(bare, "rev-parse", "main").strip()
    inputs = {**INPUTS, "set": {"image.digest": "sha256:old"}}
    result = STEP.start(make_context(promotion, "git-commit", inputs))
    assert result.outcome is Outcome.SUCCEEDED
    assert result.output["commit"] == head
    assert result.output["is_unchanged"]


def test_a_kustomization_is_pinned_by_digest(bare: Path, promotion: Promotion) -> None:
    inputs = {
        "repository": "gitops",
        "path": "apps/kustomization.yaml",
        "kustomize": {"app": "sha256:new"},
    }
    STEP.start(make_context(promotion, "git-commit", inputs))
    assert (
        read_branch(bare, "apps/kustomization.yaml")
        == "images:\n- name: app\n  digest: sha256:new\n"
    )


def test_the_message_can_be_given(bare: Path, promotion: Promotion) -> None:
    STEP.start(make_context(promotion, "git-commit", {**INPUTS, "message": "Ship it"}))
    assert run_git(bare, "log", "-1", "--format=%s").strip() == "Ship it"


def test_a_connection_of_another_kind_is_refused(promotion: Promotion) -> None:
    make_connection("gitops", "http", "https://example.com")
    with pytest.raises(InputError, match="Git repository is needed"):
        STEP.start(make_context(promotion, "git-commit", INPUTS))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "repository"),
        ({"repository": "g", "path": "a.yaml"}, ""),
        ({**INPUTS, "path": "../a.yaml"}, "path"),
        ({**INPUTS, "path": "/a.yaml"}, "path"),
        ({**INPUTS, "path": "a.txt"}, "path"),
        ({**INPUTS, "set": ["a"]}, "set"),
        ({**INPUTS, "set": {"a": {"b": 1}}}, "set.a"),
        ({**INPUTS, "kustomize": {"a": 1}}, "kustomize.a"),
        ({**INPUTS, "sett": {}}, "sett"),
    ],
)
def test_bad_settings_are_named(settings: dict, key: str) -> None:
    assert key in [name for name, _ in STEP.problems_in(settings)]


def test_good_settings_have_no_problems() -> None:
    good = {**INPUTS, "path": "apps/{service}/{target}.yaml", "branch": "main"}
    assert list(STEP.problems_in(good)) == []
    assert STEP.describe(INPUTS) == "apps/eu-1.yaml in gitops"
    assert STEP.repeat_is_safe(INPUTS)
