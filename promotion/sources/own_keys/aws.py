"""SNS messages, signed with a certificate of SNS; signature versions 1 (SHA-1) and 2 (SHA-256).

Format: docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages". Anybody can have
SNS sign for a topic of theirs, so that the topic must be ours.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from promotion.exceptions import InputError
from promotion.sources.base import AuthenticationError, Delivery
from promotion.sources.reading import Part, read_elements

from .base import Expected, KeysUnreadableError, is_signed, refuse

# Only a region there: sns.s3.amazonaws.com is a bucket that somebody may own.
_REGION = r"[a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}"
_HOST = rf"https://sns\.{_REGION}\.amazonaws\.com(?:\.cn)?"
CERTIFICATE = re.compile(_HOST + r"/SimpleNotificationService-[0-9a-f]{8,128}\.pem", re.ASCII)
SUBSCRIBE = re.compile(_HOST + r"/\?Action=ConfirmSubscription&[\x21-\x7e]{1,2000}", re.ASCII)
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)
_NOTICE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_ASKING = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_ALGORITHMS = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  what SNS signs with
_SET = "Subscribe the hook without raw message delivery to the topic named here."


@dataclass(frozen=True, slots=True)
class SnsMessage:
    """The signature in the message."""

    certificate: re.Pattern[str] = CERTIFICATE
    asks: str = "Topic of SNS"
    hint: str = (
        "Its ARN. Subscribe the hook by HTTPS without raw message delivery; the subscription is"
        " confirmed on the page of the event that asks for it."
    )

    def is_name(self, text: str) -> bool:
        """The ARN of a topic."""
        return _TOPIC.fullmatch(text) is not None

    def keys_at(self, delivery: Delivery, expected: Expected) -> str:
        """The certificate that the message names, of SNS alone; none is fetched for another topic."""
        message = _message(delivery)
        if message["TopicArn"].exact() != expected.signed_by:
            raise refuse("The message is of another topic", _SET)
        address = message["SigningCertURL"].exact() or ""
        if not self.certificate.fullmatch(address):
            raise refuse("The message names no certificate of SNS", _SET)
        return address

    def check(self, delivery: Delivery, keys: bytes, expected: Expected, now: datetime) -> None:
        """Certificate and signature; the topic was asked for before."""
        message = _message(delivery)
        algorithm = _ALGORITHMS.get(message["SignatureVersion"].text() or "")
        if algorithm is None:
            raise refuse("The message is not signed in version 1 or 2", _SET)
        try:
            certificate = x509.load_pem_x509_certificate(keys)
        except ValueError:
            raise KeysUnreadableError(self.keys_at(delivery, expected)) from None
        try:
            signature = base64.b64decode(message["Signature"].exact() or "", validate=True)
        except (ValueError, binascii.Error):
            raise refuse("The message's signature cannot be read", _SET) from None
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise refuse("The certificate of the message is not valid now", "Set the clock.")
        if not is_signed(certificate.public_key(), signature, _signed(message), algorithm):
            raise refuse("The message's signature does not hold", _SET)
        named = delivery.headers.get("X-Amz-Sns-Message-Id")
        if named is not None and named != message["MessageId"].exact():
            raise refuse("The header names another message than the body")


def find_subscription(body: bytes) -> str | None:
    """The address by which a subscription of SNS is confirmed; None where the body asks for none."""
    try:
        message = _message(Delivery(body))
    except AuthenticationError:
        return None
    if message["Type"].exact() != "SubscriptionConfirmation":
        return None
    address = message["SubscribeURL"].exact() or ""
    return address if SUBSCRIBE.fullmatch(address) else None


def _message(delivery: Delivery) -> Part:
    try:
        elements, _ = read_elements(delivery)
    except InputError:
        elements = []
    if len(elements) != 1:
        raise refuse("The delivery is no message of SNS", _SET)
    return elements[0][1]


def _signed(message: Part) -> bytes:
    """Each field's name and value on lines of their own; Subject only where there is one."""
    names = _NOTICE if message["Type"].exact() == "Notification" else _ASKING
    lines: list[str] = []
    for name in names:
        value = message[name].value
        if isinstance(value, str):
            lines += [name, value]
        elif name != "Subject" or value is not None:
            raise refuse(f"The message has no {name}", _SET)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
