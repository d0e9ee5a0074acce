r"""Setting values in YAML and JSON texts, touching nothing else: comments, quotes and order stay.

The text is parsed for where each value stands, and only those characters are replaced. A key is
written with dots (image.digest); a dot in a name is written \. ; an entry of a list is named by
its number or by its `name` (containers.app.image).
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from promotion.exceptions import InputError

Scalar = str | int | float | bool | None
_DOT = re.compile(r"(?<!\\)\.")
# These end a plain text inside [ ] or { }.
_FLOW_SIGNS = frozenset(",[]{}")


def set_values(text: str, values: Mapping[str, Scalar], *, path: str) -> str:
    """Return the text with each dotted key set; YAML, or JSON where the path ends in .json.

    The last name of a key may be new, all before must be there. Raises InputError for a text that
    cannot be read and a key that leads nowhere or to more than one place.
    """
    is_json = path.endswith(".json")
    for key, value in values.items():
        text = _set(text, _DOT.split(key), value, is_json=is_json, path=path, shown=key)
    return text


def set_image_digests(text: str, digests: Mapping[str, str], *, path: str) -> str:
    """Return a kustomization with `digest` of each image set, and its `newTag` gone.

    An image that `images` does not list is added. Raises InputError.
    """
    for name, digest in digests.items():
        text = _set_image(text, name, digest, path)
    return text


def read_value(text: str, key: str, *, path: str) -> Any:
    """Return the value at a dotted key, None where it is not there; raises InputError."""
    found: list[Any] = []
    for document in _compose(text, is_json=path.endswith(".json"), path=path):
        node: yaml.Node | None = document
        for name in _DOT.split(key):
            node = None if node is None else _enter(node, name.replace("\\.", "."))
        if node is not None:
            found.append(_construct(node))
    return found[0] if found else None


def _set(
    text: str, names: list[str], value: Scalar, *, is_json: bool, path: str, shown: str
) -> str:
    names = [name.replace("\\.", ".") for name in names]
    parents = []
    for document in _compose(text, is_json=is_json, path=path):
        node: yaml.Node | None = document
        for name in names[:-1]:
            node = None if node is None else _enter(node, name)
        if isinstance(node, yaml.MappingNode) or (node is not None and _enter(node, names[-1])):
            parents.append(node)
    holders = [node for node in parents if _enter(node, names[-1]) is not None] or parents
    if len(holders) != 1:
        where = "leads nowhere" if not holders else f"is in {len(holders)} documents"
        raise InputError(
            f"The key {shown!r} {where} in {path}. Nothing was committed."
            " Correct the key in the pipeline, or add it to the file once."
        )
    parent = holders[0]
    old = _enter(parent, names[-1])
    if old is None:
        assert isinstance(parent, yaml.MappingNode)  # noqa: S101 - the only kind that lacks a name
        changed = _insert(text, parent, names[-1], value, is_json=is_json)
    else:
        changed = _replace(text, parent, old, value, is_json=is_json, where=f"{shown!r} in {path}")
    _check(changed, names, value, is_json=is_json, path=path, shown=shown)
    return changed


def _check(
    text: str, names: list[str], value: Scalar, *, is_json: bool, path: str, shown: str
) -> None:
    """Read the result back: a text that would say something else is never committed."""
    key = ".".join(name.replace(".", "\\.") for name in names)
    if read_value(text, key, path="x.json" if is_json else path) != value:
        raise InputError(
            f"{shown!r} cannot be set in {path} without changing more of it."
            " Nothing was committed. Write that part of the file in a simpler form."
        )


def _compose(text: str, *, is_json: bool, path: str) -> list[yaml.Node]:
    try:
        if is_json:
            json.loads(text)
            # Tabs may stand between the parts of JSON, where YAML wants spaces.
            text = text.replace("\t", " ")
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        what = "JSON" if is_json else "YAML"
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path} cannot be read as {what} ({reason}). Nothing was committed. Correct the file."
        ) from error
    return [node for node in nodes if node is not None]


def _enter(node: yaml.Node, name: str) -> yaml.Node | None:
    """The value of a key, or the entry of a list by its number or by its `name`."""
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == name), None)
    if not isinstance(node, yaml.SequenceNode):
        return None
    if name.isdecimal():
        return node.value[int(name)] if int(name) < len(node.value) else None
    named = [item for item in node.value if _name_of(item) == name]
    return named[0] if len(named) == 1 else None


def _name_of(node: yaml.Node) -> str | None:
    entry = _enter(node, "name") if isinstance(node, yaml.MappingNode) else None
    return str(entry.value) if isinstance(entry, yaml.ScalarNode) else None


def _replace(
    text: str, parent: yaml.Node, old: yaml.Node, value: Scalar, *, is_json: bool, where: str
) -> str:
    start, end = old.start_mark.index, old.end_mark.index
    is_elsewhere = not parent.start_mark.index <= start <= parent.end_mark.index
    if not isinstance(old, yaml.ScalarNode) or is_elsewhere or old.style in {"|", ">"}:
        raise InputError(
            f"The value of {where} is an alias, a block of text, a list or a mapping, and not one"
            " plain value. Nothing was committed. Correct the key in the pipeline, or the file."
        )
    in_flow = isinstance(parent, yaml.CollectionNode) and bool(parent.flow_style)
    written = _write(value, style=old.style, is_json=is_json, in_flow=in_flow)
    gap = "" if start == 0 or text[start - 1] in " \t\n[{," or start != end else " "
    return text[:start] + gap + written + text[end:]


def _insert(text: str, parent: yaml.MappingNode, name: str, value: Scalar, *, is_json: bool) -> str:
    in_flow = bool(parent.flow_style)
    key = _write(name, style=None, is_json=is_json, in_flow=in_flow)
    written = _write(value, style=None, is_json=is_json, in_flow=in_flow)
    if not parent.value:
        at = text.index("{", parent.start_mark.index) + 1
        return f"{text[:at]}{key}: {written}{text[at:]}"
    if len(parent.value) == 1 and not in_flow and _is_one_line(parent.value[0][1]):
        first, only = parent.value[0]
        end = text.find("\n", only.end_mark.index)
        end = len(text) if end < 0 else end
        return f"{text[:end]}\n{' ' * first.start_mark.column}{key}: {written}{text[end:]}"
    # Before the second key: in a list's entry the first one follows the dash.
    neighbour = parent.value[min(1, len(parent.value) - 1)][0].start_mark
    between = ", " if in_flow else "\n" + " " * neighbour.column
    return f"{text[: neighbour.index]}{key}: {written}{between}{text[neighbour.index :]}"


def _is_one_line(node: yaml.Node) -> bool:
    is_block = isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}
    return not is_block and bool(node.start_mark.line == node.end_mark.line)


def _write(value: Scalar, *, style: str | None, is_json: bool, in_flow: bool) -> str:
    """A value as it is written there: quoted as the old one was, or only where it must be."""
    if is_json or not isinstance(value, str) or style == '"':
        return json.dumps(value, ensure_ascii=False)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return value if _is_plain(value, in_flow=in_flow) else json.dumps(value, ensure_ascii=False)


def _is_plain(value: str, *, in_flow: bool) -> bool:
    """Does the text mean itself without quotes?"""
    if not value.isprintable() or (in_flow and _FLOW_SIGNS & set(value)):
        return False
    try:
        return bool(yaml.safe_load(f"- {value}") == [value])
    except (yaml.YAMLError, ValueError):
        return False


def _construct(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _set_image(text: str, name: str, digest: str, path: str) -> str:
    documents = _compose(text, is_json=False, path=path)
    if len(documents) != 1 or not isinstance(documents[0], yaml.MappingNode):
        raise InputError(
            f"{path} is no kustomization: it must be one mapping. Nothing was committed."
            " Correct the path in the pipeline."
        )
    images = _enter(documents[0], "images")
    if images is None:
        end = "" if text.endswith("\n") or not text else "\n"
        return f"{text}{end}images:\n- name: {_plain(name)}\n  digest: {digest}\n"
    if not isinstance(images, yaml.SequenceNode):
        raise InputError(f"images in {path} is no list. Nothing was committed. Correct the file.")
    entry = _enter(images, name)
    if entry is None:
        return _add_image(text, images, name, digest)
    number = images.value.index(entry)
    names = ["images", str(number), "digest"]
    shown = f"images.{name}.digest"
    text = _set(text, names, digest, is_json=False, path=path, shown=shown)
    changed = _enter(_compose(text, is_json=False, path=path)[0], "images")
    # With both, some versions of kustomize write name:tag@digest.
    return _remove(text, changed.value[number], "newTag") if changed is not None else text


def _add_image(text: str, images: yaml.SequenceNode, name: str, digest: str) -> str:
    if images.flow_style or not images.value:
        at = images.start_mark.index + 1
        comma = ", " if images.value else ""
        return f"{text[:at]}{{name: {json.dumps(name)}, digest: {json.dumps(digest)}}}{comma}{text[at:]}"
    first = images.value[0].start_mark
    dash = text.rindex("-", 0, first.index)
    indent = " " * (dash - text.rindex("\n", 0, dash) - 1)
    added = f"- name: {_plain(name)}\n{indent}  digest: {digest}\n{indent}"
    return text[:dash] + added + text[dash:]


def _plain(name: str) -> str:
    return _write(name, style=None, is_json=False, in_flow=False)


def _remove(text: str, mapping: yaml.Node, name: str) -> str:
    """The text without that key of a mapping, with its line where the key has one of its own."""
    if not isinstance(mapping, yaml.MappingNode):
        return text
    pairs = mapping.value
    for at, (key, value) in enumerate(pairs):
        if key.value != name:
            continue
        if at + 1 < len(pairs):
            return text[: key.start_mark.index] + text[pairs[at + 1][0].start_mark.index :]
        if at == 0:  # the only one; kustomize wants a name anyway
            return text
        end = value.end_mark.index
        start = text.rindex("," if mapping.flow_style else "\n", 0, key.start_mark.index)
        return text[:start] + text[end:]
    return text
