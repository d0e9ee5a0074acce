"""A token service as registries send their clients to, signing what a registry accepts."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from tests.parts.recording_server import Answer, Asked, RecordingServer, run_recording_server

SERVICE = "registry.test"
ISSUER = "token.test"


@dataclass(frozen=True, slots=True)
class TokenService:
    """The running service and the settings with which a registry trusts it."""

    server: RecordingServer
    registry_settings: dict[str, Any]


@contextmanager
def run_token_service(directory: Path, *, username: str, password: str) -> Iterator[TokenService]:
    """Serve tokens to whoever knows the password, for exactly the scopes asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _make_certificate(key)
    bundle = directory / "token-root.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()

    def answer(asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Basic {pair}":
            return Answer(401, body=b'{"errors":[{"code":"UNAUTHORIZED","message":"who?"}]}')
        scopes = parse_qs(urlsplit(asked.path).query).get("scope", [])
        token = _sign(key, certificate, scopes)
        body = json.dumps({"token": token, "expires_in": 300}).encode()
        return Answer(headers={"Content-Type": "application/json"}, body=body)

    with run_recording_server(answer) as server:
        settings = {
            "token": {
                "realm": f"{server.base_url}/token",
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(bundle),
            }
        }
        yield TokenService(server, settings)


def _make_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )


def _sign(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, scopes: list[str]) -> str:
    now = int(datetime.now(UTC).timestamp())
    der = certificate.public_bytes(serialization.Encoding.DER)
    header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
    access = []
    for scope in scopes:
        kind, name, actions = scope.split(":")
        access.append({"type": kind, "name": name, "actions": actions.split(",")})
    claims = {
        "iss": ISSUER,
        "sub": "tester",
        "aud": SERVICE,
        "iat": now,
        "nbf": now - 10,
        "exp": now + 300,
        "jti": "1",
        "access": access,
    }
    signed = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
