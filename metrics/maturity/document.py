"""YAML read with the line of every entry, so that an error can say where it is."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from promotion.exceptions import InputError

_TEXT_TAG = "tag:yaml.org,2002:str"
_WHOLE_NUMBER_TAG = "tag:yaml.org,2002:int"
_TRUTH_TAG = "tag:yaml.org,2002:bool"
_TRUE_WORDS = frozenset({"true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a document: its node and the path of keys that leads to it."""

    node: yaml.Node
    path: str

    @property
    def line(self) -> int:
        """Return the line the value begins on, counted from 1."""
        return int(self.node.start_mark.line) + 1

    def refuse(self, complaint: str) -> InputError:
        """Return the error for this entry; the caller raises it."""
        return InputError(
            f"Line {self.line}, {self.path or 'the document'}: {complaint} "
            "The model was not loaded; correct the line and load it again.",
            line=self.line,
            key=self.path,
        )

    def read_text(self) -> str:
        """Return non-empty text; InputError otherwise."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.tag == _TEXT_TAG:
            text = " ".join(self.node.value.split())
            if text:
                return text
        raise self.refuse("text is expected here.")

    def read_whole_number(self) -> int:
        """Return a whole number of at least 0; InputError otherwise."""
        is_number = isinstance(self.node, yaml.ScalarNode) and self.node.tag == _WHOLE_NUMBER_TAG
        # YAML also writes numbers as 0x1F or 1_000; a model has no use for them.
        if is_number and self.node.value.isdecimal():
            return int(self.node.value)
        raise self.refuse("a whole number is expected here.")

    def read_truth(self) -> bool:
        """Return true or false; InputError otherwise."""
        if isinstance(self.node, yaml.ScalarNode) and self.node.tag == _TRUTH_TAG:
            return self.node.value.lower() in _TRUE_WORDS
        raise self.refuse("true or false is expected here.")

    def read_list(self) -> tuple["Entry", ...]:
        """Return the entries of a list that is not empty; InputError otherwise."""
        if isinstance(self.node, yaml.SequenceNode) and self.node.value:
            return tuple(
                Entry(node, f"{self.path}[{position}]")
                for position, node in enumerate(self.node.value)
            )
        raise self.refuse("a list with at least one entry is expected here.")

    def read_texts(self) -> tuple[str, ...]:
        """Return the texts of a list that is not empty; InputError otherwise."""
        return tuple(entry.read_text() for entry in self.read_list())

    def read_mapping(self, required: frozenset[str], optional: frozenset[str]) -> "Section":
        """Return the entries by key; InputError for a key missing, unknown or there twice."""
        entries = dict(self._walk_keys())
        for key, entry in entries.items():
            if key not in required | optional:
                known = ", ".join(sorted(required | optional))
                raise entry.refuse(f"{key!r} is not known here; known are {known}.")
        for key in sorted(required - entries.keys()):
            raise Entry(self.node, _join(self.path, key)).refuse(f"{key!r} is missing.")
        return Section(self, entries)

    def read_numbers_by_name(self) -> dict[str, int]:
        """Return a mapping of free names to whole numbers; InputError otherwise."""
        return {key: entry.read_whole_number() for key, entry in self._walk_keys()}

    def _walk_keys(self) -> Iterator[tuple[str, "Entry"]]:
        if not isinstance(self.node, yaml.MappingNode):
            raise self.refuse("a mapping of keys to values is expected here.")
        seen: set[str] = set()
        for key_node, value_node in self.node.value:
            key = str(key_node.value)
            path = _join(self.path, key)
            if key in seen:
                raise Entry(key_node, path).refuse(f"{key!r} is there twice.")
            seen.add(key)
            yield key, Entry(value_node, path)


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping whose keys have been checked."""

    entry: Entry
    entries: dict[str, Entry]

    def __getitem__(self, key: str) -> Entry:
        return self.entries[key]

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def get(self, key: str) -> Entry | None:
        """Return the entry, or None where an optional key is absent."""
        return self.entries.get(key)


def read_document(text: str) -> Entry:
    """Return the root of a YAML document; InputError when it is no YAML or empty."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InputError(
            f"Line {line}: this is not YAML ({error.problem}). "
            "The model was not loaded; correct the line and load it again.",
            line=line,
        ) from error
    except yaml.YAMLError as error:
        raise InputError(
            f"The text cannot be read as YAML ({error}). The model was not loaded.", line=1
        ) from error
    if node is None:
        raise InputError("The file is empty. The model was not loaded; name another.", line=1)
    return Entry(node, "")


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
