"""Google, SNS and Travis CI as a receiver meets them: keys of the test's own, served over HTTP."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.parts.recording_server import Answer, Asked

TOPIC = "arn:aws:sns:eu-central-1:123456789012:deployments"


def make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def sign(key: rsa.RSAPrivateKey, content: bytes, algorithm: hashes.HashAlgorithm) -> str:
    return base64.b64encode(key.sign(content, padding.PKCS1v15(), algorithm)).decode()


@dataclass
class Publishing:
    """What the server answers at each path; `status` for all while it is broken."""

    documents: dict[str, bytes] = field(default_factory=dict)
    status: int = 200

    def answer(self, asked: Asked) -> Answer:
        body = self.documents.get(asked.path)
        if self.status != 200 or body is None:
            return Answer(self.status if self.status != 200 else 404, body=b"nothing here")
        return Answer(body=body)


@dataclass
class GoogleSigner:
    key: rsa.RSAPrivateKey
    name: str = "k1"

    def key_set(self) -> bytes:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        public |= {"kid": self.name, "alg": "RS256", "use": "sig"}
        return json.dumps({"keys": [public]}).encode()

    def token(self, at: datetime, audience: str, **claims: Any) -> str:
        said = {
            "iss": "https://accounts.google.com",
            "aud": audience,
            "email": "push@acme.iam.gserviceaccount.com",
            "email_verified": True,
            "iat": int(at.timestamp()),
            "exp": int((at + timedelta(hours=1)).timestamp()),
        } | claims
        return jwt.encode(said, self.key, algorithm="RS256", headers={"kid": self.name})


@dataclass
class SnsSigner:
    key: rsa.RSAPrivateKey
    certificate_url: str

    def certificate(self, at: datetime) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(at - timedelta(days=1))
            .not_valid_after(at + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

    def message(self, version: str = "2", **fields: str) -> bytes:
        said = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": '{"AlarmName": "shop is slow", "NewStateValue": "ALARM"}',
            "Timestamp": "2026-03-02T09:00:00.000Z",
        } | fields
        asks = said["Type"] != "Notification"
        names = ["Message", "MessageId", "SubscribeURL" if asks else "Subject", "Timestamp"]
        names += ["Token"] if asks else []
        names += ["TopicArn", "Type"]
        content = "".join(f"{one}\n{said[one]}\n" for one in names if one in said).encode()
        algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
        said["SignatureVersion"] = version
        said["Signature"] = sign(self.key, content, algorithm)
        said["SigningCertURL"] = self.certificate_url
        return json.dumps(said).encode()


@dataclass
class TravisSigner:
    key: rsa.RSAPrivateKey

    def configuration(self) -> bytes:
        pem = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return json.dumps(
            {"config": {"notifications": {"webhook": {"public_key": pem.decode()}}}}
        ).encode()

    def form(self, payload: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        text = json.dumps(payload)
        headers = {"Signature": sign(self.key, text.encode(), hashes.SHA1())}
        return b"payload=" + quote_plus(text).encode(), headers
