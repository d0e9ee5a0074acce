"""Changing files of real git repositories, on disk and behind git's own HTTP server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from promotion.exceptions import InputError
from promotion.integrity.git.committing import commit_files, read_file
from promotion.integrity.git.http import HttpRemote
from promotion.integrity.git.local import LocalRemote
from promotion.integrity.git.remotes import (
    BranchMovedError,
    GitRefusedError,
    GitRemote,
    GitUnreachableError,
)
from promotion.integrity.git.ssh import SshRemote
from promotion.integrity.outgoing import AddressRefusedError
from tests.parts.git_server import (
    commit_elsewhere,
    make_bare_repository,
    read_branch,
    run_git,
    serve_git,
)
from tests.parts.ssh_server import RunningSshd

pytestmark = [pytest.mark.needs_git, pytest.mark.django_db]

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FILES = {"apps/pricing/dev.yaml": "version: 1\n", "README": "Hello\n"}


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return make_bare_repository(tmp_path, FILES)


@pytest.fixture(params=["local", "http", "ssh"])
def remote(request: pytest.FixtureRequest, bare: Path, settings: object) -> Iterator[GitRemote]:
    if request.param == "local":
        yield LocalRemote(bare)
        return
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]  # type: ignore[attr-defined]
    if request.param == "ssh":
        sshd: RunningSshd = request.getfixturevalue("sshd")
        yield SshRemote(sshd.address_of(bare), "", sshd.private_key, sshd.known_hosts)
        return
    run_git(bare, "config", "http.receivepack", "true")
    with serve_git(bare.parent) as address:
        yield HttpRemote(f"{address}/gitops.git")


def write(text: str):
    return lambda _: text.encode()


def test_a_change_is_one_commit_with_author_message_and_trailers(
    remote: GitRemote, bare: Path
) -> None:
    result = commit_files(
        remote,
        {"apps/pricing/dev.yaml": write("version: 2\n"), "README": write("Bye\n")},
        key="p12-s1",
        message="Bring pricing 2 to dev",
        trailers=[("Throughline-Promotion", "P-12")],
        at=AT,
    )
    assert result.is_new
    assert run_git(bare, "rev-parse", "main").strip() == result.commit
    assert run_git(bare, "log", "-1", "--format=%an %at").split() == [
        "Throughline",
        str(int(AT.timestamp())),
    ]
    assert (
        run_git(bare, "log", "-1", "--format=%(trailers:key=Throughline-Key,valueonly)").strip()
        == "p12-s1"
    )
    assert run_git(bare, "log", "-1", "--format=%s").strip() == "Bring pricing 2 to dev"
    assert read_branch(bare, "apps/pricing/dev.yaml") == "version: 2\n"
    assert read_branch(bare, "README") == "Bye\n"
    assert run_git(bare, "rev-list", "--count", "main").strip() == "2"
    assert run_git(bare, "fsck", "--strict") == ""


def test_a_repeat_with_the_same_key_commits_nothing_even_after_others_committed(
    remote: GitRemote, bare: Path
) -> None:
    first = commit_files(remote, {"README": write("A\n")}, key="k", message="m", at=AT)
    commit_elsewhere(bare, {"README": "B\n"}, "Another change")
    again = commit_files(remote, {"README": write("A\n")}, key="k", message="m", at=AT)
    assert (again.commit, again.is_new) == (first.commit, False)
    assert read_branch(bare, "README") == "B\n"


def test_a_key_that_only_begins_alike_is_another_key(remote: GitRemote) -> None:
    commit_files(remote, {"README": write("A\n")}, key="p1-s10", message="m", at=AT)
    assert commit_files(remote, {"README": write("B\n")}, key="p1-s1", message="m", at=AT).is_new


def test_a_file_that_is_as_it_should_be_makes_no_commit(remote: GitRemote, bare: Path) -> None:
    head = run_git(bare, "rev-parse", "main").strip()
    result = commit_files(remote, {"README": write("Hello\n")}, key="k", message="m", at=AT)
    assert (result.commit, result.is_new) == (head, False)


def test_a_branch_that_moves_meanwhile_is_read_and_edited_again(
    remote: GitRemote, bare: Path
) -> None:
    seen: list[bytes] = []

    def edit(content: bytes) -> bytes:
        if not seen:
            commit_elsewhere(bare, {"README": "Theirs\n"}, "Be faster")
        seen.append(content)
        return content + b"Ours\n"

    result = commit_files(remote, {"README": edit}, key="k", message="m", at=AT)
    assert result.is_new
    assert seen == [b"Hello\n", b"Theirs\n"]
    assert read_branch(bare, "README") == "Theirs\nOurs\n"
    assert run_git(bare, "rev-list", "--count", "main").strip() == "3"


def test_a_branch_that_always_moves_is_given_up_without_writing_over_it(
    remote: GitRemote, bare: Path
) -> None:
    tries: list[int] = []

    def edit(content: bytes) -> bytes:
        tries.append(1)
        commit_elsewhere(bare, {"OTHER": f"{len(tries)}\n"}, "Be faster")
        return content + b"Ours\n"

    with pytest.raises(BranchMovedError) as caught:
        commit_files(remote, {"README": edit}, key="k", message="m", at=AT)
    assert caught.value.retryable
    assert read_branch(bare, "README") == "Hello\n"


def test_another_branch_than_the_repositorys_own_can_be_named(
    remote: GitRemote, bare: Path
) -> None:
    run_git(bare, "branch", "live", "main")
    result = commit_files(
        remote, {"README": write("L\n")}, key="k", message="m", branch="live", at=AT
    )
    assert result.branch == "live"
    assert read_branch(bare, "README", "live") == "L\n"
    assert read_branch(bare, "README") == "Hello\n"


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a//b", ".git/config", "./README", "nothing", "apps"]
)
def test_only_files_of_the_repository_can_be_named(remote: GitRemote, path: str) -> None:
    with pytest.raises(InputError):
        commit_files(remote, {path: write("x")}, key="k", message="m", at=AT)


def test_a_missing_branch_is_an_input_error(remote: GitRemote) -> None:
    with pytest.raises(InputError, match="no branch"):
        read_file(remote, "README", branch="nowhere")


def test_a_file_is_read_at_the_newest_commit(remote: GitRemote, bare: Path) -> None:
    commit_elsewhere(bare, {"README": "Newer\n"}, "Change")
    assert read_file(remote, "README") == b"Newer\n"


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    bare = make_bare_repository(tmp_path, FILES)
    work = tmp_path / "work"
    (work / "link").symlink_to("README")
    run_git(work, "add", "link")
    run_git(work, "commit", "--quiet", "-m", "Link")
    run_git(work, "push", "--quiet", "origin", "HEAD:main")
    with pytest.raises(InputError, match="link"):
        commit_files(LocalRemote(bare), {"link": write("x")}, key="k", message="m", at=AT)


def test_the_mode_of_a_file_is_kept(tmp_path: Path) -> None:
    bare = make_bare_repository(tmp_path, FILES)
    work = tmp_path / "work"
    (work / "run").write_text("1\n")
    (work / "run").chmod(0o755)
    run_git(work, "add", "run")
    run_git(work, "commit", "--quiet", "-m", "Program")
    run_git(work, "push", "--quiet", "origin", "HEAD:main")
    commit_files(LocalRemote(bare), {"run": write("2\n")}, key="k", message="m", at=AT)
    assert run_git(bare, "ls-tree", "main", "run").startswith("100755 ")


def test_a_repository_with_checked_out_files_is_refused(tmp_path: Path) -> None:
    make_bare_repository(tmp_path, FILES)
    with pytest.raises(InputError, match="bare"):
        read_file(LocalRemote(tmp_path / "work"), "README")


def test_a_directory_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GitRefusedError):
        read_file(LocalRemote(tmp_path), "README")


def test_only_the_right_credentials_are_let_in(bare: Path, settings: object) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]  # type: ignore[attr-defined]
    with serve_git(bare.parent, username="robot", password="right") as address:
        url = f"{address}/gitops.git"
        assert read_file(HttpRemote(url, "robot", "right"), "README") == b"Hello\n"
        with pytest.raises(GitRefusedError, match="credentials"):
            read_file(HttpRemote(url, "robot", "wrong"), "README")


def test_a_server_that_allows_no_push_says_so_and_keeps_the_branch(
    bare: Path, settings: object
) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]  # type: ignore[attr-defined]
    run_git(bare, "config", "http.receivepack", "false")
    with serve_git(bare.parent) as address, pytest.raises(GitRefusedError):
        commit_files(
            HttpRemote(f"{address}/gitops.git"),
            {"README": write("x\n")},
            key="k",
            message="m",
            at=AT,
        )
    assert read_branch(bare, "README") == "Hello\n"


def test_a_rule_of_the_server_is_told_and_not_tried_for_ever(bare: Path, settings: object) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]  # type: ignore[attr-defined]
    run_git(bare, "config", "http.receivepack", "true")
    hook = bare / "hooks" / "update"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with serve_git(bare.parent) as address, pytest.raises(GitRefusedError, match="hook"):
        commit_files(
            HttpRemote(f"{address}/gitops.git"),
            {"README": write("x\n")},
            key="k",
            message="m",
            at=AT,
        )
    assert read_branch(bare, "README") == "Hello\n"


def test_a_private_address_nobody_allowed_is_not_called(bare: Path) -> None:
    with serve_git(bare.parent) as address, pytest.raises(AddressRefusedError):
        read_file(HttpRemote(f"{address}/gitops.git"), "README")


def test_a_server_that_does_not_answer_is_worth_another_try(settings: object) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = ["127.0.0.1/32"]  # type: ignore[attr-defined]
    with pytest.raises(GitUnreachableError) as caught:
        read_file(HttpRemote("http://127.0.0.1:9/gitops.git"), "README")
    assert caught.value.retryable
