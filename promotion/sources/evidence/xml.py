"""Reads XML as a stream; a document type, and with it every entity, is refused."""

from collections.abc import Callable
from xml.parsers import expat

from promotion.exceptions import InputError

_DEEPEST = 200
_LONGEST_TEXT = 2000

Start = Callable[[tuple[str, ...], dict[str, str]], None]
End = Callable[[tuple[str, ...], str], None]


class _Refused(Exception):  # never leaves this module
    """Something in the document that is not read, as the end of a sentence."""


def read_xml(body: bytes, start: Start, end: End) -> None:
    """Tells of each element by its path of local names: begun with attributes, ended with its text.

    Raises InputError for what is no XML, has a document type, or is nested deeper than 200.
    """
    path: list[str] = []
    texts: list[list[str]] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if len(path) >= _DEEPEST:
            raise _Refused("it is nested too deep")
        path.append(name.rpartition("}")[2])
        texts.append([])
        start(tuple(path), attributes)

    def finish(_name: str) -> None:
        end(tuple(path), "".join(texts.pop()).strip())
        path.pop()

    def add(text: str) -> None:
        if texts and len(texts[-1]) < 100:  # the parser tells long texts in pieces
            texts[-1].append(text[:_LONGEST_TEXT])

    def refuse(_name: str, _system: str | None, _public: str | None, _internal: bool) -> None:
        raise _Refused("it has a document type, which is never read")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = add
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except _Refused as error:
        raise InputError(f"The XML is not taken: {error}; nothing was read.") from None
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise InputError(f"The body is not XML ({error}); nothing was read.") from None
