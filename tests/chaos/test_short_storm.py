"""A short storm; the whole one is `python -m tests.chaos` (docs/how-to/break-the-engine.md)."""

from pathlib import Path

import pytest

from tests.chaos.run import run_storm

pytestmark = [pytest.mark.needs_redis, pytest.mark.needs_git]


@pytest.mark.django_db(transaction=True)
def test_everything_breaks_and_each_effect_happens_once_and_all_is_on_record(
    tmp_path: Path,
) -> None:
    report = run_storm(tmp_path, promotions=25, workers=3, seed=7, every=1.5, patience=240)
    assert report.faults == [], report.figures
    assert report.figures["harm"], report.figures
