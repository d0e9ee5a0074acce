"""The keys of both sides of an SSH connection: our own to show, the host's to expect."""

import hmac
import io
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from paramiko import ECDSAKey, Ed25519Key, PKey, RSAKey
from paramiko.hostkeys import HostKeyEntry, HostKeys

from promotion.exceptions import InputError

_USUAL_PORT = 22
# A key of one name may sign in several ways; the old one, with SHA-1, is not used.
_SIGNED_BY = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
_KINDS: tuple[tuple[type, type[PKey]], ...] = (
    (ed25519.Ed25519PrivateKey, Ed25519Key),
    (ec.EllipticCurvePrivateKey, ECDSAKey),
    (rsa.RSAPrivateKey, RSAKey),
)


def is_private_key(text: str) -> bool:
    """Is it a key rather than a password?"""
    return text.lstrip().startswith("-----BEGIN ")


def read_private_key(text: str) -> PKey:
    """Read a key in OpenSSH's form, PKCS#1 or PKCS#8, without a passphrase; raises InputError."""
    # Browsers send lines with a carriage return.
    written = text.strip().replace("\r\n", "\n").encode() + b"\n"
    is_openssh = b"BEGIN OPENSSH" in written
    load = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    try:
        key = load(written, password=None)
    except TypeError as error:
        raise InputError(
            "The private key has a passphrase. Nothing was changed. It is kept encrypted here, so"
            " enter it without one: ssh-keygen -p removes it.",
            key="private_key",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(
            "The private key cannot be read. Nothing was changed. Enter the whole file, from"
            " -----BEGIN to the end, as ssh-keygen writes it.",
            key="private_key",
        ) from error
    for kind, wanted in _KINDS:
        if isinstance(key, kind):
            plain = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.OpenSSH,
                serialization.NoEncryption(),
            )
            return wanted.from_private_key(io.StringIO(plain.decode()))
    raise InputError(
        "The private key is of a kind that is not used. Nothing was changed. Make one with"
        " ssh-keygen -t ed25519.",
        key="private_key",
    )


@dataclass(frozen=True, slots=True)
class PinnedKeys:
    """The keys one host may show; any other is refused."""

    keys: tuple[PKey, ...]

    @classmethod
    def read(cls, text: str, host: str, port: int) -> Self:
        """Read the lines of a known_hosts file that speak of the host.

        A line of only kind and key is of the host itself. Raises InputError where a line cannot be
        read, or none is of the host.
        """
        found: list[PKey] = []
        name = host if port == _USUAL_PORT else f"[{host}]:{port}"
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            entry = _read_entry(words, name)
            if entry is None:
                raise InputError(
                    f"Line {number} of the host keys cannot be read. Nothing was changed. Enter"
                    " what ssh-keyscan prints, once you have compared it with the host's owner.",
                    key="known_hosts",
                )
            if any(_names(written, name) for written in entry.hostnames):
                found.append(entry.key)
        if not found:
            raise InputError(
                f"No key of {name} is among the connection's host keys, so nobody could tell the host"
                " from another one. Nothing was called. Enter the line of a known_hosts file for it.",
                key="known_hosts",
            )
        return cls(tuple(found))

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What to ask the host to show its key by, so that it shows one of these."""
        names = dict.fromkeys(key.get_name() for key in self.keys)
        return tuple(way for name in names for way in _SIGNED_BY.get(name, (name,)))

    def hold(self, key: PKey) -> bool:
        """Is the key shown one of them?"""
        return any(key.asbytes() == pinned.asbytes() for pinned in self.keys)


def _read_entry(words: list[str], name: str) -> HostKeyEntry | None:
    """None for what cannot be read, among it the marks of revoked keys and of authorities."""
    if words[0].startswith("@"):
        return None
    is_bare = words[0].startswith(("ssh-", "ecdsa-")) and len(words) >= 2
    line = " ".join([name, *words[:2]] if is_bare else words[:3])
    try:
        return HostKeyEntry.from_line(line)
    except Exception:
        # The library raises whatever the bytes happen to break.
        return None


def _names(written: str, name: str) -> bool:
    """Does a name of a line, plain or hashed, mean the host?"""
    if written.startswith("|1|"):
        return hmac.compare_digest(HostKeys.hash_host(name, written), written)
    return written == name
