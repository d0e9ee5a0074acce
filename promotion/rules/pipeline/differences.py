"""What differs between two pipelines by meaning: stages, gates, rules and steps rather than lines."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# The lists of a stage whose entries have a name of their own, and what people call one of them.
NAMED = {"approvals": "approval rule", "ask": "asked field"}
KINDS = {"gates": "gate", "steps": "step"}
WHOLE = ("availability", "mode", "queue", "expires", "require_build", "auto", "distinct")


def tell_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """Each difference of two normal forms (`pipeline_document`) in a sentence, in the new one's order.

    Empty where they mean the same, however they are written.
    """
    return tuple(_tell(old, new))


def _tell(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key, words in (("version", "version pattern"), ("artifacts", "artifacts")):
        yield from _value(f"The {words}", old.get(key), new.get(key))
    yield from _settings("repository", "", old.get("repositories"), new.get("repositories"))
    before = {stage["name"]: stage for stage in old.get("stages", ())}
    after = {stage["name"]: stage for stage in new.get("stages", ())}
    yield from (f"Stage {name} is removed." for name in before if name not in after)
    for name, stage in after.items():
        if name not in before:
            yield f"Stage {name} is added, into {stage['environment']}{_after(stage)}."
        else:
            yield from _stage(name, before[name], stage)
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        yield f"The stages stand in another order: {', '.join(after)}."


def _after(stage: Mapping[str, Any]) -> str:
    return f" after {' and '.join(stage['after'])}" if stage.get("after") else ""


def _stage(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    of = f"Stage {name}"
    for key in ("environment", "after", *WHOLE):
        yield from _value(f"{of}: {key.replace('_', ' ')}", old.get(key), new.get(key))
    yield from _lists(of, "", old, new)
    for kind in ("allow", "deny"):
        yield from _windows(of, kind, _part(old, "windows", kind), _part(new, "windows", kind))
    yield from _value(
        f"{of}: strategy", _part(old, "rollout", "strategy"), _part(new, "rollout", "strategy")
    )
    yield from _value(f"{of}: waves", _waves(old), _waves(new))
    yield from _value(f"{of}: on failure", old.get("on_failure"), new.get("on_failure"))
    back, forth = old.get("rollback") or {}, new.get("rollback") or {}
    yield from _lists(of, "rollback ", back, forth)
    yield from _value(
        f"{of}: freezes hold rollbacks", back.get("freezes_apply"), forth.get("freezes_apply")
    )
    for key, words in (("break_glass", "break-glass"), ("reverify", "verified again")):
        yield from _settings(words, of, old.get(key), new.get(key))


def _part(stage: Mapping[str, Any], *keys: str) -> Any:
    found: Any = stage
    for key in keys:
        found = (found or {}).get(key)
    return found


def _waves(stage: Mapping[str, Any]) -> list[str]:
    return [
        " ".join(wave["targets"]) + (f" then {wave['pause']}" if wave.get("pause") else "")
        for wave in _part(stage, "rollout", "waves") or ()
    ]


def _lists(of: str, prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key, noun in {**KINDS, **NAMED}.items():
        before = _keyed(old.get(key) or (), key in NAMED)
        after = _keyed(new.get(key) or (), key in NAMED)
        noun = prefix + noun
        yield from (f"{of}: {noun} {one} is removed." for one in before if one not in after)
        yield from (f"{of}: {noun} {one} is added." for one in after if one not in before)
        shared = [one for one in before if one in after]
        for one in shared:
            yield from _settings(f"{noun} {one}", of, before[one], after[one])
        # Gates are all asked; only steps are done one after the other.
        if key == "steps" and shared != [one for one in after if one in before]:
            yield f"{of}: the steps are done in another order: {', '.join(after)}."


def _keyed(entries: Sequence[Mapping[str, Any]], is_named: bool) -> dict[str, Mapping[str, Any]]:
    """By name, or by kind; the second of a kind is called so."""
    found, seen = {}, Counter[str]()
    for entry in entries:
        if is_named:
            name, settings = str(entry["name"]), entry
        else:
            name, settings = next(iter(entry.items()))
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} no. {seen[name]}"] = settings
    return found


def _windows(of: str, kind: str, old: Any, new: Any) -> Iterator[str]:
    before, after = [_window(one) for one in old or ()], [_window(one) for one in new or ()]
    word = "allowed" if kind == "allow" else "denied"
    yield from (f"{of}: {word} window {one} is removed." for one in before if one not in after)
    yield from (f"{of}: {word} window {one} is added." for one in after if one not in before)


def _window(window: Mapping[str, Any]) -> str:
    rule = f"{window['rrule']} " if window.get("rrule") else ""
    length = f" for {window['duration']}" if window.get("duration") else " without an end"
    return f"{rule}from {window['start'][:16].replace('T', ' ')}{length} ({window['zone']})"


def _settings(what: str, of: str, old: Any, new: Any) -> Iterator[str]:
    """Key by key; a change of several keys is several sentences."""
    before, after = old or {}, new or {}
    lead = f"{of}: {what}" if of else f"The {what}"
    for key in dict.fromkeys([*before, *after]):
        yield from _value(f"{lead}, {key.replace('_', ' ')}", before.get(key), after.get(key))


def _value(what: str, old: Any, new: Any) -> Iterator[str]:
    if old != new:
        yield f"{what}: {_say(old)} → {_say(new)}."


def _say(value: Any) -> str:
    if value is None or value in ("", [], {}, ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple) and all(not isinstance(one, dict | list) for one in value):
        return ", ".join(_say(one) for one in value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)
