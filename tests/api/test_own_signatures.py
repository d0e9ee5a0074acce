"""Tools that sign with keys of their own: fetched, kept, checked; nothing else is believed then."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from promotion.integrity.published_keys import forget_keys
from promotion.models import Event, Sender
from promotion.sources.own_keys.aws import CERTIFICATE, SUBSCRIBE, SnsMessage, find_subscription
from promotion.sources.own_keys.google import GoogleToken
from promotion.sources.own_keys.known import OWN_KEYS
from promotion.sources.own_keys.travis import TravisSignature
from tests.factories import NOW, make_sender
from tests.parts.recording_server import run_recording_server
from tests.parts.signers import (
    TOPIC,
    GoogleSigner,
    Publishing,
    SnsSigner,
    TravisSigner,
    make_key,
)

pytestmark = pytest.mark.django_db
ACCOUNT = "push@acme.iam.gserviceaccount.com"
HOOK = "http://127.0.0.1:8000/hooks/google"
PUSH = b'{"message": {"messageId": "1", "data": "e30="}}'
BUILD = {"id": 7, "state": "passed", "repository": {"owner_name": "acme", "name": "shop"}}
CERTIFICATE_PATH = "/SimpleNotificationService-0123456789abcdef.pem"


@pytest.fixture(scope="module")
def key():
    return make_key()


@pytest.fixture(scope="module")
def other_key():
    return make_key()


@pytest.fixture
def published(key, settings, monkeypatch):
    """All three as if the tools published at a server of ours, which an administrator allows."""
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    forget_keys()
    publishing = Publishing()
    with run_recording_server(publishing.answer) as server:
        base = server.base_url
        publishing.server, publishing.base = server, base
        publishing.documents = {
            "/certs": GoogleSigner(key).key_set(),
            "/config": TravisSigner(key).configuration(),
            CERTIFICATE_PATH: SnsSigner(key, "").certificate(NOW),
        }
        pattern = re.compile(re.escape(base) + r"/SimpleNotificationService-[0-9a-f]+\.pem")
        monkeypatch.setitem(OWN_KEYS, "google", GoogleToken(keys=f"{base}/certs"))
        monkeypatch.setitem(OWN_KEYS, "travis", TravisSignature(keys=f"{base}/config"))
        monkeypatch.setitem(OWN_KEYS, "aws", SnsMessage(certificate=pattern))
        yield publishing
    forget_keys()


def post(slug, body, content_type="application/json", **headers):
    return Client().post(f"/hooks/{slug}", body, content_type=content_type, headers=headers)


def push(token, slug="google", body=PUSH):
    return post(slug, body, Authorization=f"Bearer {token}")


def test_a_push_with_the_identity_token_of_the_account_is_taken_in(published, key):
    make_sender("google", "google", signed_by=ACCOUNT)
    assert push(GoogleSigner(key).token(NOW, HOOK)).status_code == 202
    assert Event.objects.get().delivery_id == "1"


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"email": "push@evil.iam.gserviceaccount.com"}, "another service account"),
        ({"email_verified": False}, "another service account"),
        ({"aud": "https://elsewhere.example/hooks/google"}, "not meant for"),
        ({"aud": HOOK + "/more"}, "not meant for"),
        ({"iss": "https://evil.example"}, "does not hold"),
        ({"exp": int(NOW.timestamp()) - 120}, "expired"),
        ({"iat": int(NOW.timestamp()) + 600}, "expired or is not valid yet"),
        ({"exp": "soon"}, "no readable time"),
    ],
)
def test_an_identity_token_that_says_anything_else_is_refused(published, key, claims, says):
    sender = make_sender("google", "google", signed_by=ACCOUNT)
    answer = push(GoogleSigner(key).token(NOW, HOOK, **claims))
    assert answer.status_code == 401
    assert says in answer.json()["detail"]
    sender.refresh_from_db()
    assert sender.refused_count == 1
    assert not Event.objects.exists()


def test_tokens_signed_by_others_or_not_at_all_are_refused(published, key, other_key):
    make_sender("google", "google", signed_by=ACCOUNT)
    good = GoogleSigner(key).token(NOW, HOOK)
    head, claims, signature = good.split(".")
    unsigned = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ"
    for token in (
        GoogleSigner(other_key).token(NOW, HOOK),
        GoogleSigner(other_key, "k2").token(NOW, HOOK),
        f"{unsigned}.{claims}.",
        f"{unsigned}.{claims}.{signature}",
        f"{head}.{claims}.",
        f"{head}.{claims[:-4]}AAAA.{signature}",
        "a.b.c",
        "",
        "é",
    ):
        assert push(token).status_code == 401, token
    published.server.asked.clear()
    assert post("google", PUSH).status_code == 401
    assert push("whsec-test").status_code == 401
    assert published.server.asked == []


def test_the_secret_is_no_proof_where_the_signature_is_set_and_the_only_one_where_it_is_not(
    published, key
):
    sender = make_sender("google", "google", signed_by=ACCOUNT)
    assert push("whsec-test").status_code == 401
    assert post("google?secret=whsec-test", PUSH).status_code == 401
    Sender.objects.filter(pk=sender.pk).update(signed_by="")
    assert push(GoogleSigner(key).token(NOW, HOOK)).status_code == 401
    assert post("google?secret=whsec-test", PUSH).status_code == 202


def test_keys_are_fetched_once_and_again_when_the_tool_changed_its_own(published, key, other_key):
    make_sender("google", "google", signed_by=ACCOUNT)
    for number in range(3):
        body = json.dumps({"message": {"messageId": str(number), "data": "e30="}}).encode()
        assert push(GoogleSigner(key).token(NOW, HOOK), body=body).status_code == 202
    assert len(published.server.asked) == 1
    published.documents["/certs"] = GoogleSigner(other_key, "k2").key_set()
    token = GoogleSigner(other_key, "k2").token(NOW, HOOK)
    # Not at once, or anybody could make us fetch as often as they like.
    assert push(token).status_code == 401
    assert len(published.server.asked) == 1


def test_newer_keys_are_fetched_a_minute_later(published, key, other_key, monkeypatch):
    make_sender("google", "google", signed_by=ACCOUNT)
    assert push(GoogleSigner(key).token(NOW, HOOK)).status_code == 202
    published.documents["/certs"] = GoogleSigner(other_key, "k2").key_set()
    monkeypatch.setattr("promotion.actions.prove_delivery.NEWEST", 0.0)
    assert push(GoogleSigner(other_key, "k2").token(NOW, HOOK)).status_code == 202
    assert len(published.server.asked) == 2


@pytest.mark.parametrize(
    ("status", "document"), [(500, b""), (200, b"<html>"), (200, b'{"keys": []}'), (302, b"")]
)
def test_without_keys_nobody_can_say_and_the_tool_is_asked_to_send_again(
    published, key, status, document
):
    sender = make_sender("google", "google", signed_by=ACCOUNT)
    published.status, published.documents["/certs"] = status, document
    for _ in range(2):
        answer = push(GoogleSigner(key).token(NOW, HOOK))
        assert answer.status_code == 503
        assert answer["Retry-After"] == "30"
        assert "Nothing was kept" in answer.json()["detail"]
    assert len(published.server.asked) <= 2
    sender.refresh_from_db()
    assert sender.refused_count == 0
    assert not Event.objects.exists()


def test_keys_at_a_private_address_that_nobody_allows_are_not_fetched(published, key, settings):
    make_sender("google", "google", signed_by=ACCOUNT)
    settings.ALLOWED_PRIVATE_NETWORKS = []
    answer = push(GoogleSigner(key).token(NOW, HOOK))
    assert answer.status_code == 503
    assert "not a public address" in answer.json()["detail"]
    assert published.server.asked == []


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "Über die Grenze"}])
def test_a_message_of_the_topic_signed_by_sns_is_taken_in(published, key, version, subject):
    make_sender("aws", "aws", signed_by=TOPIC)
    signer = SnsSigner(key, published.base + CERTIFICATE_PATH)
    assert post("aws", signer.message(version, **subject), "text/plain").status_code == 202


def test_a_message_that_was_changed_or_is_of_another_topic_is_refused(published, key, other_key):
    make_sender("aws", "aws", signed_by=TOPIC)
    place = published.base + CERTIFICATE_PATH
    good = json.loads(SnsSigner(key, place).message())
    elsewhere = json.loads(SnsSigner(key, place).message(TopicArn=TOPIC + "-2"))
    for message, says in (
        ({**good, "Message": "{}"}, "does not hold"),
        ({**good, "Subject": "more"}, "does not hold"),
        ({**good, "SignatureVersion": "1"}, "does not hold"),
        ({**good, "SignatureVersion": "3"}, "version 1 or 2"),
        ({**good, "Signature": "%"}, "cannot be read"),
        ({**good, "MessageId": 5}, "no MessageId"),
        (json.loads(SnsSigner(other_key, place).message()), "does not hold"),
        (elsewhere, "another topic"),
        ({**good, "SigningCertURL": "https://evil.example/SimpleNotificationService-ab.pem"}, "no"),
    ):
        answer = post("aws", json.dumps(message).encode())
        assert answer.status_code == 401, message
        assert says in answer.json()["detail"]
    assert (
        post("aws", json.dumps(good).encode(), **{"X-Amz-Sns-Message-Id": "x"}).status_code == 401
    )
    assert post("aws", b"[]").status_code == 401
    assert {one.path for one in published.server.asked} == {CERTIFICATE_PATH}


def test_no_certificate_is_fetched_for_a_message_of_another_topic(published, key):
    make_sender("aws", "aws", signed_by=TOPIC)
    signer = SnsSigner(key, published.base + CERTIFICATE_PATH)
    assert post("aws", signer.message(TopicArn=TOPIC + "-2"), "text/plain").status_code == 401
    assert not published.server.asked


def test_a_certificate_that_has_run_out_proves_nothing(published, key):
    make_sender("aws", "aws", signed_by=TOPIC)
    body = SnsSigner(key, published.base + CERTIFICATE_PATH).message()
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        assert "not valid now" in post("aws", body).json()["detail"]


@pytest.mark.parametrize(
    "address",
    [
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-01234567.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-01234567.pem",
        "https://evil.example/?https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-central-1.amazonaws.com/x/SimpleNotificationService-0123456789abcdef.pem",
        "https://s3.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem\n",
    ],
)
def test_certificates_come_from_sns_alone(address):
    assert not CERTIFICATE.fullmatch(address)
    good = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
    assert CERTIFICATE.fullmatch(good)
    assert not SUBSCRIBE.fullmatch(address)


def test_a_build_of_the_owner_signed_by_travis_is_taken_in(published, key):
    make_sender("travis", "travis", signed_by="acme")
    body, headers = TravisSigner(key).form(BUILD)
    form = "application/x-www-form-urlencoded"
    assert post("travis", body, form, **headers).status_code == 202
    Sender.objects.update(signed_by="Acme/Shop")
    body, headers = TravisSigner(key).form({**BUILD, "id": 8})
    assert post("travis", body, form, **headers).status_code == 202


def test_a_build_of_others_or_without_a_signature_is_refused(published, key, other_key):
    make_sender("travis", "travis", signed_by="acme/shop")
    body, headers = TravisSigner(key).form(BUILD)
    wrong = TravisSigner(other_key).form(BUILD)[1]
    others = [
        TravisSigner(key).form({"repository": repository})
        for repository in (
            {"owner_name": "evil", "name": "shop"},
            {"owner_name": "acme", "name": "shop2"},
            {"owner_name": "", "name": ""},
            {},
        )
    ]
    cases = [*others, (body, wrong), (body, {}), (body, {"Signature": "é"}), (b"{}", headers)]
    for sent, proof in (*cases, (body + b"x", headers)):
        answer = post("travis", sent, "application/x-www-form-urlencoded", **proof)
        assert answer.status_code == 401, sent
    assert not Event.objects.exists()


def test_only_an_address_of_sns_is_offered_as_the_way_to_confirm(key):
    place = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=a&Token=b"
    signer = SnsSigner(key, "")
    asking = {"Type": "SubscriptionConfirmation", "Token": "b"}
    assert find_subscription(signer.message(SubscribeURL=place, **asking)) == place
    for address in ("http://169.254.169.254/", place.replace("sns", "s3"), "", "x" * 5000):
        assert find_subscription(signer.message(SubscribeURL=address, **asking)) is None
    assert find_subscription(signer.message()) is None
    assert find_subscription(b"\xff") is None
