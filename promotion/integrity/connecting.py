"""From the name of a connection to the thing behind it: repositories of images, services, secrets."""

import base64
import binascii
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from promotion.exceptions import InputError
from promotion.integrity.oci.authorization import RegistryCredentials
from promotion.integrity.oci.layout import OciLayoutStore
from promotion.integrity.oci.registry import OciRegistry
from promotion.integrity.oci.repository import Repository, RepositoryStore
from promotion.integrity.outgoing import open_client
from promotion.models import Connection

OCI_KINDS = (Connection.Kind.OCI_LAYOUT, Connection.Kind.OCI_REGISTRY)
# Standard Webhooks: secrets are written with this prefix and base64.
_SECRET_PREFIX = "whsec_"  # noqa: S105 - a mark of the format, no secret


def find_connection(name: str, *kinds: Connection.Kind) -> Connection:
    """Return the connection of that name, of one of the kinds if any are given; raises InputError."""
    connection = Connection.objects.filter(name=name).first()
    if connection is None:
        raise InputError(
            f"There is no connection {name[:100]!r}, so nothing was done."
            " Create it under Integrations, or correct the pipeline."
        )
    if kinds and connection.kind not in kinds:
        wanted = " or ".join(str(kind.label) for kind in kinds)
        raise InputError(
            f"The connection {name} is of the kind {connection.get_kind_display()}, where"
            f" {wanted} is needed. Nothing was done. Correct the pipeline or the connection."
        )
    return connection


def locate_directory(connection: Connection) -> Path:
    """Return the directory of this machine that the connection's address names.

    A relative one is below the data directory. Raises InputError for the address of another
    machine and for a relative one that leaves the data directory.
    """
    parts = urlsplit(connection.address)
    if parts.scheme not in {"", "file"} or parts.netloc not in {"", "localhost"} or not parts.path:
        raise InputError(
            f"The address of the connection {connection.name} is no directory of this machine."
            " Nothing was done. Correct the address under Integrations."
        )
    path = Path(parts.path)
    if path.is_absolute():
        return path.resolve()
    return check_inside(Path(settings.DATA_DIR), Path(settings.DATA_DIR) / path)


def check_inside(root: Path, path: Path) -> Path:
    """Return the path with links followed; raises InputError where it is not below the root."""
    resolved = path.resolve()
    if not resolved.is_relative_to(root.resolve()):
        raise InputError(
            f"{path.name!r} leads out of the directory it must be in. Nothing was done."
            " Correct the pipeline or the connection."
        )
    return resolved


def signing_secret(connection: Connection) -> bytes | None:
    """Return the key that calls are signed with, None where the connection has no secret.

    Both plain text and the form of Standard Webhooks (whsec_ and base64) are read; raises
    InputError where the latter is not base64.
    """
    secret = str(connection.secret)
    return read_secret(secret, connection.name) if secret else None


def read_secret(secret: str, name: str) -> bytes:
    """The key behind a signing secret; `name` is the connection's or channel's in the InputError."""
    if not secret.startswith(_SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise InputError(
            f"The signing secret of {name} begins with {_SECRET_PREFIX} but is not base64."
            " Nothing was called. Enter it again."
        ) from error


class Repositories:
    """Opens repositories of images by place; one registry is opened once, all close at the end."""

    def __init__(self) -> None:
        self._stores: dict[str, RepositoryStore] = {}
        self._client: httpx.Client | None = None

    def open(self, place: str) -> Repository:
        """Return the repository at "connection/path"; it need not have anything in it yet.

        Raises InputError for an unknown connection, one that holds no images, or a bad name.
        """
        name, _, path = place.partition("/")
        if name not in self._stores:
            self._stores[name] = self._open_store(find_connection(name, *OCI_KINDS))
        repository = self._stores[name].open_repository(path)
        store = self._stores[name]
        if isinstance(store, OciLayoutStore):
            check_inside(store.root, store.root / path)
        return repository

    def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._stores.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_store(self, connection: Connection) -> RepositoryStore:
        if connection.kind == Connection.Kind.OCI_LAYOUT:
            return OciLayoutStore(locate_directory(connection))
        if self._client is None:
            self._client = open_client()
        credentials = None
        if connection.username or connection.secret:
            credentials = RegistryCredentials(connection.username, connection.secret)
        return OciRegistry(connection.address, credentials, client=self._client)
