"""Evidence in XML: JUnit's test reports and CycloneDX."""

from promotion.exceptions import InputError
from promotion.sources.cleaning import clean_text
from promotion.sources.reading import Part
from promotion.sources.times import clean_time

from .finding import Finding
from .sboms import read_cyclonedx
from .xml import read_xml

_MOST_RATED = 100_000


def read_document(body: bytes) -> Finding:
    """What an XML file says; InputError if it is neither JUnit nor CycloneDX."""
    reader = _Reader()
    read_xml(body, reader.start, reader.end)
    return reader.finding()


class _Reader:
    """Gathers what is needed while the file goes by, whatever its size."""

    def __init__(self) -> None:
        self.root = ""
        self.format = ""
        self.tests = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
        self.times: list[str] = []
        self.title = ""
        self.is_counted = False  # this case has its outcome already
        self.bom: dict[str, object] = {}
        self.subject: dict[str, object] = {}
        self.hash: str = ""
        self.components = 0
        self.severities: list[dict[str, object]] = []
        self.is_rated = False

    def start(self, path: tuple[str, ...], attributes: dict[str, str]) -> None:
        name = path[-1]
        if len(path) == 1:
            self.root = name
            self.bom |= {key: attributes.get(key) for key in ("serialNumber", "version")}
            self.title = attributes.get("name", "")
        if self.root in {"testsuites", "testsuite"}:
            self._start_test(path, name, attributes)
        elif self.root == "bom":
            self._start_part(path, name, attributes)

    def _start_test(self, path: tuple[str, ...], name: str, attributes: dict[str, str]) -> None:
        if name == "testcase":
            self.tests["tests"] += 1
            self.is_counted = False
        elif name == "testsuite" and len(self.times) < _MOST_RATED:
            self.times.append(attributes.get("timestamp", ""))
        elif path[-2:-1] == ("testcase",) and name in _OUTCOMES and not self.is_counted:
            self.tests[_OUTCOMES[name]] += 1
            self.is_counted = True

    def _start_part(self, path: tuple[str, ...], name: str, attributes: dict[str, str]) -> None:
        if name == "component" and path[:2] == ("bom", "components"):
            self.components += len(path) == 3
        elif name == "hash":
            self.hash = attributes.get("alg", "")
        elif name == "vulnerability":
            self.is_rated = False
            if len(self.severities) < _MOST_RATED:
                self.severities.append({})

    def end(self, path: tuple[str, ...], text: str) -> None:
        if self.root != "bom":
            return
        if path[:3] == ("bom", "metadata", "component") and len(path) == 4:
            if path[3] in {"name", "version", "purl"}:
                self.subject[path[3]] = text
        elif path == ("bom", "metadata", "component", "hashes", "hash"):
            hashes = self.subject.setdefault("hashes", [])
            if isinstance(hashes, list):
                hashes.append({"alg": self.hash, "content": text})
        elif path == ("bom", "metadata", "timestamp"):
            self.bom["metadata_timestamp"] = text
        elif path[-1] == "severity" and "rating" in path and self.severities and not self.is_rated:
            self.severities[-1] = {"ratings": [{"severity": text}]}
            self.is_rated = True

    def finding(self) -> Finding:
        """What it came to."""
        if self.root in {"testsuites", "testsuite"}:
            return self._tests()
        if self.root == "bom":
            return self._bom()
        raise InputError(
            "The XML is neither a JUnit report nor a CycloneDX document; nothing was read."
        )

    def _tests(self) -> Finding:
        bad = self.tests["failures"] + self.tests["errors"]
        ran = self.tests["tests"] - self.tests["skipped"]
        times = [at for at in map(clean_time, self.times) if at]
        return Finding(
            "test",
            clean_text(self.title) or "JUnit",
            # Where nothing ran, nothing passed.
            result="failed" if bad else "passed" if ran > 0 else None,
            occurred_at=max(times, default=None),
            details={"format": "JUnit", "tests": self.tests},
        )

    def _bom(self) -> Finding:
        return read_cyclonedx(
            Part(
                {
                    "bomFormat": "CycloneDX",
                    "serialNumber": self.bom.get("serialNumber"),
                    "version": self.bom.get("version"),
                    "metadata": {
                        "timestamp": self.bom.get("metadata_timestamp"),
                        "component": self.subject,
                    },
                    "components": [None] * self.components,
                    "vulnerabilities": self.severities,
                }
            )
        )


_OUTCOMES = {"failure": "failures", "error": "errors", "skipped": "skipped"}
