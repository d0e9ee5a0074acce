"""The demo runtime: nothing it sees is lost, and nothing is told twice."""

from datetime import UTC, datetime, timedelta

import pytest

from demo.exceptions import DemoError
from demo.gitops import gitops_path, list_paths, make_repository
from demo.images import build_registry, digest_of, push_image
from demo.runtime.place import Place, read_place, write_place
from demo.runtime.rolling_out import TAKES, can_pull, go_on
from demo.runtime.watching import notice_commits
from promotion.integrity.git.committing import commit_files
from promotion.integrity.git.local import LocalRemote
from promotion.integrity.oci.layout import OciLayout

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)
COMMIT = "ab" * 20


@pytest.fixture
def repository(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    make_repository(["label-printer"], NOW - timedelta(days=9))
    return LocalRemote(gitops_path())


def _commit(repository, version, at, *, promotion="P-7"):
    digest = digest_of("label-printer", version, COMMIT)
    text = f"image:\n  digest: {digest}\n".encode()
    paths = list_paths("label-printer")[1:]
    commit_files(
        repository, dict.fromkeys(paths, lambda _: text), key=version, message="Go",
        trailers=[("Throughline-Promotion", promotion)], at=at,
    )  # fmt: skip
    return digest


def _notice(place):
    return notice_commits(gitops_path(), place, began_at=NOW, at=NOW)


def test_commits_of_the_history_run_already_and_are_not_rolled_out(repository):
    digest = _commit(repository, "1.0.0", NOW - timedelta(days=1))
    place = Place()
    assert _notice(place)
    assert place.rollouts == []
    assert place.running["label-printer/production/eu-1"] == digest


def test_a_new_commit_is_rolled_out_at_each_of_its_places_once(repository):
    place = Place()
    _commit(repository, "1.0.0", NOW)
    assert _notice(place)
    assert not _notice(place)
    assert [(one.target, one.promotion) for one in place.rollouts] == [
        ("eu-1", "P-7"), ("us-1", "P-7"),
    ]  # fmt: skip


def test_a_restart_loses_nothing_and_tells_nothing_twice(repository, tmp_path):
    _commit(repository, "1.0.0", NOW)
    path, told = tmp_path / "runtime.json", []
    for step in range(4):
        place = read_place(path)  # as after a kill: only what is on disk is known
        _notice(place)

        def save(place=place):
            write_place(path, place)

        def tell(identity, fact):
            told.append((identity.rpartition("-")[2], fact["target"]))
            return True

        go_on(place, tell, save, at=NOW + step * TAKES / 2)
    assert told == [
        ("started", "eu-1"), ("started", "us-1"), ("ended", "eu-1"), ("ended", "us-1"),
    ]  # fmt: skip
    assert read_place(path).rollouts == []


def test_what_nobody_takes_in_is_told_again_the_same(repository):
    _commit(repository, "1.0.0", NOW)
    place, told = Place(), []
    _notice(place)

    def tell(identity, fact):
        told.append((identity, fact))
        return len(told) > 1

    for seconds in (0, 1):
        go_on(place, tell, lambda: None, at=NOW + timedelta(seconds=seconds))
    assert told[0] == told[1]


def test_an_image_that_is_not_in_the_registry_fails_to_roll_out(repository):
    _commit(repository, "1.0.0", NOW)
    place = Place()
    _notice(place)
    assert not can_pull(place.rollouts[0])


def test_an_image_whose_bytes_are_there_can_be_pulled(repository):
    push_image("label-printer", "1.0.0", COMMIT)
    _commit(repository, "1.0.0", NOW)
    place = Place()
    _notice(place)
    place.rollouts[0].environment = "staging"
    assert isinstance(build_registry("label-printer"), OciLayout)
    assert can_pull(place.rollouts[0])


def test_a_damaged_place_is_named_and_not_begun_anew(tmp_path):
    path = tmp_path / "runtime.json"
    path.write_text("{")
    with pytest.raises(DemoError, match=r"runtime\.json cannot be read"):
        read_place(path)
