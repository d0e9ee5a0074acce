"""Which commits a promotion brings."""

import pytest

from promotion.models import Commit
from tests.factories import make_commit, make_service

pytestmark = pytest.mark.django_db


def line(length=4):
    service, commits = make_service(), []
    for number in range(length):
        commits.append(
            make_commit(service, f"Number {number}", parent=commits[-1] if commits else None)
        )
    return service.repository, commits


def test_the_commits_after_the_old_one_come_newest_first(django_assert_num_queries):
    repository, commits = line()
    with django_assert_num_queries(2):
        between = Commit.objects.between(repository, commits[0].sha, commits[3].sha)
    assert between == (commits[3], commits[2], commits[1])


def test_the_same_commit_brings_nothing():
    repository, commits = line()
    assert Commit.objects.between(repository, commits[1].sha, commits[1].sha) == ()


def test_a_line_with_a_gap_is_not_known():
    repository, commits = line()
    Commit.objects.filter(pk=commits[2].pk).delete()
    assert Commit.objects.between(repository, commits[0].sha, commits[3].sha) is None


def test_going_back_is_not_a_line():
    repository, commits = line()
    assert Commit.objects.between(repository, commits[3].sha, commits[0].sha) is None


def test_a_longer_line_than_is_looked_at_is_not_known():
    repository, commits = line(5)
    assert Commit.objects.between(repository, commits[0].sha, commits[4].sha, limit=3) is None
