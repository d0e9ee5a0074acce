"""The form of a pipeline: YAML → validated plain data → its normal form."""

from .documents import pipeline_document
from .fields import write_duration
from .forms import (
    ApprovalForm,
    AskForm,
    GateForm,
    PipelineForm,
    StageForm,
    StepForm,
    WaveForm,
    WindowsForm,
)
from .problems import PipelineError, Problem
from .reading import read_document, read_pipeline
from .references import KnownNames, SettingsChecker, reference_problems, settings_problems

__all__ = [
    "ApprovalForm",
    "AskForm",
    "GateForm",
    "KnownNames",
    "PipelineError",
    "PipelineForm",
    "Problem",
    "SettingsChecker",
    "StageForm",
    "StepForm",
    "WaveForm",
    "WindowsForm",
    "pipeline_document",
    "read_document",
    "read_pipeline",
    "reference_problems",
    "settings_problems",
    "write_duration",
]
