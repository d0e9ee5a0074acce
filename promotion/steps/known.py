"""Every kind of step."""

from .argocd_sync import ArgocdSyncStep
from .base import Step, Verifying
from .git_commit import GitCommitStep
from .github_workflow import GithubWorkflowStep
from .gitlab_pipeline import GitlabPipelineStep
from .http import HttpStep
from .jenkins_job import JenkinsJobStep
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
        GithubWorkflowStep(),
        GitlabPipelineStep(),
        JenkinsJobStep(),
        ArgocdSyncStep(),
        WaitForDeploymentStep(),
        VerifyHttpStep(),
        VerifyMetricStep(),
        PauseStep(),
        NotifyStep(),
    )
}

# Those that can be done again for what runs, without a promotion.
VERIFICATIONS: dict[str, Verifying] = {
    step.kind: step for step in (VerifyHttpStep(), VerifyMetricStep())
}
