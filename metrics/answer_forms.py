"""What people give to an assessment, checked before anything is done."""

from typing import Any

from django import forms

from metrics.actions.assess import Given
from metrics.actions.give_evidence import LARGEST_FILE, Shown
from metrics.maturity.values import Answer as Value

INHERITED = "inherited"
_LINK = {"invalid": "A link begins with https://. Nothing was saved."}
_DAY = {"invalid": "A day is written as 2026-11-23. Nothing was saved."}


class AnswerForm(forms.Form):
    """One answer of an assessment."""

    value = forms.ChoiceField(
        choices=[*((each.value, each.label) for each in Value), (INHERITED, "inherited")],
        error_messages={
            "invalid_choice": "This is no answer that can be given. Nothing was saved.",
            "required": "Choose an answer first. Nothing was saved.",
        },
    )
    comment = forms.CharField(required=False, max_length=2000)
    reason = forms.CharField(required=False, max_length=500)
    source = forms.CharField(required=False, max_length=100)
    evidence_url = forms.URLField(
        required=False,
        max_length=1000,
        assume_scheme="https",
        error_messages={
            "invalid": "Evidence is a link that begins with https://. Nothing was saved."
        },
    )

    def clean(self) -> dict[str, Any]:
        """Inherited from a team that is named."""
        found: dict[str, Any] = super().clean() or {}
        if found.get("value") == INHERITED and not found.get("source"):
            raise forms.ValidationError(
                "Choose the team whose answer is taken, then choose it. Nothing was saved."
            )
        return found

    def read(self, statement: str) -> Given:
        """What is given; evidence that is not among the fields stays as it is."""
        given = self.cleaned_data
        is_inherited = given["value"] == INHERITED
        return Given(
            statement_id=statement,
            value=Value.UNANSWERED if is_inherited else Value(given["value"]),
            comment=given["comment"],
            reason=given["reason"],
            evidence_url=given["evidence_url"] if "evidence_url" in self.data else None,
            inherited_from=given["source"] if is_inherited else "",
        )


class EvidenceForm(forms.Form):
    """What carries an answer."""

    url = forms.URLField(
        required=False, max_length=1000, assume_scheme="https", error_messages=_LINK
    )
    file = forms.FileField(
        required=False, error_messages={"empty": "The file is empty. Nothing was saved."}
    )
    keep = forms.BooleanField(required=False)
    title = forms.CharField(required=False, max_length=200)
    owner = forms.CharField(required=False, max_length=100)
    dated = forms.DateField(required=False, input_formats=["%Y-%m-%d"], error_messages=_DAY)
    review_on = forms.DateField(required=False, input_formats=["%Y-%m-%d"], error_messages=_DAY)

    def clean_file(self) -> Any:
        """A file of at most 5 MiB, looked at before it is read."""
        file = self.cleaned_data["file"]
        if file is not None and file.size > LARGEST_FILE:
            raise forms.ValidationError("A file may have 5 MiB. Nothing was saved.")
        return file

    def read(self) -> Shown:
        """The evidence with the bytes of the file."""
        given = self.cleaned_data
        file = given["file"]
        return Shown(
            url=given["url"],
            title=given["title"],
            owner=given["owner"],
            dated=given["dated"],
            review_on=given["review_on"],
            file_name=file.name if file else "",
            body=file.read() if file else None,
            keeps_file=given["keep"],
        )
