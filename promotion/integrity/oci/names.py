"""Names of repositories and tags, as the OCI distribution spec 1.1 defines them."""

import re

from promotion.integrity.digests import read_hexadecimal
from promotion.integrity.oci.errors import InvalidNameError

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_LONGEST_REPOSITORY = 255

# cosign before version 3 kept signatures, attestations and SBOMs under tags made of the digest.
LEGACY_SUFFIXES = (".sig", ".att", ".sbom")


def check_repository_name(name: str) -> str:
    """Return the repository name unchanged; raises InvalidNameError."""
    if len(name) > _LONGEST_REPOSITORY or not _REPOSITORY.fullmatch(name):
        raise InvalidNameError(
            f"{name[:80]!r} is not a repository name. Use lower-case letters, digits and single "
            "separators, such as team/service."
        )
    return name


def check_tag(tag: str) -> str:
    """Return the tag unchanged; raises InvalidNameError."""
    if not _TAG.fullmatch(tag):
        raise InvalidNameError(
            f"{tag[:80]!r} is not a tag. Use at most 128 letters, digits, '_', '.' and '-', "
            "and begin with a letter, a digit or '_'."
        )
    return tag


def name_fallback_tag(digest: str) -> str:
    """Return the tag that lists a digest's referrers where the registry has no API for them."""
    return f"sha256-{read_hexadecimal(digest)}"


def name_legacy_tags(digest: str) -> tuple[str, ...]:
    """Return the tags under which older cosign kept evidence about a digest."""
    return tuple(name_fallback_tag(digest) + suffix for suffix in LEGACY_SUFFIXES)
