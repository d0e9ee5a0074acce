import pytest
from datetime import timedelta
from metrics.actions.refresh_facts import refresh_stale, find_stale
from metrics.rollups.checking import find_differences
from metrics.models import *
from tests.factories import NOW
from tests.pages.test_measure_pages import deliver, LATER
pytestmark = pytest.mark.django_db

def test_smoke():
    deliver("a"); deliver("b", team="other")
    print(find_stale(LATER), StaleService.objects.count())
    refresh_stale(LATER)
    print(ExecutionFact.objects.count(), IntentFact.objects.count(), SpanFact.objects.count(), TraceFact.objects.count(), Rollup.objects.count())
    assert list(find_differences(LATER)) == []
    deliver("a", count=8)
    assert find_stale(LATER)
    assert list(find_differences(LATER))
    refresh_stale(LATER)
    assert list(find_differences(LATER)) == []
    assert not find_stale(LATER)
