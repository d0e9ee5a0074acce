"""The source of evidence files, whatever their format; which it is, the file itself shows."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from promotion.sources.authentication import AnyOf
from promotion.sources.authentication_tokens import SharedSecret, StandardWebhooks
from promotion.sources.base import Delivery, Normalised
from promotion.sources.cleaning import clean_digest, clean_text
from promotion.sources.reading import Part, read_elements
from promotion.sources.sender import Collector

from .documents import read_document
from .finding import Finding, Given, keep, name_by_content
from .sboms import is_cyclonedx, is_spdx, read_cyclonedx, read_spdx, read_tag_values
from .scans import is_grype, is_sarif, is_trivy, read_grype, read_sarif, read_trivy
from .statements import is_statement, read_statement

DIGEST_HEADER = "X-Throughline-Digest"
NAME_HEADER = "X-Throughline-Name"

_SCHEME = AnyOf((SharedSecret(), StandardWebhooks()))
_FORMATS: tuple[tuple[Callable[[Part], bool], Callable[[Part], list[Finding]]], ...] = (
    (is_cyclonedx, lambda part: [read_cyclonedx(part)]),
    (is_spdx, lambda part: [read_spdx(part)]),
    (is_trivy, lambda part: [read_trivy(part)]),
    (is_grype, lambda part: [read_grype(part)]),
    (is_sarif, read_sarif),
)


def read_evidence(part: Part, given: Given, collector: Collector) -> None:
    """Reads one JSON object in whichever format it is."""
    if is_statement(part):
        return read_statement(part, given, collector)
    for is_one, read in _FORMATS:
        if is_one(part):
            for finding in read(part):
                keep(finding, given, collector)
            return None
    return collector.note(
        "The file is in no format of evidence that is read here (in-toto, DSSE, Sigstore bundle, "
        "CycloneDX, SPDX, Trivy, Grype, SARIF, JUnit); it became nothing."
    )


def read_carried(fact: Part, collector: Collector) -> None:
    """A file that one of our own facts of kind evidence carries as its `content`."""
    already = len(collector.facts)
    read_evidence(fact["content"], Given(fact["digest"].digest()), collector)
    content = json.dumps(fact["content"].value, sort_keys=True).encode()
    name_by_content(collector, content, after=already)


class EvidenceFiles:
    """Files posted as they are. A digest may be given in a header, or the query of the address."""

    kind = "evidence"
    title = "Evidence files"
    scheme = _SCHEME

    def normalise(self, delivery: Delivery) -> Normalised:
        """One fact for each digest a file speaks of; InputError if its bytes cannot be read at all."""
        collector = Collector()
        given = _given(delivery, collector)
        start = delivery.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.startswith(b"<") or start.startswith((b"\xff\xfe<", b"\xfe\xff\x00<")):
            body = delivery.body.lstrip(b" \t\r\n")
            keep(read_document(body), given, collector)
        elif start.startswith(b"SPDXVersion:"):
            text = delivery.body.decode("utf-8", "replace").removeprefix("\ufeff")
            keep(read_spdx(read_tag_values(text)), given, collector)
        else:
            elements, notes = read_elements(delivery)
            collector.take_over(notes)
            for _, element in elements:
                read_evidence(element, given, collector)
        name_by_content(collector, delivery.body)
        if not collector.facts and not collector.notes:
            collector.note("The file holds no statement.")
        return collector.normalised()

    def authenticate(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept the delivery if it fits one of the secrets, or raise AuthenticationError."""
        _SCHEME.authenticate(delivery, secrets, now)

    def delivery_id(self, delivery: Delivery) -> str | None:
        """One file may be posted for several digests: each of them is a delivery of its own."""
        given = [delivery.headers.get(one, "") for one in (DIGEST_HEADER, NAME_HEADER)]
        if not any(given):
            return None
        content = "\n".join(given).encode("utf-8", "replace") + b"\n" + delivery.body
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def is_guessed_from(self, delivery: Delivery) -> bool:
        """Whether it says of what digest it is."""
        return DIGEST_HEADER in delivery.headers


def _given(delivery: Delivery, collector: Collector) -> Given:
    said = clean_text(delivery.headers.get(DIGEST_HEADER))
    digest = clean_digest(said)
    if said and digest is None:
        collector.note("The digest given is not sha256: and 64 hex digits; it was not used.")
    name = clean_text(delivery.headers.get(NAME_HEADER))
    return Given(digest, name[:200] if name else None)


def add_given(delivery: Delivery, digest: str, name: str) -> Delivery:
    """The delivery with what the query of its address says, which is kept like a header."""
    said = {DIGEST_HEADER: digest[:500], NAME_HEADER: name[:500]}
    headers = {key: text for key, text in said.items() if text and key not in delivery.headers}
    return replace(delivery, headers=dict(delivery.headers) | headers)


SOURCE = EvidenceFiles()
