"""Setting values in YAML, JSON and kustomizations: only the value changes."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from promotion.exceptions import InputError
from promotion.steps.documents import read_value, set_image_digests, set_values

HELM = """\
# Values of pricing in dev
image:
    repository: registry.example.com/pricing   # where it lies
    digest: sha256:aaaa  # set by promotions
    "tag": 'v1'
replicas: 2
args: [--port, '8080']   # as the chart wants it
resources: {limits: {cpu: 1, memory: 1Gi}}
"""


def test_only_the_value_changes() -> None:
    changed = set_values(HELM, {"image.digest": "sha256:bbbb"}, path="values.yaml")
    assert changed == HELM.replace("sha256:aaaa", "sha256:bbbb")


def test_quotes_stay_as_they_were() -> None:
    changed = set_values(HELM, {"image.tag": "it's"}, path="values.yaml")
    assert changed == HELM.replace("'v1'", "'it''s'")


def test_values_inside_braces_are_found() -> None:
    changed = set_values(HELM, {"resources.limits.memory": "2Gi"}, path="values.yaml")
    assert changed == HELM.replace("1Gi", "2Gi")


def test_a_number_is_written_as_a_number() -> None:
    changed = set_values(HELM, {"replicas": 3}, path="values.yaml")
    assert changed == HELM.replace("replicas: 2", "replicas: 3")


@pytest.mark.parametrize(
    "text", ["yes", "3", "null", "a: b", "# no", "", "1e3", "2026-01-01", "- x", "*a"]
)
def test_a_text_that_would_mean_something_else_is_quoted(text: str) -> None:
    changed = set_values(HELM, {"replicas": text}, path="values.yaml")
    assert yaml.safe_load(changed)["replicas"] == text


def test_a_new_last_name_is_added_beside_its_neighbours() -> None:
    changed = set_values(
        "image:\n  repository: x\n  tag: v1\n", {"image.digest": "d"}, path="a.yaml"
    )
    assert changed == "image:\n  repository: x\n  digest: d\n  tag: v1\n"


def test_a_new_name_in_a_mapping_of_one_or_none_is_added() -> None:
    one = set_values("image:\n  tag: v1\n", {"image.digest": "d"}, path="a.yaml")
    none = set_values("image: {}\n", {"image.digest": "d"}, path="a.yaml")
    assert yaml.safe_load(one) == {"image": {"tag": "v1", "digest": "d"}}
    assert yaml.safe_load(none) == {"image": {"digest": "d"}}


@pytest.mark.parametrize("key", ["image.missing.digest", "imgae.digest", "replicas.x", "args.9.x"])
def test_a_key_that_leads_nowhere_is_refused(key: str) -> None:
    with pytest.raises(InputError, match="leads nowhere"):
        set_values(HELM, {key: "x"}, path="values.yaml")


DEPLOYMENT = """\
---
apiVersion: v1
kind: Service
---
apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
    example.com/digest: old
spec:
  template:
    spec:
      containers:
      - name: sidecar
        image: proxy@sha256:1
      - name: app
        image: app@sha256:1
"""


def test_an_entry_of_a_list_is_named_by_its_name_or_number() -> None:
    key = "spec.template.spec.containers.app.image"
    changed = set_values(DEPLOYMENT, {key: "app@sha256:2"}, path="d.yaml")
    assert changed == DEPLOYMENT.replace("app@sha256:1", "app@sha256:2")
    key = "spec.template.spec.containers.0.image"
    changed = set_values(DEPLOYMENT, {key: "proxy@sha256:2"}, path="d.yaml")
    assert changed == DEPLOYMENT.replace("proxy@sha256:1", "proxy@sha256:2")


def test_a_dot_in_a_name_is_written_with_a_backslash() -> None:
    changed = set_values(
        DEPLOYMENT, {"metadata.annotations.example\\.com/digest": "new"}, path="d.yaml"
    )
    assert changed == DEPLOYMENT.replace("digest: old", "digest: new")


def test_a_key_in_two_documents_is_refused() -> None:
    with pytest.raises(InputError, match="2 documents"):
        set_values("a: 1\n---\na: 2\n", {"a": 3}, path="a.yaml")


def test_an_alias_and_a_block_are_not_written_over() -> None:
    with pytest.raises(InputError):
        set_values("one: &x {digest: a}\ntwo: *x\n", {"two": "b"}, path="a.yaml")
    with pytest.raises(InputError):
        set_values("digest: |\n  a\n", {"digest": "b"}, path="a.yaml")
    with pytest.raises(InputError):
        set_values("image: {digest: a}\n", {"image": "b"}, path="a.yaml")


def test_an_empty_value_is_filled() -> None:
    assert set_values("digest:\nb: 1\n", {"digest": "x"}, path="a.yaml") == "digest: x\nb: 1\n"


def test_json_stays_json_in_its_own_form() -> None:
    text = '{\n\t"image": {"digest": "sha256:a", "list": [1, 2]},\n\t"n": 1\n}\n'
    changed = set_values(text, {"image.digest": "sha256:b", "n": 2}, path="a.json")
    assert changed == text.replace("sha256:a", "sha256:b").replace('"n": 1', '"n": 2')
    added = set_values(text, {"image.tag": "v2"}, path="a.json")
    assert json.loads(added)["image"] == {"digest": "sha256:a", "list": [1, 2], "tag": "v2"}


@pytest.mark.parametrize(
    ("text", "path"), [("{", "a.json"), ("a: [", "a.yaml"), ("a: 1", "a.json")]
)
def test_a_file_that_cannot_be_read_is_refused(text: str, path: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        set_values(text, {"a": 1}, path=path)


@given(
    st.text(max_size=40).filter(
        lambda text: "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
    )
)
def test_whatever_is_set_is_read_back_and_nothing_else_changes(value: str) -> None:
    try:
        changed = set_values(HELM, {"image.digest": value}, path="values.yaml")
    except InputError:
        return  # refused rather than written as something else
    document = yaml.safe_load(HELM)
    document["image"]["digest"] = value
    assert yaml.safe_load(changed) == document


KUSTOMIZATION = """\
kind: Kustomization
images:
  # Set by promotions
  - name: ghcr.io/meridian/pricing
    newTag: v1
    digest: sha256:aaaa
  - name: other
    newTag: v3
"""


def test_the_digest_of_an_image_is_set_and_its_tag_goes() -> None:
    changed = set_image_digests(
        KUSTOMIZATION, {"ghcr.io/meridian/pricing": "sha256:bbbb"}, path="k.yaml"
    )
    assert yaml.safe_load(changed)["images"] == [
        {"name": "ghcr.io/meridian/pricing", "digest": "sha256:bbbb"},
        {"name": "other", "newTag": "v3"},
    ]
    assert "# Set by promotions" in changed


def test_an_image_pinned_by_tag_alone_is_pinned_by_digest() -> None:
    changed = set_image_digests(KUSTOMIZATION, {"other": "sha256:cccc"}, path="k.yaml")
    assert yaml.safe_load(changed)["images"][1] == {"name": "other", "digest": "sha256:cccc"}


@pytest.mark.parametrize(
    "text",
    [
        "kind: Kustomization\n",
        "images: []\n",
        "images:\n- name: b\n",
        "images: [{name: b}]\n",
        KUSTOMIZATION,
    ],
)
def test_an_image_that_is_not_listed_is_added(text: str) -> None:
    changed = set_image_digests(text, {"a": "sha256:d"}, path="k.yaml")
    before = yaml.safe_load(text).get("images", [])
    assert yaml.safe_load(changed)["images"] == [{"name": "a", "digest": "sha256:d"}, *before]


def test_setting_the_same_again_changes_nothing() -> None:
    once = set_image_digests(KUSTOMIZATION, {"other": "sha256:cccc"}, path="k.yaml")
    assert set_image_digests(once, {"other": "sha256:cccc"}, path="k.yaml") == once


def test_a_value_is_read_by_its_key() -> None:
    assert read_value(HELM, "image.digest", path="a.yaml") == "sha256:aaaa"
    assert read_value(HELM, "image.nothing", path="a.yaml") is None
