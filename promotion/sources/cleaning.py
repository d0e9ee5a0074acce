"""Makes one form out of the many in which senders write digests, commits, versions and paths."""

import re
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

_PLACEHOLDERS = frozenset(
    {
        "",
        "...",
        "\u2026",
        "null",
        "nil",
        "none",
        "undefined",
        "n/a",
        "<nil>",
        "<none>",
        "<null>",
        "<no value>",
        "<unknown>",
        "(none)",
        "(null)",
    }
)
# A variable or template that nobody filled in: ${TAG}, $(TAG), {{ .Tag }}, %TAG%, *tag*.
_UNFILLED = re.compile(r"\$\{[^}]*\}|\$\([^)]*\)|\{\{.*\}\}|%[A-Za-z_]+%|\*[A-Za-z]+\*", re.DOTALL)

_LONGEST_LINK = 1000

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_COMMIT = re.compile(r"(?:.*(?:[:/]|\^\{))?([0-9a-f]{64}|[0-9a-f]{6,40})\}?", re.ASCII | re.DOTALL)
_FULL_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
_COMMIT_LINK = re.compile(r"/(?:commits?|revision|changeset)/([0-9a-fA-F]{6,64})(?=$|[/?#])")
_SECURE_SHELL = re.compile(r"(?:[^@/\s]+@)?([^:/\s]+):(?!/)(.+)")


class Image(NamedTuple):
    """An image's name taken apart: its path in the registry, tag and digest."""

    name: str | None
    version: str | None
    digest: str | None


def make_storable(text: str) -> str:
    """The text without NUL and with lone surrogates replaced, so that it can be kept and shown."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clean_text(value: object) -> str | None:
    """A text or whole number as text without outer blanks; None for a placeholder."""
    exact = clean_exact(value)
    return exact.strip() if exact is not None else None


def clean_exact(value: object) -> str | None:
    """The text exactly as sent, but for what no database stores; None for a placeholder."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) and abs(value) < 10**40:
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    if not isinstance(value, str):
        return None
    text = make_storable(value)
    bare = text.strip()
    if bare.lower() in _PLACEHOLDERS or _UNFILLED.fullmatch(bare):
        return None
    return text


def clean_digest(value: object) -> str | None:
    """`sha256:` and 64 hex digits, also at the end of `name@…`; anything else is no digest."""
    text = clean_text(value)
    if text is None:
        return None
    tail = text.lower().rpartition("@")[2]
    return tail if _DIGEST.fullmatch(tail) else None


def clean_checksum(value: object) -> str | None:
    """A digest where the field itself says that it is SHA-256, with or without `sha256:`."""
    text = clean_text(value)
    if text is None:
        return None
    return clean_digest(text) or clean_digest(f"sha256:{text}")


def clean_commit(value: object) -> str | None:
    """6 to 40 (or 64) hex digits without the ref or repository before them."""
    if not isinstance(value, str) or len(value) > 1000 or "sha256:" in value.lower():
        return None
    text = clean_text(value)
    match = _COMMIT.fullmatch(text.lower()) if text else None
    return match[1] if match and match[1].strip("0") else None


def clean_full_commit(value: object) -> str | None:
    """A commit only if it is a whole sha: where a field may also hold the name of a branch."""
    commit = clean_text(value)
    if not isinstance(value, str) or commit is None:
        return None
    whole = commit.lower()
    return whole if _FULL_COMMIT.fullmatch(whole) and whole.strip("0") else None


def best_commit(*values: object) -> str | None:
    """The first commit said, written out if a later value says it longer."""
    found = [one for one in map(clean_commit, values) if one]
    if not found:
        return None
    return max((one for one in found if one.startswith(found[0])), key=len)


def commit_in_link(value: object) -> str | None:
    """The commit a link leads to: …/commit/<sha>, …/commits/<sha>/…."""
    text = clean_text(value)
    if text is None or len(text) > 4000:
        return None
    match = _COMMIT_LINK.search(text)
    return clean_commit(match[1]) if match else None


def clean_version(value: object) -> str | None:
    """A tag's or release's name without `refs/tags/`; a digest or branch ref is no version."""
    if isinstance(value, float) and not value.is_integer():
        value = repr(value)
    text = clean_text(value)
    if text is None:
        return None
    text = text.removeprefix("refs/tags/")
    if not text or text.startswith("refs/") or "sha256:" in text.lower():
        return None
    return text


def tag_of_ref(value: object) -> str | None:
    """The version that a full ref names, if it is a tag's."""
    text = clean_text(value)
    return clean_version(text) if text and text.startswith("refs/tags/") else None


def clean_repository(value: object) -> str | None:
    """A repository's path without scheme, host and `.git`: group/sub/name."""
    text = clean_text(value)
    if text is None or not isinstance(value, str):
        return None
    if "://" in text:
        try:
            path = urlsplit(text).path
        except ValueError:
            return None
        path = unquote(path).lstrip("/").removeprefix("scm/")
    elif match := _SECURE_SHELL.fullmatch(text):
        path = match[2]
    else:
        path = text
    path = path.strip("/").removesuffix(".git").strip("/")
    return clean_text(path)  # again: what was percent-encoded may be what nobody stores


def clean_link(value: object) -> str | None:
    """An address a page may link to: http or https, of a length that is kept."""
    text = clean_text(value)
    if text is None or len(text) > _LONGEST_LINK:
        return None
    return text if text.lower().startswith(("https://", "http://")) else None


def repository_of_link(value: object) -> str | None:
    """The repository whose commit a link shows: https://host/group/name/-/commit/<sha>."""
    text = clean_text(value)
    match = _COMMIT_LINK.search(text) if text and len(text) < 4000 else None
    if text is None or match is None:
        return None
    return clean_repository(text[: match.start()].removesuffix("/-"))


def clean_image(value: object) -> Image:
    """Takes host/path:tag@digest apart."""
    text = clean_text(value)
    if text is None:
        return Image(None, None, None)
    text = text.partition("://")[2] or text
    path, _, digest = text.partition("@")
    head, slash, rest = path.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        path = rest
    name, _, tag = path.partition(":")
    return Image(name.strip("/") or None, clean_version(tag), clean_digest(digest))


def clean_purl(value: object) -> Image:
    """Name, version and digest of a package URL (purl-spec); percent-encoding comes off."""
    text = clean_text(value)
    if text is None or not text.lower().startswith("pkg:"):
        return Image(None, None, clean_digest(unquote(text)) if text else None)
    main, _, qualifiers = text[4:].partition("#")[0].partition("?")
    path, _, version = main.partition("@") if "@" in main else (main, "", "")
    named = unquote(version)
    kind, _, name = unquote(path).strip("/").partition("/")
    asked = parse_qs(qualifiers)
    if kind.lower() in {"oci", "docker"}:
        if place := asked.get("repository_url"):
            whole = clean_image(place[0]).name or ""
            name = whole if whole.endswith(name) else f"{whole}/{name}".strip("/")
        tag = clean_version((asked.get("tag") or [""])[0]) or clean_version(named)
        return Image(clean_text(name), tag, clean_digest(named))
    digest = clean_digest((asked.get("checksum") or [""])[0]) or clean_digest(named)
    return Image(clean_text(name), clean_version(named), digest)
