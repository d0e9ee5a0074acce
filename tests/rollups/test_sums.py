"""Packed sums: what goes in comes out, sums add up, and percentiles of bins are near enough."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.rollups.packing import Counting, Table, add_tables, bin_table, pack, unpack
from metrics.rollups.tallies import Durations, curve_of, tally_days
from metrics.statistics import kaplan_meier, measure_percentile

FIRST = date(2026, 1, 1)
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
hours = st.floats(0, 20_000, allow_nan=False)
units = st.lists(
    st.tuples(
        st.integers(0, 364),
        st.dictionaries(st.sampled_from(("n", "good", "part:in dev")), st.integers(0, 10**12)),
        st.dictionaries(st.sampled_from(("hours", "hotfix")), hours),
    ),
    max_size=30,
)


def count(found) -> Table:
    counting = Counting()
    for day, counts, values in found:
        counting.add(FIRST + timedelta(days=day), counts, values)
    return counting.table()


def tell(table: Table):
    """All that a table holds, in an order of its own."""
    counts = {
        (int(day), name): int(table.counts[row, column])
        for row, day in enumerate(table.days)
        for column, name in enumerate(table.columns)
        if table.counts[row, column]
    }
    values = {name: (d.tolist(), v.tolist()) for name, (d, v) in table.values.items()}
    binned = {
        name: (each.days.tolist(), each.bins.tolist(), each.n.tolist())
        for name, each in table.binned.items()
    }
    return counts, values, binned


@patiently
@given(units)
def test_what_is_packed_comes_out_again(found):
    for table in (count(found), bin_table(count(found))):
        assert tell(unpack(pack(table))) == tell(table)


@patiently
@given(units, units)
def test_sums_add_up_and_what_is_taken_out_is_gone(one, other):
    both = add_tables([(count(one), 1), (count(other), 1)])

    assert tell(both) == tell(add_tables([(count([*one, *other]), 1)]))
    assert tell(add_tables([(both, 1), (count(other), -1)])) == tell(add_tables([(count(one), 1)]))
    assert add_tables([(both, 1), (both, -1)]).is_empty


@patiently
@given(st.lists(hours, min_size=30, max_size=80))
def test_percentiles_of_bins_are_within_one_per_cent(found):
    table = bin_table(count([(0, {"n": 1}, {"hours": value}) for value in found]))
    (tally,) = tally_days([table], (FIRST, FIRST + timedelta(days=1)), ("hours",))

    binned, exact = tally.hours("hours"), sorted(found)

    assert not binned.is_exact
    for q in (0.5, 0.75, 0.9):
        near, wanted = measure_percentile(binned, q), measure_percentile(exact, q)
        assert near.value == pytest.approx(wanted.value, rel=0.01, abs=1e-6)
        for side in ("low", "high"):
            bound, right = getattr(near.interval, side), getattr(wanted.interval, side)
            assert (bound is None) == (right is None)
            assert bound is None or bound == pytest.approx(right, rel=0.01, abs=1e-6)


@patiently
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40))
def test_a_curve_of_counts_is_that_of_single_durations(spans):
    events, censored = (
        Durations(np.sort(np.array([float(h) for h, is_over in spans if is_over is wanted])))
        for wanted in (True, False)
    )

    found, right = curve_of(events, censored), kaplan_meier([(float(h), e) for h, e in spans])

    assert (found.times, found.n) == (right.times, right.n)
    assert found.remaining == pytest.approx(right.remaining)
