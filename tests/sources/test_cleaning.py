"""One form out of the many in which senders write things."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promotion.sources import cleaning
from promotion.sources.times import clean_time, format_time

SHA = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"
DIGEST = "sha256:" + "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" shop ", "shop"),
        (42, "42"),
        (55.0, "55"),
        (True, None),
        (None, None),
        ("", None),
        ("  ", None),
        ("...", None),
        ("NULL", None),
        ("<no value>", None),
        ("${TAG}", None),
        ("{{ .Values.tag }}", None),
        ({"a": 1}, None),
        (["shop"], None),
        (float("inf"), None),
        ("a\x00b", "ab"),
        ("\ud800", "?"),
    ],
)
def test_text_is_cleaned_and_placeholders_are_absent(value: object, text: str | None) -> None:
    assert cleaning.clean_text(value) == text


@pytest.mark.parametrize(
    ("value", "digest"),
    [
        (DIGEST, DIGEST),
        (DIGEST.upper().replace("SHA", "sha"), DIGEST),
        (f"ghcr.io/acme/shop@{DIGEST}", DIGEST),
        ("sha256:" + "a" * 63, None),
        ("sha256:" + "a" * 65, None),
        ("sha256:" + "g" * 64, None),
        ("sha512:" + "a" * 64, None),
        ("a" * 64, None),
        (None, None),
    ],
)
def test_a_digest_is_sha256_and_64_hex_digits(value: object, digest: str | None) -> None:
    assert cleaning.clean_digest(value) == digest


@pytest.mark.parametrize(
    ("value", "commit"),
    [
        (SHA, SHA),
        (SHA.upper(), SHA),
        ("0e51ed", "0e51ed"),
        ("0e51e", None),
        (f"LG:refs/heads/master:{SHA}", SHA),
        (f"refs/heads/main:{SHA}", SHA),
        (f"main/{SHA}", SHA),
        (f"main@sha1:{SHA}", SHA),
        (f"refs/heads/main^{{{SHA}}}", SHA),
        ("a" * 64, "a" * 64),
        ("a" * 41, None),
        (f"v1@{DIGEST}", None),
        (DIGEST, None),
        ("0" * 40, None),
        ("HEAD", None),
        ("mySubject123", None),
        (123456, None),
    ],
)
def test_a_commit_comes_without_what_stands_before_it(value: object, commit: str | None) -> None:
    assert cleaning.clean_commit(value) == commit


def test_the_full_sha_wins_over_the_short_one_only_if_it_is_the_same() -> None:
    assert cleaning.best_commit("731f7ead", SHA) == SHA
    assert cleaning.best_commit("731f7ead", "f" * 40) == "731f7ead"
    assert cleaning.best_commit(None, SHA) == SHA


@pytest.mark.parametrize(
    ("value", "version"),
    [
        ("refs/tags/v1.0", "v1.0"),
        ("v1.0", "v1.0"),
        (1.4, "1.4"),
        ("refs/heads/main", None),
        (DIGEST, None),
        ("", None),
    ],
)
def test_a_version_is_a_tag_and_never_a_digest(value: object, version: str | None) -> None:
    assert cleaning.clean_version(value) == version


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("group/sub/name", "group/sub/name"),
        ("https://git.example.com/group/sub/name.git", "group/sub/name"),
        ("https://user:pass@git.example.com:8443/acme/shop/", "acme/shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("ssh://git@git.example.com:2222/acme/shop.git", "acme/shop"),
        ("https://bitbucket.local/scm/~gopher/shop.git", "~gopher/shop"),
        ("https://[broken", None),
        (None, None),
    ],
)
def test_a_repository_is_its_path_without_host(value: object, path: str | None) -> None:
    assert cleaning.clean_repository(value) == path


def test_what_was_percent_encoded_is_cleaned_as_well() -> None:
    assert cleaning.clean_repository("https://git.example/acme%00/shop.git") == "acme/shop"
    assert cleaning.clean_repository("https://git.example/%00") is None


@pytest.mark.parametrize(
    ("value", "image"),
    [
        ("ghcr.io/acme/shop:v1", ("acme/shop", "v1", None)),
        (f"localhost:5000/shop@{DIGEST}", ("shop", None, DIGEST)),
        ("acme/shop", ("acme/shop", None, None)),
        (5, ("5", None, None)),
        (None, (None, None, None)),
    ],
)
def test_an_image_is_taken_apart(value: object, image: tuple[str | None, ...]) -> None:
    assert tuple(cleaning.clean_image(value)) == image


@pytest.mark.parametrize(
    ("value", "image"),
    [
        (f"pkg:oci/shop@{DIGEST.replace(':', '%3A')}", ("shop", None, DIGEST)),
        (
            f"pkg:oci/shop@{DIGEST}?repository_url=ghcr.io/acme/shop&tag=v2",
            ("acme/shop", "v2", DIGEST),
        ),
        ("pkg:docker/acme/shop@v1", ("acme/shop", "v1", None)),
        ("pkg:npm/%40acme/shop@1.2.3", ("@acme/shop", "1.2.3", None)),
        ("pkg:golang/git.example/app@234fd47e", ("git.example/app", "234fd47e", None)),
        ("no purl", (None, None, None)),
    ],
)
def test_a_package_url_is_taken_apart(value: object, image: tuple[str | None, ...]) -> None:
    assert tuple(cleaning.clean_purl(value)) == image


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2021-04-28 21:50:00 +0200", "2021-04-28T19:50:00Z"),
        ("2016-08-12 15:26:29 UTC", "2016-08-12T15:26:29Z"),
        ("2014-06-30T18:59:12.3660573Z", "2014-06-30T18:59:12.366057Z"),
        ("2020-02-06T00:17:58.432911368Z", "2020-02-06T00:17:58.432911Z"),
        ("2015-06-03T17:43:27.123+0000", "2015-06-03T17:43:27.123000Z"),
        ("2016-03-09T14:44:26-08:00", "2016-03-09T22:44:26Z"),
        ("2019-05-10T16:08:38", "2019-05-10T16:08:38Z"),
        ("2016-01-01 12:00:00", "2016-01-01T12:00:00Z"),
        ("2022-08-31 05:54:04.5 +0000 UTC m=+42208.25", "2022-08-31T05:54:04.500000Z"),
        ("Sep 1, 2017 4:12:29 PM", "2017-09-01T16:12:29Z"),
        ("Sep 13, 2019 12:12:29 AM", "2019-09-13T00:12:29Z"),
        ("Wed, 07 Apr 2021 10:00:00 GMT", "2021-04-07T10:00:00Z"),
        ("1605-01-16T00:01:58Z", "1605-01-16T00:01:58Z"),
        (1680501893, "2023-04-03T06:04:53Z"),
        ("1680501893", "2023-04-03T06:04:53Z"),
        (1.417566161e9, "2014-12-03T00:22:41Z"),
        (1502709956288, "2017-08-14T11:25:56.288000Z"),
        (1420452374669001603, "2015-01-05T10:06:14.669001Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
    ],
)
def test_the_ways_of_writing_a_time_are_read(value: object, written: str) -> None:
    at = clean_time(value)
    assert at is not None
    assert format_time(at) == written


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1970-01-01T00:00:00.000+0000",
        0,
        "yesterday",
        "2020-13-01T00:00:00Z",
        "2020-01-01T25:00:00Z",
        "2020-01-01",
        "9999-12-31T23:59:59-23:59",
        1e999,
        float("nan"),
        10**30,
        {},
        "1" * 5000,
    ],
)
def test_what_says_no_time_is_no_time(value: object) -> None:
    assert clean_time(value) is None


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda at: at.year > 1))
def test_a_written_time_is_read_back_as_it_was(at: datetime) -> None:
    if at != datetime(1970, 1, 1, tzinfo=UTC):
        assert clean_time(format_time(at)) == at


@given(st.text(max_size=200))
def test_no_text_breaks_cleaning(text: str) -> None:
    cleaned = [
        cleaning.clean_commit(text),
        cleaning.clean_digest(text),
        cleaning.clean_version(text),
        cleaning.clean_repository(text),
        cleaning.clean_purl(text).name,
        cleaning.clean_purl(f"pkg:{text}").name,
        cleaning.clean_image(text).name,
        str(clean_time(text)),
    ]
    assert all(one is None or "\x00" not in one for one in cleaned)
