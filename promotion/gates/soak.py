"""The soak gate: the release has run long enough upstream."""

from collections.abc import Iterable, Mapping
from typing import Any

from promotion.exceptions import InputError
from promotion.formats import format_span
from promotion.rules.availability import find_current_run, find_longest_run
from promotion.rules.durations import parse_duration

from .base import GateContext, GateOutcome, Verdict
from .runs import release_name, runs_in, soak_of


class SoakGate:
    """Open when, in each upstream environment, the longest run lasted `for`."""

    kind = "soak"
    title = "Soak time"
    is_costly = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """`for` is the only setting, and needed."""
        problems = [
            (key, f"The soak gate has no setting {key}.") for key in settings if key != "for"
        ]
        try:
            parse_duration(str(settings.get("for", "")))
        except InputError as error:
            problems.append(("for", error.sentence))
        return problems

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Waiting while it runs there, closed when it does not; `earliest` when the last upstream will be done."""
        needed = soak_of(context.settings)
        release = context.promotion.release
        name = release_name(release.pk, release.version)
        said, earliest, closed = [], context.at, False
        for upstream in context.form.upstream_of(context.stage):
            place = upstream.environment
            runs = runs_in(release.service, place, context.at)
            longest = find_longest_run(runs, name, context.at)
            began = find_current_run(runs, name, context.at)
            ran = (
                f"{format_span(longest)} in {place}" if longest is not None else f"never in {place}"
            )
            if longest is not None and longest >= needed:
                said.append(f"{ran}, {format_span(needed)} asked.")
            elif began is not None:
                earliest = max(earliest, began + needed)
                said.append(f"{ran} of {format_span(needed)} asked; it still runs there.")
            else:
                closed = True
                said.append(f"{ran} of {format_span(needed)} asked, and it does not run there now.")
        reason = " ".join(said) or "There is no upstream to soak in."
        if closed:
            return GateOutcome(Verdict.CLOSED, reason)
        if earliest > context.at:
            return GateOutcome(Verdict.WAITING, reason, earliest=earliest)
        return GateOutcome(Verdict.OPEN, reason)
