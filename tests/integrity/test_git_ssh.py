"""What is particular to git over SSH: keys of both sides, addresses, and what a host that says no is told by."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from promotion.exceptions import InputError
from promotion.integrity.git.committing import commit_files, open_remote, read_file
from promotion.integrity.git.remotes import GitRefusedError, GitUnreachableError
from promotion.integrity.git.ssh import SshAddress, SshRemote
from promotion.integrity.git.ssh_keys import PinnedKeys, read_private_key
from promotion.integrity.outgoing import AddressRefusedError
from promotion.models import Connection
from tests.factories import make_connection
from tests.parts.git_server import make_bare_repository, read_branch
from tests.parts.ssh_server import RunningSshd, make_key, run_sshd

pytestmark = [pytest.mark.needs_git, pytest.mark.django_db]

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare_repository(tmp_path, {"README": "Hello\n"})


@pytest.fixture(autouse=True)
def _loopback_allowed(settings) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]


def remote(sshd: RunningSshd, bare: Path, **given: str) -> SshRemote:
    wanted = {"secret": sshd.private_key, "known_hosts": sshd.known_hosts, **given}
    return SshRemote(sshd.address_of(bare), "", wanted["secret"], wanted["known_hosts"])


def commit(to: SshRemote) -> None:
    commit_files(to, {"README": lambda _: b"New\n"}, key="k", message="m", at=AT)


def test_a_connection_pushes_with_a_key_stored_encrypted_and_no_program_of_git_or_ssh(
    sshd: RunningSshd, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_connection(
        "gitops",
        "git",
        sshd.address_of(bare),
        secret=sshd.private_key.replace("\n", "\r\n"),
        settings={"known_hosts": sshd.known_hosts},
    )
    (stored,) = Connection.objects.extra(select={"raw": "secret"}).values_list("raw", flat=True)
    assert "PRIVATE KEY" not in stored
    with monkeypatch.context() as without:
        without.setenv("PATH", "/nonexistent")
        commit(open_remote("gitops"))
    assert read_branch(bare, "README") == "New\n"


def test_a_host_with_another_key_is_sent_nothing(
    sshd: RunningSshd, bare: Path, tmp_path: Path
) -> None:
    _, other = make_key(tmp_path / "other")
    with pytest.raises(GitRefusedError, match="another host key") as caught:
        commit(remote(sshd, bare, known_hosts=other))
    assert not caught.value.retryable
    assert read_branch(bare, "README") == "Hello\n"


def test_a_host_that_has_no_key_of_the_pinned_kind_is_sent_nothing(
    sshd: RunningSshd, bare: Path, tmp_path: Path
) -> None:
    _, other = make_key(tmp_path / "other", "rsa", "-b", "2048")
    with pytest.raises(GitRefusedError, match="another host key"):
        commit(remote(sshd, bare, known_hosts=other))


def test_without_a_pinned_key_nothing_is_called(sshd: RunningSshd, bare: Path) -> None:
    for text in ("", "# nothing\n", f"example.com {sshd.host_key}"):
        with pytest.raises(InputError, match="host keys"):
            remote(sshd, bare, known_hosts=text)


@pytest.mark.parametrize("kind", [("rsa", "-b", "2048"), ("ecdsa",)])
@pytest.mark.needs_sshd
def test_host_keys_of_other_kinds_can_be_pinned(
    tmp_path: Path, bare: Path, kind: tuple[str, ...]
) -> None:
    with run_sshd(tmp_path, host_key_kind=kind[0]) as running:
        assert read_file(remote(running, bare), "README") == b"Hello\n"


def test_a_key_the_host_does_not_let_in_is_said(sshd: RunningSshd, bare: Path) -> None:
    for secret in (sshd.stranger_key, "a password"):
        with pytest.raises(GitRefusedError, match="does not let"):
            commit(remote(sshd, bare, secret=secret))


def test_a_repository_that_is_not_there_is_said(sshd: RunningSshd, bare: Path) -> None:
    with pytest.raises(GitRefusedError, match="no git repository"):
        commit(remote(sshd, bare.parent / "nothing.git"))


def test_a_path_is_no_command_for_the_far_shell(sshd: RunningSshd, tmp_path: Path) -> None:
    odd = tmp_path / f"a'; touch {tmp_path / 'done'}; '"
    with pytest.raises(GitRefusedError):
        commit(remote(sshd, odd))
    assert not (tmp_path / "done").exists()


def test_a_rule_of_the_server_is_told(sshd: RunningSshd, bare: Path) -> None:
    hook = bare / "hooks" / "update"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(GitRefusedError, match="hook"):
        commit(remote(sshd, bare))
    assert read_branch(bare, "README") == "Hello\n"


def test_a_private_address_nobody_allowed_is_not_called(
    sshd: RunningSshd, bare: Path, settings
) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = []
    with pytest.raises(AddressRefusedError):
        commit(remote(sshd, bare))


def test_a_host_that_does_not_answer_is_worth_another_try(sshd: RunningSshd) -> None:
    away = SshRemote("ssh://git@127.0.0.1:9/x.git", "", sshd.private_key, sshd.host_key)
    with pytest.raises(GitUnreachableError) as caught:
        commit(away)
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("ssh://git@example.com/a/b.git", ("example.com", 22, "git", "/a/b.git")),
        ("ssh://git@example.com:2222/~/b.git", ("example.com", 2222, "git", "~/b.git")),
        ("git@example.com:a/b.git", ("example.com", 22, "git", "a/b.git")),
    ],
)
def test_both_forms_of_address_are_read(text: str, parsed: tuple[str, int, str, str]) -> None:
    assert SshAddress.is_one(text)
    assert SshAddress.parse(text) == SshAddress(*parsed)


@pytest.mark.parametrize(
    "text", ["ssh://", "ssh://host", "ssh://u:p@host/x", "ssh://host:a/x", "ssh://[x/y"]
)
def test_an_address_that_is_none_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError, match="address"):
        SshAddress.parse(text)
    assert not SshAddress.is_one("https://example.com/a.git")
    assert not SshAddress.is_one("repositories/gitops.git")


def test_keys_are_read_in_every_usual_form_and_refused_with_a_sentence(tmp_path: Path) -> None:
    for kind in (
        ("ed25519",),
        ("ecdsa",),
        ("rsa", "-b", "2048"),
        ("rsa", "-b", "2048", "-m", "PEM"),
    ):
        text, public = make_key(tmp_path / "-".join(kind), *kind)
        assert read_private_key(text).get_base64() == public.split()[1]
    text, _ = make_key(tmp_path / "locked")
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(tmp_path / "locked")], check=True
    )
    with pytest.raises(InputError, match="passphrase"):
        read_private_key((tmp_path / "locked").read_text())
    with pytest.raises(InputError, match="cannot be read"):
        read_private_key("-----BEGIN OPENSSH PRIVATE KEY-----\nnothing\n")


def test_pinned_keys_may_be_hashed_and_several(tmp_path: Path) -> None:
    _, first = make_key(tmp_path / "a")
    _, second = make_key(tmp_path / "b")
    hosts = tmp_path / "known_hosts"
    hosts.write_text(f"example.com {first}\nexample.com,other.com {second} comment\n")
    both = PinnedKeys.read(hosts.read_text(), "example.com", 22)
    assert len(both.keys) == 2
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(hosts)], check=True, capture_output=True)
    assert PinnedKeys.read(hosts.read_text(), "example.com", 22).hold(both.keys[0])
    for broken in ("example.com ssh-ed25519 AAAA", "@revoked example.com ssh-rsa AAAA", "what"):
        with pytest.raises(InputError, match="Line 1"):
            PinnedKeys.read(broken, "example.com", 22)
