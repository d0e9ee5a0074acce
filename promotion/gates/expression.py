"""The expression gate: a condition over the promotion's facts is exactly true."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from promotion.rules.expressions import problem_in, tell

from .base import GateContext, GateOutcome, Verdict
from .facts import facts_of

LONGEST_SHOWN = 200
FRESH_FOR = timedelta(minutes=2)


class ExpressionGate:
    """Open when `if` is exactly true; closed when it is false and also when it cannot be told."""

    kind = "expression"
    title = "Expression"
    is_costly = False

    def problems_in(self, settings: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """`if` is the only setting, and needed; it is compiled against the facts there are."""
        for key in settings:
            if key != "if":
                yield key, f"The expression gate has no setting {key}."
        problem = problem_in(settings.get("if"))
        if problem is not None:
            yield "if", problem

    def evaluate(self, context: GateContext) -> GateOutcome:
        """Open or closed; the reason names the expression and, where it cannot be told, the fact that lacks."""
        source = str(context.settings.get("if", ""))
        shown = " ".join(source.split())
        shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
        told = tell(source, facts_of(context.promotion, context.at))
        if told.answer is True:
            return GateOutcome(Verdict.OPEN, f"It is true that {shown}", fresh_for=FRESH_FOR)
        said = "is false." if told.answer is False else f"is not true. {told.why}"
        return GateOutcome(Verdict.CLOSED, f"{shown} {said}", fresh_for=FRESH_FOR)
