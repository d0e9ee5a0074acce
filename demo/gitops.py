"""The GitOps repository of the demonstration: a real bare one, a file for each place."""

import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import yaml
from django.conf import settings
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from demo.exceptions import DemoError
from demo.organisation import DIRECTORY, GITOPS, PRODUCTION_TARGETS

MAIN = Ref(b"refs/heads/main")
ROOT = "apps"
NOTHING_YET = "none"


def gitops_path() -> Path:
    """Where the bare repository is."""
    return Path(settings.DATA_DIR) / DIRECTORY / f"{GITOPS}.git"


def list_paths(slug: str) -> list[str]:
    """The files that say what a service runs."""
    places = ["staging", *(f"production-{target}" for target in PRODUCTION_TARGETS)]
    return [f"{ROOT}/{slug}/{place}.yaml" for place in places]


def place_of_path(path: str) -> tuple[str, str, str] | None:
    """(service, environment, target) that a file speaks of; None for any other file."""
    parts = path.split("/")
    if len(parts) != 3 or parts[0] != ROOT or not parts[2].endswith(".yaml"):
        return None
    environment, _, target = parts[2].removesuffix(".yaml").partition("-")
    return parts[1], environment, target


def digest_in(text: bytes) -> str | None:
    """The digest a file asks for; None where it asks for nothing."""
    document = yaml.safe_load(text)
    image = document.get("image") if isinstance(document, dict) else None
    digest = image.get("digest") if isinstance(image, dict) else None
    return digest if isinstance(digest, str) and digest.startswith("sha256:") else None


def make_repository(slugs: list[str], at: datetime) -> None:
    """Makes the repository with a first commit; one that is there already is left alone."""
    path = gitops_path()
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_suffix(".begun")
    begun.mkdir(exist_ok=True)
    has_head = (begun / "HEAD").exists()
    with Repo(str(begun)) if has_head else Repo.init_bare(str(begun)) as repository:
        commit = _first_commit(repository, slugs, at)
        repository.refs.set_symbolic_ref(Ref(b"HEAD"), MAIN)
        repository.refs[MAIN] = commit
    # In one move: whoever looks finds it whole or not at all.
    begun.rename(path)


def _first_commit(repository: Repo, slugs: list[str], at: datetime) -> ObjectID:
    root = Tree()
    apps = Tree()
    for slug in slugs:
        folder = Tree()
        for path in list_paths(slug):
            text = f"# What {slug} runs here; written by promotions.\nimage:\n  digest: {NOTHING_YET}\n"
            blob = Blob.from_string(text.encode())
            repository.object_store.add_object(blob)
            folder.add(path.rpartition("/")[2].encode(), stat.S_IFREG | 0o644, blob.id)
        repository.object_store.add_object(folder)
        apps.add(slug.encode(), stat.S_IFDIR, folder.id)
    repository.object_store.add_object(apps)
    root.add(ROOT.encode(), stat.S_IFDIR, apps.id)
    repository.object_store.add_object(root)
    commit = Commit()
    commit.tree = root.id
    commit.author = commit.committer = b"Luca Ferri <luca.ferri@meridian.example>"
    commit.author_time = commit.commit_time = int(at.timestamp())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = b"Say in one place what runs where\n"
    repository.object_store.add_object(commit)
    return commit.id


def walk_since(repository: Repo, seen: ObjectID | None) -> Iterator[Commit]:
    """The commits of main after the one seen, oldest first; all where none was seen."""
    head = repository.get_refs().get(MAIN)
    found: list[Commit] = []
    while head and head != seen:
        commit = repository[head]
        if not isinstance(commit, Commit):
            raise DemoError(f"{head.decode()} in {gitops_path()} is no commit.")
        found.append(commit)
        head = commit.parents[0] if commit.parents else None
    yield from reversed(found)
