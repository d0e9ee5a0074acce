"""YAML text → a tree of plain values that know their line and dotted key.

As in YAML 1.2 only true and false are booleans, and dates stay text. Merge keys (<<) are read.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from .problems import PipelineError, Problem

LARGEST_TEXT = 256 * 1024
MOST_VALUES = 20_000
DEEPEST = 20
LARGEST_INTEGER = 2**53 - 1  # beyond it canonical JSON has no exact number

Scalar = str | int | float | bool | None
_INTEGER = re.compile(r"[-+]?[0-9]{1,16}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}


@dataclass(frozen=True, slots=True)
class Place:
    """A value, the line it was written on (from 1, 0 if on none), and its dotted key."""

    value: "Scalar | tuple[Place, ...] | dict[str, Place]"
    line: int
    key: str

    def plain(self) -> Any:
        """The value as JSON would have it: dict, list, str, int, float, bool or None."""
        if isinstance(self.value, dict):
            return {name: place.plain() for name, place in self.value.items()}
        if isinstance(self.value, tuple):
            return [place.plain() for place in self.value]
        return self.value


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """Composes nodes without guessing what a plain scalar means; `_read_scalar` does that."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)


def join_key(key: str, name: str) -> str:
    """The dotted key of an entry of that name."""
    return f"{key}.{name}" if key else name


def read_tree(text: str) -> Place:
    """The document as places; PipelineError where it is no YAML, too large, or repeats a key."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_TEXT:
        raise PipelineError(
            [Problem(0, "", "The text is larger than 256 kB; a pipeline never is.")]
        )
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = error.problem or error.context
        raise PipelineError(
            [Problem(mark.line + 1 if mark else 0, "", f"This is no YAML: {words}.")]
        ) from error
    except yaml.YAMLError as error:
        raise PipelineError([Problem(0, "", f"This is no YAML: {error}.")]) from error
    except (ValueError, OverflowError) as error:
        raise PipelineError([Problem(0, "", f"This is no YAML: {error}.")]) from error
    except RecursionError as error:
        raise PipelineError([Problem(0, "", "The text is nested too deeply.")]) from error
    if node is None:
        raise PipelineError(
            [Problem(1, "", "The text is empty; a pipeline needs service and stages.")]
        )
    reading = _Reading()
    place = reading.read(node, "", 0)
    if reading.problems:
        raise PipelineError(reading.problems)
    return place


def place_plain(value: Any, key: str = "") -> Place:
    """Plain data (a stored document) as places without lines."""
    if isinstance(value, Mapping):
        entries = {
            str(name): place_plain(item, join_key(key, str(name))) for name, item in value.items()
        }
        return Place(entries, 0, key)
    if isinstance(value, list | tuple):
        return Place(
            tuple(place_plain(item, f"{key}[{at}]") for at, item in enumerate(value)), 0, key
        )
    return Place(value, 0, key)


class _TooMuchError(PipelineError):
    """Reading further would only cost time and memory."""


class _Reading:
    """One walk over the nodes; counts what it makes, so that aliases cannot multiply."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.count = 0

    def read(self, node: Node, key: str, depth: int) -> Place:
        line = node.start_mark.line + 1
        self.count += 1
        if self.count > MOST_VALUES:
            raise _TooMuchError(
                [
                    Problem(
                        line,
                        key,
                        f"More than {MOST_VALUES} values; each use of an alias (*name) counts.",
                    )
                ]
            )
        if depth > DEEPEST:
            raise _TooMuchError([Problem(line, key, "The text is nested too deeply.")])
        if isinstance(node, MappingNode):
            self._check_tag(node, line, key)
            return Place(self._read_mapping(node, key, depth), line, key)
        if isinstance(node, SequenceNode):
            self._check_tag(node, line, key)
            items = (
                self.read(item, f"{key}[{at}]", depth + 1) for at, item in enumerate(node.value)
            )
            return Place(tuple(items), line, key)
        return Place(self._read_scalar(node, line, key), line, key)

    def _read_mapping(self, node: MappingNode, key: str, depth: int) -> dict[str, Place]:
        entries: dict[str, Place] = {}
        merged: dict[str, Place] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, ScalarNode):
                self.problems.append(Problem(line, key, "A key must be a word."))
                continue
            name = name_node.value
            if name == "<<" and name_node.style is None:
                merged = {**self._read_merge(value_node, key, depth), **merged}
                continue
            self._check_text(name, line, key)
            place = join_key(key, name)
            if name in entries:
                first = entries[name].line
                sentence = f'"{name}" is written twice, first on line {first}; keep one.'
                self.problems.append(Problem(line, place, sentence))
                continue
            read = self.read(value_node, place, depth + 1)
            # A long value is looked for where its key stands.
            entries[name] = Place(read.value, line, place)
        return {**merged, **entries}

    def _read_merge(self, node: Node, key: str, depth: int) -> dict[str, Place]:
        """The entries that `<<` takes over; of several mappings the one named first wins."""
        merged: dict[str, Place] = {}
        for item in reversed(node.value) if isinstance(node, SequenceNode) else [node]:
            if isinstance(item, MappingNode):
                read = self.read(item, key, depth + 1).value
                merged.update(read if isinstance(read, dict) else {})
            else:
                line = item.start_mark.line + 1
                self.problems.append(Problem(line, key, "After << comes an alias of a mapping."))
        return merged

    def _read_scalar(self, node: Node, line: int, key: str) -> Scalar:
        self._check_tag(node, line, key)
        text: str = node.value
        self._check_text(text, line, key)
        if getattr(node, "style", None) is not None:  # quoted or a block: text as it stands
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text) and abs(int(text)) <= LARGEST_INTEGER:
            return int(text)
        if (
            _FLOAT.fullmatch(text)
            and not text.lstrip("-+").isdigit()
            and math.isfinite(float(text))
        ):
            return float(text)
        return text

    def _check_tag(self, node: Node, line: int, key: str) -> None:
        if node.tag not in _PLAIN_TAGS:
            self.problems.append(
                Problem(line, key, f"The tag {node.tag} is not read; leave it out.")
            )

    def _check_text(self, text: str, line: int, key: str) -> None:
        # A NUL or half a surrogate pair can be stored neither by PostgreSQL nor as JSON.
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            self.problems.append(
                Problem(line, key, "The text has a character that cannot be stored.")
            )
