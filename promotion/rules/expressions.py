"""Expressions over a promotion's facts, in the Common Expression Language (github.com/google/cel-spec).

The one place that knows the engine. Facts are declared with their types, so that a misspelt name or
a wrong comparison is found when the pipeline is checked. The engine gives errors back as values
that Python takes for true; here only exactly true is true and only exactly false is false.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promotion.exceptions import ThroughlineError

# Longer ones are no conditions any more. The engine bounds depth and iterations by itself.
LONGEST_SOURCE = 4096

# Every name that an expression may use, and its type in the language.
FACTS: Mapping[str, str] = {
    "promotion.number": "string",
    "promotion.kind": "string",
    "promotion.origin": "string",
    "promotion.environment": "string",
    "promotion.tier": "string",
    "promotion.stage": "string",
    "promotion.is_first": "bool",
    "service.name": "string",
    "service.team": "string",
    "release.version": "string",
    "release.commit": "string",
    "release.artifacts": "list(map(string, string))",
    "release.commits": "int",
    "release.authors": "int",
    "risk.score": "double",
    "risk.failures": "double",
    "risk.size": "double",
}


class ExpressionError(ThroughlineError):
    """The expression cannot be used; nothing was decided by it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an expression came to: true, false, or None where it cannot be told, and then why."""

    answer: bool | None
    why: str = ""


def problem_in(source: object) -> str | None:
    """What is wrong with an expression, in a sentence; None where it can be used."""
    try:
        _compile(source if isinstance(source, str) else "")
    except ExpressionError as error:
        return error.sentence
    return None


def tell(source: str, facts: Mapping[str, Any]) -> Told:
    """Evaluate an expression over the facts there are; one that needs another cannot be told.

    Facts that are None count as absent. Raises nothing: a broken expression cannot be told, either.
    """
    known = {name: value for name, value in facts.items() if name in FACTS and value is not None}
    try:
        value = _compile(source).eval(data=known)
        kind, plain = value.type().name(), value.value()
    except ExpressionError as error:
        return Told(None, error.sentence)
    except (RuntimeError, ValueError, TypeError) as error:  # such as a spent iteration budget
        return Told(None, f"It cannot be told: {_first_line(error)}.")
    if kind == "BOOL" and (plain is True or plain is False):
        return Told(plain)
    absent = [name for name in FACTS if name not in known and f'"{name}"' in str(plain)]
    if absent:
        return Told(None, f"It cannot be told: {absent[0]} is not known here.")
    return Told(None, f"It cannot be told: {_first_line(plain)}.")


@functools.lru_cache(maxsize=512)
def _compile(source: str) -> Any:
    """The checked expression, whose type is bool; raises ExpressionError."""
    if not source.strip():
        raise ExpressionError("An expression must be a text, such as 'risk.score < 0.8'.")
    if len(source.encode()) > LONGEST_SOURCE:
        raise ExpressionError(f"An expression has at most {LONGEST_SOURCE} bytes; shorten it.")
    environment, truth = _load_engine()
    try:
        compiled = environment.compile(source)
    except (RuntimeError, ValueError) as error:
        raise ExpressionError(f"The expression cannot be used: {_first_line(error)}.") from error
    if compiled.return_type() != truth:
        kind = compiled.return_type().name().lower()
        raise ExpressionError(f"The expression gives {kind} where true or false is needed.")
    return compiled


@functools.cache
def _load_engine() -> tuple[Any, Any]:
    """The engine with every fact declared, and its type for true and false; raises ExpressionError."""
    try:
        from cel_expr_python import cel  # type: ignore[import-untyped]
    except ImportError as error:  # built for Linux alone
        raise ExpressionError(
            "Expressions cannot be evaluated on this machine: the package cel-expr-python is not"
            " there. Run Throughline on Linux, or leave expressions out of the pipeline."
        ) from error
    kinds = cel.Type
    types = {
        "string": kinds.STRING,
        "bool": kinds.BOOL,
        "int": kinds.INT,
        "double": kinds.DOUBLE,
        "list(map(string, string))": kinds.List(kinds.Map(kinds.STRING, kinds.STRING)),
    }
    variables = {name: types[kind] for name, kind in FACTS.items()}
    return cel.NewEnv(variables=variables), kinds.BOOL


def _first_line(error: object) -> str:
    """What the engine says, without its marks and the drawing of where."""
    said = str(error).partition("\n")[0]
    for mark in ("INVALID_ARGUMENT: ", "ERROR: <input>:", "UNKNOWN: ", "INTERNAL: "):
        said = said.removeprefix(mark)
    said = said.removesuffix("(in container '')").strip()
    if "(double, int)" in said or "(int, double)" in said:
        said += " (write both as whole numbers or both with a point, as 1.0)"
    return said.rstrip(".")
