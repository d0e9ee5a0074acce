"""Software bills of materials: CycloneDX 1.2 to 1.7 and SPDX 2.2 and 2.3, and SPDX 3 by its size."""

import re
from typing import Any

from promotion.sources.cleaning import clean_checksum, clean_purl
from promotion.sources.reading import Part

from .finding import Finding, count

_TAG = re.compile(r"([A-Za-z][A-Za-z0-9]{0,60}):[ \t]*(.*)", re.ASCII)
_LONGEST_NAME = 200
_MOST_LOOKED_AT = 1000


def is_cyclonedx(part: Part) -> bool:
    """Whether it is a CycloneDX document."""
    return part["bomFormat"].word() == "cyclonedx"


def is_spdx(part: Part) -> bool:
    """Whether it is an SPDX document, of version 2 or 3."""
    return part["spdxVersion"].text() is not None or "spdx.org/rdf/3" in (
        part["@context"].text() or ""
    )


def read_cyclonedx(bom: Part) -> Finding:
    """What a CycloneDX document says; without components it tells what is exploitable (VEX)."""
    subject = bom["metadata", "component"]
    components, findings = bom["components"], bom["vulnerabilities"]
    has_parts = len(components) > 0 or not len(findings)
    severities = [_severity(one) for one in findings]
    return Finding(
        "sbom" if has_parts else "vex",
        "CycloneDX" if has_parts else "CycloneDX VEX",
        digests=_digests_of_component(subject),
        occurred_at=bom["metadata", "timestamp"].time(),
        external_id=_identity(bom),
        details={
            "format": f"CycloneDX {bom['specVersion'].text() or ''}".strip(),
            "of": _named(subject["name"].text(), subject["version"].text()),
            "components": len(components),
            "vulnerabilities": len(findings),
            "findings": count(severities),
        },
    )


def _identity(bom: Part) -> str | None:
    """A document is one by serial number and version (CycloneDX, "BOM identity")."""
    serial, version = bom["serialNumber"].text(), bom["version"].text()
    return f"{serial}/{version}" if serial and version else serial


def _severity(finding: Part) -> str:
    """That of the first rating: which of several counts, the document does not say."""
    words = [one["severity"].word() for one in list(finding["ratings"])[:20]]
    return next((one for one in words if one), "unknown")


def _named(name: str | None, version: str | None) -> str | None:
    return f"{name} {version or ''}".strip()[:_LONGEST_NAME] if name else None


def _digests_of_component(subject: Part) -> tuple[str, ...]:
    """Of the first place that names any: package URL, version, scanner's property, hash."""
    said = [clean_purl(subject["purl"].value).digest]
    said.append(subject["version"].digest())  # Syft says an image's digest as its version
    if not any(said):
        said += [
            one["value"].digest()
            for one in list(subject["properties"])[:_MOST_LOOKED_AT]
            if one["name"].word() == "aquasecurity:trivy:repodigest"
        ]
    if not any(said):
        said += [
            clean_checksum(one["content"].value)
            for one in list(subject["hashes"])[:20]
            if one["alg"].word() == "sha-256"
        ]
    return tuple(one for one in said if one)


def read_spdx(document: Part) -> Finding:
    """What an SPDX document says of the one package that it describes."""
    if document["@graph"].is_list:
        kinds = [one["type"].word().rpartition("_")[2] for one in document["@graph"]]
        return Finding(
            "sbom", "SPDX", details={"format": "SPDX 3", "components": kinds.count("package")}
        )
    packages = document["packages"]
    described = _described(document)
    subjects = [one for one in packages if one["SPDXID"].text() in described] if described else []
    subject = subjects[0] if len(subjects) == 1 else Part(None)
    version = (document["spdxVersion"].text() or "").removeprefix("SPDX-")
    return Finding(
        "sbom",
        "SPDX",
        digests=_digests_of_package(subject),
        occurred_at=document["creationInfo", "created"].time(),
        external_id=document["documentNamespace"].text(),
        details={
            "format": f"SPDX {version}".strip(),
            "of": _named(
                subject["name"].text() or document["name"].text(), subject["versionInfo"].text()
            ),
            "components": len(packages),
            "files": len(document["files"]),
        },
    )


def _described(document: Part) -> set[str | None]:
    found = {one.text() for one in list(document["documentDescribes"])[:_MOST_LOOKED_AT]}
    for one in document["relationships"]:
        kind = one["relationshipType"].word()
        if kind == "describes" and one["spdxElementId"].text() == "SPDXRef-DOCUMENT":
            found.add(one["relatedSpdxElement"].text())
        elif kind == "described_by" and one["relatedSpdxElement"].text() == "SPDXRef-DOCUMENT":
            found.add(one["spdxElementId"].text())
    return found - {None}


def _digests_of_package(package: Part) -> tuple[str, ...]:
    said = [package["versionInfo"].digest()]
    said += [
        clean_purl(one["referenceLocator"].value).digest
        for one in list(package["externalRefs"])[:_MOST_LOOKED_AT]
        if one["referenceType"].word() == "purl"
    ]
    if not any(said):
        said += [
            clean_checksum(one["checksumValue"].value)
            for one in list(package["checksums"])[:20]
            if one["algorithm"].word() == "sha256"
        ]
    return tuple(dict.fromkeys(one for one in said if one))


def read_tag_values(text: str) -> Part:
    """An SPDX document in its tag-value form, as its JSON form would say the same."""
    document: dict[str, Any] = {
        "packages": [],
        "files": [],
        "relationships": [],
        "creationInfo": {},
    }
    package: dict[str, Any] | None = None
    for tag, value in _tags(text):
        if tag == "PackageName":
            package = {"name": value, "checksums": [], "externalRefs": []}
            document["packages"].append(package)
        elif tag == "FileName":
            package = None
            document["files"].append(value[:_LONGEST_NAME])
        elif tag == "Relationship":
            one, kind, other = ([*value.split(), "", "", ""])[:3]
            document["relationships"].append(
                {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
            )
        elif tag == "Created":
            document["creationInfo"]["created"] = value
        elif tag in _DOCUMENT:
            document[_DOCUMENT[tag]] = value
        elif package is not None:
            _add_to_package(package, tag, value)
    return Part(document)


_DOCUMENT = {
    "SPDXVersion": "spdxVersion",
    "DocumentName": "name",
    "DocumentNamespace": "documentNamespace",
}


def _add_to_package(package: dict[str, Any], tag: str, value: str) -> None:
    if tag == "SPDXID":
        package["SPDXID"] = value
    elif tag == "PackageVersion":
        package["versionInfo"] = value
    elif tag == "PackageChecksum":
        algorithm, _, checksum = value.partition(":")
        package["checksums"].append(
            {"algorithm": algorithm.strip(), "checksumValue": checksum.strip()}
        )
    elif tag == "ExternalRef":
        _, kind, locator = ([*value.split(), "", "", ""])[:3]
        package["externalRefs"].append({"referenceType": kind, "referenceLocator": locator})


def _tags(text: str) -> list[tuple[str, str]]:
    """Tags and values, without those that go over several lines: none of them is needed."""
    found, is_inside = [], False
    for line in text.splitlines():
        if is_inside or "<text>" in line:
            is_inside = "</text>" not in line
        elif match := _TAG.match(line):
            found.append((match[1], match[2].strip()))
    return found
