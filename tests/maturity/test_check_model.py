"""Before another version of the standard holds, it is said whose levels it would change, and why."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

import metrics.maturity.loading as loading
from metrics.actions.agree import agree, submit
from metrics.actions.assess import Given, save_answer, start_assessment
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.values import Answer
from metrics.maturity.versions import Standing, map_standing
from promotion.models import Role
from tests.factories import NOW, make_person, make_team

SHIPPED = Path(loading.__file__).with_name("artifact-promotion.yaml")
MODEL = load_shipped_model()


def tell(path: Path) -> str:
    out = StringIO()
    call_command("check_model", str(path), stdout=out)
    return out.getvalue()


def test_the_same_model_gives_the_same_levels_and_drops_nothing():
    claimed = {one.id: one.scale[-1] for one in MODEL.statements}
    mapped = map_standing(MODEL, Standing(claimed, {}, {}, set(claimed)))
    assert mapped.result.verified.overall == MODEL.top_level
    assert (mapped.dropped, mapped.unanswered) == ((), ())


def test_an_answer_to_a_statement_that_is_gone_is_named():
    mapped = map_standing(MODEL, Standing({"people.9.gone": Answer.FULLY}, {}, {}, {"x.1.y"}))
    assert mapped.dropped == ("people.9.gone",)
    assert len(mapped.unanswered) == len(MODEL.statements)


@pytest.mark.django_db
def test_a_file_that_asks_anew_lowers_levels_and_says_why(tmp_path):
    team = make_team("shipping")
    ines = make_person("ines", Role.RELEASE_MANAGER, team=team)
    started = start_assessment(team, person=ines, at=NOW)
    for one in MODEL.statements:
        save_answer(started.pk, Given(one.id, one.scale[-1]), person=ines, at=NOW)
    submit(started.pk, person=ines, at=NOW)
    agree(started.pk, person=ines, at=NOW)
    text = SHIPPED.read_text()
    changed = tmp_path / "next.yaml"
    changed.write_text(text.replace("process.2.reuse-guidelines", "process.2.written-guidelines"))

    assert "the levels of 0 of 1 teams would change" in tell(SHIPPED)
    told = tell(changed)
    assert "Shipping: process claimed 5 -> 1. Level 2 needs Largely" in told
    assert "not asked any more: process.2.reuse-guidelines" in told
    assert "the levels of 1 of 1 teams would change. Nothing was changed." in told
    changed.write_text("levels: 5")
    with pytest.raises(CommandError, match="Line"):
        tell(changed)
