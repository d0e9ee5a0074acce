"""How each tool is told who asks: from the connection's user name and secret to headers."""

import base64
from collections.abc import Mapping


def by_bearer(_username: str, secret: str) -> Mapping[str, str]:
    """RFC 6750."""
    return {"Authorization": f"Bearer {secret}"} if secret else {}


def by_private_token(_username: str, secret: str) -> Mapping[str, str]:
    """GitLab's own header."""
    return {"PRIVATE-TOKEN": secret} if secret else {}


def by_basic(username: str, secret: str) -> Mapping[str, str]:
    """RFC 7617; with a secret alone, a bearer token."""
    if not username:
        return by_bearer(username, secret)
    pair = base64.b64encode(f"{username}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}
