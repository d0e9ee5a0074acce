"""What can go wrong with repositories of images."""

from promotion.exceptions import ConflictError, InputError, ThroughlineError, UnreachableError


class OciError(ThroughlineError):
    """Base of the errors of images and repositories."""


class ImageNotFoundError(OciError):
    """The manifest, blob or tag is not in the repository."""


class UnsupportedManifestError(OciError):
    """The manifest is of a kind we refuse, too large, or contradicts itself."""


class ImageTooLargeError(OciError):
    """The image names more manifests or referrers, or nests them deeper, than we follow."""


class RepositoryRefusedError(OciError):
    """The registry says no: credentials, rights, or what was sent."""


class RepositoryUnreachableError(UnreachableError):
    """The registry or the disk did not answer or broke; trying again may help."""


class CopyStoppedError(OciError):
    """The copy was asked to stop; no tag was set."""


class TagMovedError(ConflictError):
    """A tag just set names something else when read back."""


class InvalidNameError(InputError):
    """The text is not a repository name or tag that the distribution spec allows."""
