"""The tools whose lists can be read, by the source that reads what they tell."""

from .argocd import LISTING as ARGOCD
from .artifactory import LISTING as ARTIFACTORY
from .base import Listing
from .github import LISTING as GITHUB
from .gitlab import LISTING as GITLAB
from .jenkins import LISTING as JENKINS

LISTINGS: dict[str, Listing] = {
    listing.kind: listing for listing in (ARGOCD, ARTIFACTORY, GITHUB, GITLAB, JENKINS)
}
