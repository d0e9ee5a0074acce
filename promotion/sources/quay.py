"""Quay: notifications of pushes, one artifact for each tag; Quay sends no digest."""

from .authentication_tokens import SharedSecret
from .base import Fact, Headers
from .cleaning import clean_image, clean_version
from .reading import Part
from .sender import Collector, Sender


def _read(body: Part, _headers: Headers, collector: Collector) -> None:
    tags = body["updated_tags"]
    # Older installations send an object: tag → id of an image.
    named = [one.value for one in tags] if tags.is_list else list(tags.names())
    versions = list(dict.fromkeys(one for tag in named if (one := clean_version(tag))))
    if not versions:
        return collector.leave_out(None, "it names no tag that was pushed")
    name = body["repository"].text() or clean_image(body["docker_url"].value).name
    for version in versions:
        collector.add(
            Fact(kind="artifact", name=name, version=version, url=body["homepage"].text())
        )
    return None


SOURCE = Sender(
    kind="quay",
    title="Quay",
    read=_read,
    scheme=SharedSecret(may_be_in_address=True),
)
