"""manage.py pipeline check FILE and pipeline apply FILE."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from promotion.models import Environment, Membership, PipelineVersion, Role, Service, Team, User

pytestmark = pytest.mark.django_db

GOOD = "service: shop\nstages:\n  - name: live\n    environment: live\n"


@pytest.fixture(autouse=True)
def shop() -> Service:
    Environment.objects.create(slug="live", name="Live", tier="production")
    return Service.objects.create(
        slug="shop", team=Team.objects.create(slug="retail", name="Retail")
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text(GOOD)
    return path


def test_check_says_that_a_good_file_can_be_applied_and_applies_nothing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("pipeline", "check", str(file))
    assert capsys.readouterr().out == f"{file}: the pipeline of shop can be applied.\n"
    assert not PipelineVersion.objects.exists()


@pytest.mark.parametrize("verb", ["check", "apply"])
def test_each_problem_is_a_line_with_file_line_key_and_sentence(
    verb: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(GOOD + "    mode: off\n    auto: 1\n")
    with pytest.raises(SystemExit) as caught:
        call_command("pipeline", verb, str(file))
    assert caught.value.code == 1
    assert capsys.readouterr().out.splitlines() == [
        f'{file}:5 stages[0].mode This must be one of enforce, observe, not "off".',
        f'{file}:6 stages[0].auto This must be true or false, not "1".',
    ]
    assert not PipelineVersion.objects.exists()


def test_apply_says_which_version_it_made_and_when_it_made_none(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("pipeline", "apply", str(file))
    call_command("pipeline", "apply", str(file))
    assert capsys.readouterr().out.splitlines() == [
        f"{file}: is now version 1 of the pipeline of shop.",
        f"{file}: says the same as version 1 of the pipeline of shop.",
    ]


def test_warnings_are_printed_and_stop_nothing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(GOOD + "    approvals: [{name: managers}]\n")
    call_command("pipeline", "apply", str(file))
    assert "warning: Stage live: the rule managers needs 1" in capsys.readouterr().out
    assert PipelineVersion.objects.count() == 1


def test_apply_in_the_name_of_a_person(file: Path) -> None:
    person = User.objects.create(username="petra")
    with pytest.raises(CommandError, match="may not change pipelines"):
        call_command("pipeline", "apply", str(file), user="petra")
    Membership.objects.create(user=person, role=Role.PLATFORM_ENGINEER)
    call_command("pipeline", "apply", str(file), user="petra")
    assert PipelineVersion.objects.get().applied_by == person
    with pytest.raises(CommandError, match="no active person"):
        call_command("pipeline", "apply", str(file), user="nobody")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_ends_with_2(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        call_command("pipeline", "check", str(file))
    assert caught.value.returncode == 2
