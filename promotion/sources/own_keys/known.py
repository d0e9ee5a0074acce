"""The tools whose own signatures are checked. A new one is a module of its own and a line here."""

from .aws import SnsMessage
from .base import OwnKey
from .google import GoogleToken
from .travis import TravisSignature

OWN_KEYS: dict[str, OwnKey] = {
    "aws": SnsMessage(),
    "google": GoogleToken(),
    "travis": TravisSignature(),
}
