"""A model file read and checked; every error names its line."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from metrics.maturity.document import Entry, Section, read_document
from metrics.maturity.model import (
    Better,
    Category,
    Check,
    CoverageUnit,
    Level,
    MaturityModel,
    Statement,
    Unit,
    Window,
)
from metrics.maturity.values import Answer, Kind, Rule, scale_of
from promotion.exceptions import InputError

SHIPPED_MODEL = Path(__file__).with_name("artifact-promotion.yaml")

_ID = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*")
# The file uses words: bare N, no and true would be read as something else by other YAML tools.
_ANSWER_WORDS = {
    "not": Answer.NOT,
    "partly": Answer.PARTLY,
    "largely": Answer.LARGELY,
    "fully": Answer.FULLY,
    "still_true": Answer.STILL_TRUE,
    "sometimes": Answer.SOMETIMES,
    "no_longer": Answer.NO_LONGER,
}
_WORDS = {answer: word for word, answer in _ANSWER_WORDS.items()}
_NOTHING: frozenset[str] = frozenset()
_MODEL_KEYS = frozenset(
    {
        "id",
        "version",
        "title",
        "purpose",
        "rule",
        "window",
        "not_applicable_days",
        "categories",
        "levels",
        "statements",
    }
)
_STATEMENT_KEYS = frozenset(
    {
        "id",
        "title",
        "text",
        "category",
        "level",
        "kind",
        "why",
        "coverage_unit",
        "examples",
        "evidence",
    }
)
_STATEMENT_OPTIONS = frozenset({"caps_at", "superseded_by", "shown_by", "na_allowed", "check"})
_CHECK_OPTIONS = frozenset({"unit", "better", "parameters", "evidence_too", "fully_when_none_in"})


@cache
def load_shipped_model() -> MaturityModel:
    """Return the model that comes with the product, read once per process."""
    return load_model(SHIPPED_MODEL)


def load_model(path: Path) -> MaturityModel:
    """Return the model of a YAML file; InputError with line and key when it cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}). No model was loaded; name a YAML file in UTF-8."
        ) from error
    return parse_model(text)


def parse_model(text: str) -> MaturityModel:
    """Return the model of a YAML text; InputError with line and key when it cannot be used."""
    section = read_document(text).read_mapping(_MODEL_KEYS, _NOTHING)
    categories = tuple(_read_category(entry) for entry in section["categories"].read_list())
    levels = tuple(_read_level(entry) for entry in section["levels"].read_list())
    entries = section["statements"].read_list()
    statements = tuple(_read_statement(entry) for entry in entries)
    model = MaturityModel(
        id=_read_id(section["id"]),
        version=section["version"].read_text(),
        title=section["title"].read_text(),
        purpose=section["purpose"].read_text(),
        rule=Rule(_read_choice(section["rule"], Rule)),
        window=_read_window(section["window"]),
        not_applicable_days=section["not_applicable_days"].read_whole_number(),
        categories=categories,
        levels=levels,
        statements=statements,
    )
    _check_levels(section["levels"], levels)
    _check_unique(section["categories"], (category.id for category in categories))
    _check_unique(section["statements"], (statement.id for statement in statements))
    for entry, statement in zip(entries, statements, strict=True):
        _check_statement(entry, statement, model)
    _check_cells(section["statements"], model)
    return model


def _read_id(entry: Entry) -> str:
    text = entry.read_text()
    if not _ID.fullmatch(text):
        raise entry.refuse(
            f"{text!r} is no id; use lower-case letters and digits, joined by dots or hyphens."
        )
    return text


def _read_choice(entry: Entry, choices: Iterable[str]) -> str:
    text = entry.read_text()
    known = [str(choice) for choice in choices]
    if text not in known:
        raise entry.refuse(f"{text!r} is not known here; known are {', '.join(known)}.")
    return text


def _read_category(entry: Entry) -> Category:
    section = entry.read_mapping(frozenset({"id", "title", "asks"}), _NOTHING)
    return Category(
        _read_id(section["id"]), section["title"].read_text(), section["asks"].read_text()
    )


def _read_level(entry: Entry) -> Level:
    section = entry.read_mapping(frozenset({"number", "title", "means"}), _NOTHING)
    return Level(
        section["number"].read_whole_number(),
        section["title"].read_text(),
        section["means"].read_text(),
    )


def _read_window(entry: Entry) -> Window:
    keys = frozenset({"days", "promotions", "production_deployments"})
    section = entry.read_mapping(keys, _NOTHING)
    days = tuple(day.read_whole_number() for day in section["days"].read_list())
    if list(days) != sorted(set(days)) or days[0] == 0:
        raise section["days"].refuse("each window must be longer than the one before.")
    return Window(
        days,
        section["promotions"].read_whole_number(),
        section["production_deployments"].read_whole_number(),
    )


def _read_statement(entry: Entry) -> Statement:
    section = entry.read_mapping(_STATEMENT_KEYS, _STATEMENT_OPTIONS)
    kind = Kind(_read_choice(section["kind"], Kind))
    na_allowed = section.get("na_allowed")
    caps_at = section.get("caps_at")
    superseded_by = section.get("superseded_by")
    shown_by = section.get("shown_by")
    check = section.get("check")
    return Statement(
        id=_read_id(section["id"]),
        title=section["title"].read_text(),
        text=section["text"].read_text(),
        category=section["category"].read_text(),
        level=section["level"].read_whole_number(),
        kind=kind,
        why=section["why"].read_text(),
        coverage_unit=CoverageUnit(_read_choice(section["coverage_unit"], CoverageUnit)),
        na_allowed=na_allowed.read_truth() if na_allowed else True,
        caps_at=caps_at.read_whole_number() if caps_at else None,
        superseded_by=superseded_by.read_text() if superseded_by else None,
        shown_by=shown_by.read_text() if shown_by else None,
        check=_read_check(check, kind) if check else None,
        examples=_read_examples(section["examples"], kind),
        evidence=section["evidence"].read_texts(),
    )


def _read_examples(entry: Entry, kind: Kind) -> dict[Answer, str]:
    words = [_WORDS[answer] for answer in scale_of(kind)]
    section = entry.read_mapping(frozenset(words), _NOTHING)
    return {_ANSWER_WORDS[word]: section[word].read_text() for word in words}


def _read_check(entry: Entry, kind: Kind) -> Check:
    section = entry.read_mapping(frozenset({"says", "figures", "thresholds"}), _CHECK_OPTIONS)
    unit, better = section.get("unit"), section.get("better")
    parameters = section.get("parameters")
    evidence_too = section.get("evidence_too")
    none_in = section.get("fully_when_none_in")
    direction = Better(_read_choice(better, Better)) if better else Better.HIGHER
    return Check(
        says=section["says"].read_text(),
        figures=section["figures"].read_texts(),
        unit=Unit(_read_choice(unit, Unit)) if unit else Unit.PERCENT,
        better=direction,
        thresholds=_read_thresholds(section, kind, direction),
        parameters=parameters.read_numbers_by_name() if parameters else {},
        evidence_too=evidence_too.read_truth() if evidence_too else False,
        fully_when_none_in=none_in.read_whole_number() if none_in else None,
    )


def _read_thresholds(section: Section, kind: Kind, better: Better) -> dict[Answer, int]:
    entry = section["thresholds"]
    if kind is Kind.SYMPTOM:
        words = ["still_true", "no_longer"]
        limits = entry.read_mapping(frozenset(words), _NOTHING)
    else:
        words = ["partly", "largely", "fully"]
        limits = entry.read_mapping(frozenset({"fully"}), frozenset(words))
        if better is Better.LOWER:
            raise section["better"].refuse("a practice is better the higher its figure is.")
    thresholds = {
        _ANSWER_WORDS[word]: limits[word].read_whole_number() for word in words if word in limits
    }
    steps = list(thresholds.values())
    if steps != sorted(set(steps), reverse=better is Better.LOWER):
        raise entry.refuse("each better answer must ask for more than the one before.")
    return thresholds


def _check_levels(entry: Entry, levels: tuple[Level, ...]) -> None:
    numbers = [level.number for level in levels]
    if numbers != list(range(1, len(levels) + 1)) or len(levels) < 2:
        raise entry.refuse("levels are numbered 1, 2, 3 and so on, at least two of them.")


def _check_unique(entry: Entry, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for item, identifier in zip(entry.read_list(), ids, strict=True):
        if identifier in seen:
            raise item.refuse(f"the id {identifier!r} is there twice.")
        seen.add(identifier)


def _check_statement(entry: Entry, statement: Statement, model: MaturityModel) -> None:
    section = entry.read_mapping(_STATEMENT_KEYS, _STATEMENT_OPTIONS)
    if statement.category not in {category.id for category in model.categories}:
        raise section["category"].refuse(f"there is no category {statement.category!r}.")
    if not 1 <= statement.level <= model.top_level:
        raise section["level"].refuse(f"there is no level {statement.level}.")
    if not statement.is_symptom and statement.level == 1:
        raise section["level"].refuse("level 1 is the floor; only symptoms belong there.")
    _check_only_for(section, "caps_at", statement.kind, Kind.SYMPTOM)
    _check_only_for(section, "superseded_by", statement.kind, Kind.STEPPING_STONE)
    if statement.caps_at is not None and not 1 <= statement.caps_at < model.top_level:
        raise section["caps_at"].refuse(f"a cap lies between 1 and {model.top_level - 1}.")
    if statement.shown_by is not None and not statement.is_symptom:
        raise section["shown_by"].refuse("only a symptom can be shown to be over by a practice.")
    for key, other in (
        ("superseded_by", statement.superseded_by),
        ("shown_by", statement.shown_by),
    ):
        if other is not None:
            _check_reference(section[key], statement, other, model)


def _check_only_for(section: Section, key: str, kind: Kind, owner: Kind) -> None:
    if kind is owner and key not in section:
        raise section.entry.refuse(f"a {owner.replace('_', ' ')} needs {key!r}.")
    if kind is not owner and key in section:
        raise section[key].refuse(f"{key!r} belongs to a {owner.replace('_', ' ')} only.")


def _check_reference(entry: Entry, statement: Statement, other: str, model: MaturityModel) -> None:
    if not model.has_statement(other):
        raise entry.refuse(f"there is no statement {other!r}.")
    target = model.get_statement(other)
    if target.kind is not Kind.PRACTICE or target.level <= statement.level:
        raise entry.refuse(f"{other!r} must be a practice of a higher level.")


def _check_cells(entry: Entry, model: MaturityModel) -> None:
    held = {(one.category, one.level) for one in model.statements if not one.is_symptom}
    for category in model.categories:
        for level in model.levels[1:]:
            if (category.id, level.number) not in held:
                raise entry.refuse(
                    f"{category.id} has no practice at level {level.number}, so nobody could "
                    "reach it."
                )
