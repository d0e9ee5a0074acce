"""An evidence pack is recomputed from itself alone, and whoever changes it is found out."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command

from metrics.actions.agree import agree, submit
from metrics.actions.assess import Given, save_answer, start_assessment
from metrics.actions.support import accept_evidence
from metrics.maturity.loading import load_shipped_model
from metrics.maturity.packs import MANIFEST, PackError, open_pack, recompute_pack, write_pack
from metrics.maturity.values import Answer as Value
from metrics.models import Answer, Assessment, CheckResult
from metrics.packs import find_manifest_digest, make_pack
from promotion.exceptions import ConflictError
from promotion.models import Deployment, Role
from tests.factories import NOW, digest_of, make_artifact, make_person, make_release
from tests.parts.checked_team import make_checked_team

BUILT_ONCE, ONE_DIGEST = "process.3.built-once", "process.3.no-manual-rebuilds"
GUIDELINES = "process.2.reuse-guidelines"


@pytest.fixture
def assessment(db):
    with time_machine.travel(NOW, tick=False):
        made = make_checked_team()
        made.do_well()
        first = made.releases[0]
        again = make_artifact(made.service, first.version, digest=digest_of("again"))
        make_release(made.service, first.version, artifacts=[again], at=first.created_at)
        member = make_person("mei", Role.MEMBER, team=made.team)
        other = make_person("daniel", Role.MEMBER, team=made.team)
        key = start_assessment(made.team, person=member, at=NOW).pk
        for statement in load_shipped_model().statements:
            given = Given(
                statement.id, statement.scale[-1], evidence_url="https://wiki.example/reuse"
            )
            save_answer(key, given, person=member, at=NOW)
        accept_evidence(key, GUIDELINES, person=other, at=NOW)
        submit(key, person=member, at=NOW)
        agree(key, person=other, at=NOW + timedelta(seconds=1))
        return Assessment.objects.select_related("team").get()


def recompute(data: bytes, told: str | None = None):
    return list(recompute_pack(open_pack(data), told))


def find_differing(data: bytes, told: str | None = None) -> list[str]:
    return [line.text for line in recompute(data, told) if line.agrees is False]


def change(data: bytes, name: str, edit, *, is_listed: bool = False) -> bytes:
    """A pack with one part edited; listed anew in the manifest, or not."""
    parts = open_pack(data)
    found = json.loads(parts[name])
    edit(found)
    parts[name] = json.dumps(found).encode()
    if is_listed:
        head = json.loads(parts.pop(MANIFEST))
        return write_pack({"team": head["team"], "cycle": head["cycle"]}, parts)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for each, body in parts.items():
            archive.writestr(each, body)
    return buffer.getvalue()


def test_a_pack_gives_the_frozen_level_again_and_carries_its_rows(assessment):
    data = make_pack(assessment)

    assert find_differing(data, find_manifest_digest(data)) == []
    claim = json.loads(open_pack(data)[f"claims/{ONE_DIGEST}.json"])
    (rows,) = claim["rows"].values()
    assert (len(rows), sum(row["good"] for row in rows)) == (12, 11)
    assert claim["check"]["figures"][0]["numerator"] == 11
    assert claim["rows_left_out"] == ""
    last = recompute(data)[-1]
    assert last.text == f"overall level, verified: {assessment.result['verified']['overall']}"


def test_the_same_assessment_gives_the_same_bytes(assessment):
    assert make_pack(assessment) == make_pack(Assessment.objects.get())


def test_evidence_goes_along_with_who_accepted_it_and_counts_again(assessment):
    claim = json.loads(open_pack(make_pack(assessment))[f"claims/{GUIDELINES}.json"])

    assert (claim["evidence"]["given_by"], claim["evidence"]["accepted_by"]) == ("mei", "daniel")


def test_no_row_is_read_from_the_database(assessment, django_assert_num_queries, tmp_path, capsys):
    pack = tmp_path / "pack.zip"
    pack.write_bytes(make_pack(assessment))
    CheckResult.objects.all().delete()
    Answer.objects.all().delete()

    with django_assert_num_queries(0):
        call_command("recompute_level", str(pack))

    printed = capsys.readouterr().out
    assert "overall level, verified" in printed
    assert printed.splitlines()[-1].endswith("agree, 0 differ")


@pytest.mark.parametrize("is_listed", [False, True])
def test_a_better_level_written_into_the_pack_is_found(assessment, is_listed, tmp_path, capsys):
    def lift(part):
        part["result"]["verified"]["overall"] = 5

    data = change(make_pack(assessment), "assessment.json", lift, is_listed=is_listed)
    (tmp_path / "pack.zip").write_bytes(data)

    with pytest.raises(SystemExit) as ended:
        call_command("recompute_level", str(tmp_path / "pack.zip"))

    assert ended.value.code == 1
    printed = capsys.readouterr().out
    assert "overall level, verified: 2 by recomputing, 5 in the pack" in printed
    assert ("assessment.json was changed" in printed) is not is_listed


def test_a_better_figure_is_found_by_its_rows(assessment):
    def polish(claim):
        claim["check"]["figures"][0].update(numerator=12, value=100.0)
        claim["check"]["verdict"] = claim["values"]["measured"] = "F"
        claim["values"]["verified"] = claim["values"]["counted"] = "F"

    name = f"claims/{ONE_DIGEST}.json"
    found, *_ = find_differing(change(make_pack(assessment), name, polish, is_listed=True))

    assert "its rows give 11 of 12" in found
    assert "it says 12 of 12" in found


def test_softer_thresholds_are_found_by_the_model(assessment):
    def soften(claim):
        claim["check"]["thresholds"] = {"P": 1, "L": 2, "F": 3}

    name = f"claims/{ONE_DIGEST}.json"
    (found,) = find_differing(change(make_pack(assessment), name, soften, is_listed=True))

    assert "its thresholds are not those of the model" in found


def test_evidence_accepted_by_who_gave_it_does_not_count(assessment):
    def accept_own(claim):
        claim["evidence"]["accepted_by"] = claim["evidence"]["given_by"]

    data = change(make_pack(assessment), f"claims/{GUIDELINES}.json", accept_own, is_listed=True)
    data_differs = find_differing(data)
    rows = [each for each in recompute(data) if each.text.startswith(GUIDELINES)]

    assert rows
    assert "evidence accepted" not in rows[0].text
    assert isinstance(data_differs, list)


def test_a_pack_with_another_manifest_than_was_told_is_found(assessment):
    data = make_pack(assessment)

    assert find_differing(data, "0" * 64) == [f"Manifest sha256:{find_manifest_digest(data)}"]


def test_any_changed_byte_is_found(assessment):
    data = make_pack(assessment)
    whole = hashlib.sha256(data).hexdigest()

    for place in range(0, len(data), max(len(data) // 40, 1)):
        changed = bytearray(data)
        changed[place] ^= 0x01
        assert hashlib.sha256(bytes(changed)).hexdigest() != whole
        try:
            parts = open_pack(bytes(changed))
        except PackError:
            continue
        is_same = parts == open_pack(data)
        assert is_same or any(line.agrees is False for line in recompute_pack(parts))


def test_a_model_version_that_is_not_known_is_said_and_not_trusted(assessment):
    parts = open_pack(make_pack(assessment))
    head = json.loads(parts.pop(MANIFEST))
    text = parts["model.yaml"].decode()
    parts["model.yaml"] = text.replace('version: "1.0"', 'version: "9.9"').encode()
    assert parts["model.yaml"].decode() != text
    said = json.loads(parts["assessment.json"])
    said["model"]["version"] = "9.9"
    parts["assessment.json"] = json.dumps(said).encode()

    data = write_pack({"team": head["team"], "cycle": head["cycle"]}, parts)

    (found,) = find_differing(data)
    assert found.startswith("Model version not known: artifact-promotion 9.9")


def test_an_altered_model_of_a_known_version_is_found(assessment):
    parts = open_pack(make_pack(assessment))
    head = json.loads(parts.pop(MANIFEST))
    parts["model.yaml"] += b"\n# softened\n"

    (found,) = find_differing(write_pack({"team": head["team"], "cycle": head["cycle"]}, parts))

    assert found == "The model in the pack is not the artifact-promotion 1.0 shipped here"


def test_a_claim_left_out_is_found(assessment):
    parts = open_pack(make_pack(assessment))
    head = json.loads(parts.pop(MANIFEST))
    parts.pop(f"claims/{BUILT_ONCE}.json")

    assert find_differing(write_pack({"team": head["team"], "cycle": head["cycle"]}, parts))


def test_a_figure_the_record_no_longer_gives_goes_without_rows_and_says_so(assessment):
    Deployment.objects.filter(environment__slug="production").first().reports.all().delete()
    Deployment.objects.filter(environment__slug="production").first().delete()
    data = make_pack(assessment)

    claim = json.loads(open_pack(data)[f"claims/{BUILT_ONCE}.json"])

    assert claim["rows"] is None
    assert "kept with the assessment are 12 of 12" in claim["rows_left_out"]
    assert find_differing(data) == []


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip", b"PK\x03\x04" + b"\x00" * 60])
def test_what_is_no_pack_is_refused_in_a_sentence(content, tmp_path):
    (tmp_path / "pack.zip").write_bytes(content)

    with pytest.raises(CommandError, match="is no whole pack"):
        call_command("recompute_level", str(tmp_path / "pack.zip"))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("recompute_level", str(tmp_path / "none.zip"))


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"manifest.json": b"[]"},
        {"manifest.json": b'{"format": "other"}'},
        {"manifest.json": b'{"format": "throughline-maturity-pack/1", "parts": {"x": 1}}'},
        {
            "manifest.json": b'{"format": "throughline-maturity-pack/1", "parts": {}}',
            "assessment.json": b"{}",
            "model.yaml": b"\xff",
        },
        {
            "manifest.json": b'{"format": "throughline-maturity-pack/1", "parts": {}}',
            "assessment.json": b'{"model": 5}',
            "model.yaml": b"id: x",
        },
    ],
)
def test_a_pack_of_another_form_differs_and_never_breaks(parts):
    assert any(line.agrees is False for line in recompute_pack(parts))


def test_only_what_is_agreed_is_packed(assessment):
    assessment.state = Assessment.State.DRAFT

    with pytest.raises(ConflictError, match="once it is agreed"):
        make_pack(assessment)


def test_values_are_those_of_the_model(assessment):
    assert {each.value for each in Answer.objects.all()} == {Value.FULLY, Value.NO_LONGER}
