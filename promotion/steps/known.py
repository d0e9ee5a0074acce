"""Every kind of step."""

from .base import Step
from .git_commit import GitCommitStep
from .http import HttpStep
from .notify import NotifyStep
from .oci_copy import OciCopyStep
from .pause import PauseStep
from .verify_http import VerifyHttpStep
from .verify_metric import VerifyMetricStep
from .wait_for_deployment import WaitForDeploymentStep

STEPS: dict[str, Step] = {
    step.kind: step
    for step in (
        OciCopyStep(),
        GitCommitStep(),
        HttpStep(),
        WaitForDeploymentStep(),
        VerifyHttpStep(),
        VerifyMetricStep(),
        PauseStep(),
        NotifyStep(),
    )
}
