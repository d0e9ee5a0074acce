"""The level derived again from a pack alone, line by line beside what the pack says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from metrics.maturity.levels import LevelResult, derive_levels
from metrics.maturity.loading import SHIPPED_MODEL, load_shipped_model, parse_model
from metrics.maturity.model import MaturityModel
from metrics.maturity.values import Answer, Measured, Rule
from promotion.exceptions import InputError

from .claims import Claim, compare_claim, read_claim
from .contents import (
    ASSESSMENT,
    CLAIMS,
    FORMAT,
    MANIFEST,
    MODEL,
    PackError,
    find_changed,
    hash_part,
    read_json,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing compared; `agrees` None: said, and not compared."""

    text: str
    agrees: bool | None = True


def recompute_pack(parts: Mapping[str, bytes], told: str | None = None) -> Iterator[Line]:
    """A line for each part, claim and level; the last one names the verified level.

    `told` is the hash of the manifest (SHA-256, hex, perhaps with `sha256:`) as it was told.

    What cannot be read ends it with a line that does not agree. It needs nothing but the pack:
    the model comes with it, and is held to the one shipped where that has the same version.
    """
    try:
        yield from _recompute(parts, told)
    except (PackError, InputError) as error:
        yield Line(f"The pack cannot be used: {error}.", agrees=False)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        yield Line(
            f"The pack is not of the form it should have ({type(error).__name__}: {error}).",
            agrees=False,
        )


def _recompute(parts: Mapping[str, bytes], told: str | None) -> Iterator[Line]:
    manifest = read_json(parts, MANIFEST)
    if manifest.get("format") != FORMAT:
        raise PackError(f"its format is {manifest.get('format')!r}, read here is {FORMAT!r}")
    digest = hash_part(parts[MANIFEST])
    yield Line(
        f"Manifest sha256:{digest}",
        None if told is None else told.strip().lower().removeprefix("sha256:") == digest,
    )
    changed = find_changed(parts, manifest)
    for problem in changed:
        yield Line(problem, agrees=False)
    if not changed:
        yield Line(f"{len(manifest['parts'])} parts have the hashes that are listed")
    assessment = read_json(parts, ASSESSMENT)
    model = _read_model(parts)
    yield from _compare_model(model, assessment, parts)
    claims = [
        read_claim(model, read_json(parts, name)) for name in sorted(parts) if _is_claim(name)
    ]
    result = _derive(model, assessment, claims)
    for claim in claims:
        agrees, text = compare_claim(claim, result.get_rating(claim.statement.id))
        yield Line(text, agrees)
    yield from _compare_levels(result, assessment["result"])


def _is_claim(name: str) -> bool:
    return name.startswith(CLAIMS)


def _read_model(parts: Mapping[str, bytes]) -> MaturityModel:
    if MODEL not in parts:
        raise PackError(f"{MODEL} is missing")
    try:
        return parse_model(parts[MODEL].decode("utf-8"))
    except UnicodeDecodeError as error:
        raise PackError(f"{MODEL} is not UTF-8") from error


def _compare_model(
    model: MaturityModel, assessment: Mapping[str, Any], parts: Mapping[str, bytes]
) -> Iterator[Line]:
    said = assessment["model"]
    name = f"{model.id} {model.version}"
    yield Line(
        f"Model {name}; the assessment was made with {said['id']} {said['version']}",
        (said["id"], said["version"]) == (model.id, model.version),
    )
    shipped = load_shipped_model()
    if (shipped.id, shipped.version) != (model.id, model.version):
        yield Line(
            f"Model version not known: {name} does not come with this installation"
            f" ({shipped.id} {shipped.version}), so nothing vouches for the one in the pack."
            " Get it from who published it and compare",
            agrees=False,
        )
        return
    is_same = SHIPPED_MODEL.read_bytes() == parts[MODEL]
    yield Line(
        f"The model in the pack is {'' if is_same else 'not '}the {name} shipped here", is_same
    )


def _derive(
    model: MaturityModel, assessment: Mapping[str, Any], claims: list[Claim]
) -> LevelResult:
    claimed: dict[str, Answer] = {}
    measured: dict[str, Measured] = {}
    evidence: set[str] = set()
    for claim in claims:
        key = claim.statement.id
        claimed[key] = claim.counted
        if claim.measured is not None:
            measured[key] = claim.measured
        if claim.is_proven:
            evidence.add(key)
    return derive_levels(model, claimed, measured, evidence, Rule(assessment["result"]["rule"]))


def _compare_levels(result: LevelResult, said: Mapping[str, Any]) -> Iterator[Line]:
    for word, levels in (("claimed", result.claimed), ("verified", result.verified)):
        for category, level in levels.categories.items():
            frozen = said[word]["categories"].get(category)
            yield _compare(f"{category}, {word}", level, frozen)
    yield _compare("binding", list(result.binding), said["binding"])
    have, of = result.confidence.have, result.confidence.of
    yield _compare("confidence", {"have": have, "of": of}, said["confidence"])
    yield _compare("provisional", result.provisional, said["provisional"])
    yield _compare("overall level, claimed", result.claimed.overall, said["claimed"]["overall"])
    yield _compare("overall level, verified", result.verified.overall, said["verified"]["overall"])


def _compare(what: str, found: Any, said: Any) -> Line:
    if found == said:
        return Line(f"{what}: {_tell(found)}")
    return Line(f"{what}: {_tell(found)} by recomputing, {_tell(said)} in the pack", agrees=False)


def _tell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict) and set(value) == {"have", "of"}:
        return f"{value['have']} of {value['of']}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
