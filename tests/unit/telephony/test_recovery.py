"""What a killed gateway left is finished once, whatever moment it was killed at; and `verify` sees what is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from telephony.facts import CallAnswered, CallEnded, Fact, KeyPressed
from telephony.messages import Stamped, to_line
from telephony.recovery import repair, verify

ANSWERED = CallAnswered(
    from_="sip:anna@127.0.0.1:5", to="sip:b@x", codec="PCMU/8000", at="2026-11-24T08:00:00Z", versions={"record": "on"}
)


def killed(store: Path, *, torn: str = "", facts: tuple[tuple[float, Fact], ...] = ()) -> Path:
    """A call folder as a kill leaves it: 3.0 s of sound, facts up to 2.5 s, perhaps half a line."""
    folder = store / "calls" / "20261124-080000-abcdef"
    folder.mkdir(parents=True)
    lines = [Stamped(seq=1, t=0.0, fact=ANSWERED), Stamped(seq=2, t=2.5, fact=KeyPressed(leg="caller", key="5"))]
    lines += [Stamped(seq=n, t=t, fact=f) for n, (t, f) in enumerate(facts, 3)]
    (folder / "facts.jsonl").write_bytes(b"".join(map(to_line, lines)) + torn.encode())
    sound = np.full(24000, 500, dtype="<i2").tobytes()
    (folder / "caller.part").write_bytes(sound * 2)
    (folder / "agent.part").write_bytes(sound[:-3200])
    (folder / "decisions.jsonl").touch()
    return folder


@pytest.mark.parametrize("torn", ["", '{"seq":3,"t":2.6,"fa'])
def test_a_killed_call_gets_its_end_its_sound_and_a_callback(tmp_path: Path, torn: str) -> None:
    folder = killed(tmp_path, torn=torn)
    assert {p.text for p in verify(tmp_path)} >= {"caller.part was not finished (--repair)"}
    assert repair(tmp_path) == [folder.name]
    assert verify(tmp_path) == []
    facts = [json.loads(x) for x in (folder / "facts.jsonl").read_text().splitlines()]
    assert [f["fact"] for f in facts] == ["CallAnswered", "KeyPressed", "CallbackTicketed", "CallEnded"]
    assert (facts[-1]["cause"], facts[-1]["ending"], facts[-1]["t"]) == ("gateway-lost", "interrupted", 3.0)
    ticket = json.loads((tmp_path / "callbacks" / f"{facts[2]['ref']}.json").read_text())
    assert (ticket["number"], ticket["call"]) == ("anna", folder.name)
    assert [sf.info(folder / f"{n}.flac").frames for n in ("caller", "agent")] == [24000, 24000]
    assert json.loads((folder / "summary.json").read_text())["ending"] == "interrupted"


def test_repair_twice_changes_nothing(tmp_path: Path) -> None:
    folder = killed(tmp_path)
    repair(tmp_path)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert repair(tmp_path) == []
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert len(list((tmp_path / "callbacks").iterdir())) == 1


def test_a_call_that_ended_but_whose_sound_was_not_finished(tmp_path: Path) -> None:
    folder = killed(tmp_path, facts=((3.0, CallEnded(cause="done", ending="resolved")),))
    repair(tmp_path)
    facts = (folder / "facts.jsonl").read_text()
    assert facts.count("CallEnded") == 1
    assert "interrupted" not in facts
    assert not (tmp_path / "callbacks").exists()
    assert verify(tmp_path) == []


def test_recovery_killed_at_any_point_is_finished_by_the_next(tmp_path: Path) -> None:
    """Every subset of its steps' outcomes: done files stay, drafts go."""
    killed(tmp_path / "whole")
    repair(tmp_path / "whole")
    done = tmp_path / "whole" / "calls" / "20261124-080000-abcdef"
    for n, taken in enumerate(
        (["facts.jsonl"], ["facts.jsonl", "caller.flac"], ["facts.jsonl", "caller.flac", "summary.json"])
    ):
        store = tmp_path / str(n)
        folder = killed(store)
        for name in taken:
            shutil.copy(done / name, folder / name)
        (folder / "agent.flac.tmp").write_bytes(b"half")
        if "caller.flac" in taken and n == 2:
            (folder / "caller.part").unlink()
        repair(store)
        assert verify(store) == []
        assert not list(folder.glob("*.tmp"))


def test_a_live_call_is_left_alone(tmp_path: Path) -> None:
    folder = killed(tmp_path)
    live = frozenset({folder.name})
    assert repair(tmp_path, live) == []
    assert verify(tmp_path, live) == []
    assert (folder / "caller.part").exists()


def test_one_broken_folder_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = killed(tmp_path)
    broken = tmp_path / "calls" / "00000000-broken"
    broken.mkdir()
    (broken / "facts.jsonl").write_text("{\n{}\n")
    assert repair(tmp_path) == [folder.name]
    assert [p.call for p in verify(tmp_path)] == ["00000000-broken"]


def test_sound_of_another_length_is_a_problem(tmp_path: Path) -> None:
    folder = killed(tmp_path)
    repair(tmp_path)
    sf.write(folder / "caller.flac", np.zeros((23600, 2), dtype=np.int16), 8000, subtype="PCM_16")
    (folder / "agent.flac").unlink()
    texts = [p.text for p in verify(tmp_path)]
    assert "caller.flac lasts 2.950 s, the call 3.000 s" in texts
    assert "agent.flac is missing" in texts
    (folder / "caller.flac").write_bytes(b"no flac")
    assert any("caller.flac" in p.text for p in verify(tmp_path))


def test_a_gap_in_seq_is_a_problem(tmp_path: Path) -> None:
    folder = killed(tmp_path)
    repair(tmp_path)
    path = folder / "facts.jsonl"
    path.write_bytes(b"".join(line for n, line in enumerate(path.read_bytes().splitlines(keepends=True)) if n != 1))
    assert any("seq" in p.text for p in verify(tmp_path))
