"""What the facts say of each statement: figures as pure functions, held to the model's thresholds."""

from .facts import CheckFacts
from .measuring import measure_statement, measure_statements
from .results import CheckFinding, Counterexample, FigureValue, Page
from .windows import CheckWindow

__all__ = [
    "CheckFacts",
    "CheckFinding",
    "CheckWindow",
    "Counterexample",
    "FigureValue",
    "Page",
    "measure_statement",
    "measure_statements",
]
