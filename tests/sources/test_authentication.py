"""Each sender's own proof: good, wrong, missing, rotated, old."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from promotion.sources.base import AuthenticationError, Delivery
from promotion.sources.known import SOURCES

BODY = '{"caf\u00e9": true}'.encode()
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET = "correct horse"
VECTORS = json.loads((Path(__file__).parents[1] / "fixtures/signatures/vectors.json").read_text())
SENDER_OF = {
    "github": "github",
    "circleci": "circleci",
    "standard-webhooks": "generic",
    "hmac-sha256": "flux",
}


def sign(secret: str, content: bytes = BODY, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), content, getattr(hashlib, algorithm)).hexdigest()


def standard(secret: str, at: datetime = NOW, prefix: str = "webhook") -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    content = f"msg_1.{stamp}.".encode() + BODY
    mac = base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()
    return {
        f"{prefix}-id": "msg_1",
        f"{prefix}-timestamp": stamp,
        f"{prefix}-signature": f"v1,{mac}",
    }


def buildkite(secret: str, at: datetime = NOW) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    mac = sign(secret, stamp.encode() + b"." + BODY)
    return {"X-Buildkite-Signature": f"timestamp={stamp},signature={mac}"}


def grafana(secret: str, at: datetime = NOW) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {
        "X-Grafana-Alerting-Timestamp": stamp,
        "X-Grafana-Alerting-Signature": sign(secret, stamp.encode() + b":" + BODY),
    }


def netlify(secret: str, **claims: str) -> dict[str, str]:
    said = {"iss": "netlify", "sha256": hashlib.sha256(BODY).hexdigest()} | claims
    head = claims.pop("head", '{"alg":"HS256","typ":"JWT"}')
    parts = [head.encode(), json.dumps(said).encode()]
    signed = ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)
    mac = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return {
        "X-Webhook-Signature": f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    }


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


PROOFS: dict[str, Any] = {
    "github": lambda s: ("github", {"X-Hub-Signature-256": f"sha256={sign(s)}"}),
    "gitlab token": lambda s: ("gitlab", {"X-Gitlab-Token": s}),
    "gitlab signed": lambda s: ("gitlab", standard(s)),
    "gitea": lambda s: ("gitea", {"X-Gitea-Signature": sign(s)}),
    "forgejo": lambda s: ("gitea", {"X-Forgejo-Signature": sign(s)}),
    "gitea as github": lambda s: ("gitea", {"X-Hub-Signature-256": f"sha256={sign(s)}"}),
    "bitbucket": lambda s: ("bitbucket", {"X-Hub-Signature": f"sha256={sign(s)}"}),
    "azuredevops": lambda s: ("azuredevops", basic("hook", s)),
    "circleci": lambda s: ("circleci", {"circleci-signature": f"v0=00,v1={sign(s)}"}),
    "buildkite token": lambda s: ("buildkite", {"X-Buildkite-Token": s}),
    "buildkite signed": lambda s: ("buildkite", buildkite(s)),
    "netlify": lambda s: ("netlify", netlify(s)),
    "pagerduty": lambda s: ("pagerduty", {"X-PagerDuty-Signature": f"v1=00,v1={sign(s)}"}),
    "harbor": lambda s: ("harbor", {"Authorization": s}),
    "registry": lambda s: ("registry", {"Authorization": f"Bearer {s}"}),
    "artifactory token": lambda s: ("artifactory", {"X-JFrog-Event-Auth": s}),
    "artifactory signed": lambda s: ("artifactory", {"X-JFrog-Event-Auth": sign(s)}),
    "artifactory sha1": lambda s: (
        "artifactory",
        {"X-JFrog-Event-Auth": f"sha1={sign(s, algorithm='sha1')}"},
    ),
    "nexus": lambda s: ("nexus", {"X-Nexus-Webhook-Signature": sign(s, algorithm="sha1")}),
    "flux": lambda s: ("flux", {"X-Signature": f"sha256={sign(s)}"}),
    "sonarqube": lambda s: ("sonarqube", {"X-Sonar-Webhook-HMAC-SHA256": sign(s)}),
    "semaphore": lambda s: ("semaphore", {"X-Semaphore-Signature-256": sign(s)}),
    "grafana": lambda s: ("grafana", {"X-Grafana-Alerting-Signature": sign(s)}),
    "grafana timed": lambda s: ("grafana", grafana(s)),
    "alertmanager": lambda s: ("alertmanager", basic("alerts", s)),
    "aws": lambda s: ("aws", {"X-Api-Key": s}),
    "cloudevents": lambda s: ("cloudevents", {"Authorization": f"Bearer {s}"}),
    "cdevents signed": lambda s: ("cdevents", standard(s)),
    "svix": lambda s: ("generic", standard(s, prefix="svix")),
    "generic": lambda s: ("generic", {"Authorization": f"Bearer {s}"}),
    "sentry": lambda s: ("sentry", {"Sentry-Hook-Signature": sign(s)}),
    "gocd": lambda s: ("gocd", basic("gocd", s)),
    "rundeck": lambda s: ("rundeck", {"Authorization": s}),
    "spinnaker": lambda s: ("spinnaker", basic("echo", s)),
    "google": lambda s: ("google", {"Authorization": f"Bearer {s}"}),
    "buildbot": lambda s: ("buildbot", basic("buildbot", s)),
    "evidence": lambda s: ("evidence", {"Authorization": f"Bearer {s}"}),
    "evidence signed": lambda s: ("evidence", standard(s)),
}
TIMED: dict[str, Any] = {
    "gitlab": standard,
    "generic": standard,
    "buildkite": buildkite,
    "grafana": grafana,
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["scheme"])
def test_published_signatures_are_accepted(vector: dict[str, Any]) -> None:
    headers = vector.get("headers") or {vector["header"]: vector["value"]}
    delivery = Delivery(vector["body"].encode(), headers)
    at = datetime.fromtimestamp(int(headers.get("webhook-timestamp", NOW.timestamp())), UTC)
    source = SOURCES[SENDER_OF[vector["scheme"]]]
    source.authenticate(delivery, [vector["secret"]], at)
    body = vector["body"].encode()
    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(AuthenticationError):
            source.authenticate(Delivery(changed, headers), [vector["secret"]], at)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["scheme"])
def test_a_published_signature_with_one_character_changed_is_refused(
    vector: dict[str, Any],
) -> None:
    headers = vector.get("headers") or {vector["header"]: vector["value"]}
    name = vector.get("header", "webhook-signature")
    value, source = headers[name], SOURCES[SENDER_OF[vector["scheme"]]]
    at = datetime.fromtimestamp(int(headers.get("webhook-timestamp", NOW.timestamp())), UTC)
    for place in range(len(value) - 1):  # the last character of Base64 holds spare bits
        other = "0" if value[place] != "0" else "1"
        changed = headers | {name: value[:place] + other + value[place + 1 :]}
        with pytest.raises(AuthenticationError):
            source.authenticate(Delivery(vector["body"].encode(), changed), [vector["secret"]], at)


@pytest.mark.parametrize("name", PROOFS)
def test_the_right_secret_is_accepted_and_any_other_refused(name: str) -> None:
    kind, headers = PROOFS[name](SECRET)
    delivery = Delivery(BODY, headers)
    SOURCES[kind].authenticate(delivery, [SECRET], NOW)
    with pytest.raises(AuthenticationError, match="does not fit any secret"):
        SOURCES[kind].authenticate(delivery, ["another"], NOW)


@pytest.mark.parametrize("name", PROOFS)
def test_during_a_change_both_secrets_hold(name: str) -> None:
    kind, headers = PROOFS[name]("the old one")
    delivery = Delivery(BODY, headers)
    SOURCES[kind].authenticate(delivery, ["the new one", "the old one"], NOW)
    with pytest.raises(AuthenticationError):
        SOURCES[kind].authenticate(delivery, ["the new one"], NOW)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_delivery_without_proof_is_refused_with_a_sentence(kind: str) -> None:
    with pytest.raises(AuthenticationError, match="was not taken in") as refused:
        SOURCES[kind].authenticate(Delivery(BODY), [SECRET], NOW)
    assert refused.value.retryable is False


@pytest.mark.parametrize("name", PROOFS)
@pytest.mark.parametrize("secrets", [[], [""], ["  "]])
def test_without_a_secret_nobody_gets_in(name: str, secrets: list[str]) -> None:
    kind, headers = PROOFS[name]("")
    with pytest.raises(AuthenticationError):
        SOURCES[kind].authenticate(Delivery(BODY, headers), secrets, NOW)


@pytest.mark.parametrize("kind", TIMED)
def test_a_delivery_sent_again_later_is_refused(kind: str) -> None:
    delivery = Delivery(BODY, TIMED[kind](SECRET))
    SOURCES[kind].authenticate(delivery, [SECRET], NOW + timedelta(minutes=5))
    for at in (NOW + timedelta(minutes=6), NOW - timedelta(minutes=6)):
        with pytest.raises(AuthenticationError, match="five minutes"):
            SOURCES[kind].authenticate(delivery, [SECRET], at)


@pytest.mark.parametrize(
    "kind",
    ["dockerhub", "quay", "jenkins", "aws", "azure", "travis", "google", "statuspage", "spinnaker"],
)
def test_tools_that_cannot_sign_carry_the_secret_in_the_address(kind: str) -> None:
    SOURCES[kind].authenticate(Delivery(BODY, url_secret=SECRET), [SECRET], NOW)
    with pytest.raises(AuthenticationError):
        SOURCES[kind].authenticate(Delivery(BODY, url_secret="guess"), [SECRET], NOW)


@pytest.mark.parametrize(
    "kind", ["github", "gitlab", "bitbucket", "harbor", "generic", "sentry", "evidence"]
)
def test_a_secret_in_the_address_counts_only_where_it_must(kind: str) -> None:
    with pytest.raises(AuthenticationError):
        SOURCES[kind].authenticate(Delivery(BODY, url_secret=SECRET), [SECRET], NOW)


def test_a_signature_over_another_body_is_refused() -> None:
    headers = netlify(SECRET)
    with pytest.raises(AuthenticationError):
        SOURCES["netlify"].authenticate(Delivery(BODY + b" ", headers), [SECRET], NOW)


@pytest.mark.parametrize(
    "claims", [{"iss": "somebody"}, {"sha256": "0" * 64}, {"head": '{"alg":"none"}'}]
)
def test_a_json_web_signature_counts_only_with_all_its_claims(claims: dict[str, str]) -> None:
    with pytest.raises(AuthenticationError):
        SOURCES["netlify"].authenticate(Delivery(BODY, netlify(SECRET, **claims)), [SECRET], NOW)


def test_a_signature_of_another_version_does_not_count() -> None:
    delivery = Delivery(BODY, {"X-PagerDuty-Signature": f"v2={sign(SECRET)}"})
    with pytest.raises(AuthenticationError):
        SOURCES["pagerduty"].authenticate(delivery, [SECRET], NOW)


def test_a_wrong_signature_is_not_made_good_by_another_proof() -> None:
    headers = {"X-Signature": "sha256=00", "Authorization": f"Bearer {SECRET}"}
    with pytest.raises(AuthenticationError):
        SOURCES["flux"].authenticate(Delivery(BODY, headers), [SECRET], NOW)


def test_a_public_key_checks_signatures_of_version_1a() -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = "whpk_" + base64.b64encode(public).decode()
    headers = standard(SECRET)
    content = f"msg_1.{headers['webhook-timestamp']}.".encode() + BODY
    made = base64.b64encode(private.sign(content)).decode()
    headers["webhook-signature"] = f"v1,AAAA v1a,{made}"
    SOURCES["generic"].authenticate(Delivery(BODY, headers), [key], NOW)
    with pytest.raises(AuthenticationError):
        SOURCES["generic"].authenticate(Delivery(BODY + b" ", headers), [key], NOW)


@pytest.mark.parametrize("name", PROOFS)
def test_strange_letters_in_a_proof_are_refused_not_broken(name: str) -> None:
    kind, headers = PROOFS[name](SECRET)
    strange = {key: "v1,\u00e9\udcff=\u2713 " + value[:3] for key, value in headers.items()}
    with pytest.raises(AuthenticationError):
        SOURCES[kind].authenticate(Delivery(BODY, strange), [SECRET], NOW)
