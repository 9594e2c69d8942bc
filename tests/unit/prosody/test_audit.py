"""The audit: groups compared at one threshold, gates that can fail, pictures that show what was measured."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from prosody.errors import ModelMissing
from prosody.evaluation import groups
from prosody.evaluation.audit import GATES, Audit, _gated, audit, write
from prosody.evaluation.figure import Figure, figure
from prosody.evaluation.grid import Cell, choose, label, lines
from prosody.evaluation.grid import figures as line_figures
from prosody.evaluation.grid import measure as measure_lines
from prosody.evaluation.pictures import det
from prosody.training.corpora import read_manifest
from prosody.training.degrade import MATCHED, Line

DATA = Path(__file__).parents[2] / "data" / "emodb"


def _rows(women: float, men: float, *, people: int = 8, each: int = 50) -> groups.Scored:
    """Half of all clips upset; the share of those heard is ``women`` and ``men``; none of the calm ones is mistaken."""
    speaker = np.repeat([f"s{i}" for i in range(people)], each)
    sex = np.repeat(["f" if i % 2 else "m" for i in range(people)], each)
    truth = np.tile([0, 1], people * each // 2).astype(np.intp)
    rng = np.random.default_rng(3)
    heard = rng.random(truth.size) < np.where(sex == "f", women, men)
    p = np.where((truth == 1) & heard, 0.9, 0.1) + 0.01 * rng.random(truth.size)
    empty = np.full(truth.size, "")
    return groups.Scored(p=p, distress=truth, speaker=speaker, sex=sex, age=empty, language=empty, corpus=empty)


def _by_name(found: list[Figure]) -> dict[str, Figure]:
    return {f.name: f for f in found}


def test_a_gap_between_the_sexes_is_found_and_its_absence_too() -> None:
    unfair = _by_name(groups.figures("ear", _rows(0.9, 0.4), 0))["ear/tpr_gap_sex"]
    assert unfair.value == pytest.approx(0.5, abs=0.12)
    assert unfair.interval is not None
    assert unfair.interval[0] > 0.2
    assert not _gated(unfair).met
    fair = _by_name(groups.figures("ear", _rows(0.8, 0.8), 0))["ear/tpr_gap_sex"]
    assert _gated(fair).met


def test_groups_nobody_named_are_not_compared() -> None:
    names = set(_by_name(groups.figures("ear", _rows(0.9, 0.4), 0)))
    assert not any("age" in n or "language" in n for n in names)


def test_every_gate_names_something_that_is_measured() -> None:
    cells = [Cell(line=line, auc=0.9, coverage=1.0, n=4) for line in lines()]
    rows = replace(_rows(0.9, 0.9), age=np.full(400, "0-29"), language=np.full(400, "en"), corpus=np.full(400, "c"))
    half = np.arange(400) % 100 < 50
    rows = replace(rows, age=np.where(half, "0-29", "30-49"))
    found = groups.figures("ear", rows, 0) + line_figures("ear", cells)
    found += [figure("ear/coverage_all", 1.0), figure("ear/cost_per_scored_second", 1.0)]
    gated = {f.name.split("/")[1] for f in map(_gated, found) if f.target}
    for gate in GATES:
        assert any(n == gate or (gate.endswith("_") and n.startswith(gate)) for n in gated), gate


def test_lines_have_a_name_each() -> None:
    names = [label(line) for line in lines()]
    assert len(set(names)) == len(names) == 72
    assert label(Line(codec="opus", snr_db=10.0, loss=0.05)) == "opus_snr_10db_loss_5pct"
    assert label(MATCHED) == "mulaw"


def test_detection_error_falls_as_the_alarms_rise() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random(400) < 0.5).astype(np.intp)
    false, missed = det(truth + rng.normal(0.0, 0.7, 400), truth)
    assert (np.diff(false) >= 0).all()
    assert (np.diff(missed) <= 0).all()
    assert 0.1 < missed[np.argmin(abs(false - 0.2))] < 0.35


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "corpus", "language", "speaker", "sex", "age", "emotion", "distress", "split"])
        for clip in sorted(DATA.glob("*.flac")):
            upset = int(clip.stem[5] == "W")
            emotion = "anger" if upset else "neutral"
            table.writerow([clip, "emodb", "de", clip.stem[:2], "f", "", emotion, upset, "test"])
    return path


def test_lines_are_measured_with_the_same_noise_for_each(manifest: Path) -> None:
    ear = Ear.load("open", WhisperEncoder.load())
    clips = choose(read_manifest(manifest), 2)
    assert [c.distress for c in clips] == [0, 1]
    cells = measure_lines(ear, clips, [], 0, lambda line: None)
    assert len(cells) == 72
    assert {c.n for c in cells} == {2}


def test_a_report_says_what_failed_and_shows_it(tmp_path: Path) -> None:
    cells = [Cell(line=line, auc=0.9 if line == MATCHED else 0.8, coverage=0.9, n=4) for line in lines()]
    found = [_gated(f) for f in line_figures("ear", cells)]
    result = Audit(name="ear", version="v", speakers=8, rows=_rows(0.9, 0.4), cells=cells, figures=found)
    assert not result.passed
    write(result, tmp_path / "audit", "2026-11-24", "a machine")
    text = (tmp_path / "audit" / "audit.md").read_text("utf-8")
    assert "**Failed:** ear/auc_change_" in text
    assert "2026-11-24" in text
    for name in ("reliability-sex.png", "det-sex.png", "lines.png"):
        assert (tmp_path / "audit" / name).stat().st_size > 5000, name


def test_a_manifest_without_calm_speech_is_refused(manifest: Path) -> None:
    lines_ = [x for x in manifest.read_text("utf-8").splitlines() if not x.endswith(",0,test")]
    manifest.write_text("\n".join(lines_), "utf-8")
    with pytest.raises(ModelMissing, match="both kinds"):
        audit("open", manifest)


def test_one_talkative_speaker_is_not_his_sex() -> None:
    """A man with ten times the clips, none of them heard, among three men who are heard: TPR of men stays near 3/4."""
    rows = _rows(0.9, 0.9)
    deaf = np.repeat("loud", 1000)
    more = {
        "p": np.concatenate([rows.p, np.full(1000, 0.05)]),
        "distress": np.concatenate([rows.distress, np.tile([0, 1], 500).astype(np.intp)]),
        "speaker": np.concatenate([rows.speaker, deaf]),
        "sex": np.concatenate([rows.sex, np.repeat("m", 1000)]),
    }
    empty = np.full(1400, "")
    both = groups.Scored(**more, age=empty, language=empty, corpus=empty)
    found = _by_name(groups.figures("ear", both, 0))
    assert found["ear/tpr_sex_m"].value == pytest.approx(0.9 * 4 / 5, abs=0.12)
