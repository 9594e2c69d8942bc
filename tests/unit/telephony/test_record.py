"""The call folder: lines on disk before anybody acts, a chain that shows tampering, erasure that leaves it whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from telephony.call_log import CallLog
from telephony.errors import RecordError
from telephony.facts import Because, CallAnswered, CallEnded, Decision, DistressChanged, EmotionScored, KeyPressed
from telephony.messages import Stamped
from telephony.record import CallFolder, read_facts, write_ticket
from telephony.recovery import verify
from telephony.syncer import Syncer
from telephony.transfer_messages import Event

ANSWERED = CallAnswered(from_="sip:a@x", to="sip:b@x", codec="PCMU/8000", at="2026-11-24T08:00:00Z")
VOICE = Because(kind="voice", start=1, end=3, name="p_distress", value=0.71234)
WORDS = Because(kind="words", start=1, end=3, name="lexicon", value="third time")
WHY = Decision(rule="fusion", inputs={"p": 0.71234}, threshold=0.5)


@pytest.fixture
def syncer() -> Iterator[Syncer]:
    syncer = Syncer()
    yield syncer
    syncer.close()


def make(tmp_path: Path, syncer: Syncer, seen: list[Stamped | Event] | None = None) -> tuple[CallFolder, CallLog]:
    folder = CallFolder(tmp_path, "c1", syncer)
    return folder, CallLog(folder, lambda: 1.5, (seen if seen is not None else []).append)


def test_a_fact_is_on_disk_before_it_is_shown(tmp_path: Path, syncer: Syncer) -> None:
    folder = CallFolder(tmp_path, "c1", syncer)
    on_disk: list[list[str]] = []
    log = CallLog(
        folder, lambda: 1.5, lambda s: on_disk.append([f["fact"] for f in read_facts(folder.path / "facts.jsonl")])
    )
    log.commit(ANSWERED)
    log.commit(KeyPressed(leg="caller", key="1"))
    folder.close()
    assert on_disk == [["CallAnswered"], ["CallAnswered", "KeyPressed"]]


def test_facts_that_follow_from_facts_are_shown_in_order_to_everybody(tmp_path: Path, syncer: Syncer) -> None:
    folder = CallFolder(tmp_path, "c1", syncer)
    seen: list[int] = []
    log: CallLog

    def show(item: Stamped | Event) -> None:
        assert isinstance(item, Stamped)
        if item.seq == 1:
            log.commit(KeyPressed(leg="caller", key="1"))
            log.commit(KeyPressed(leg="caller", key="2"))
        seen.append(item.seq)

    log = CallLog(folder, lambda: 0.0, show)
    log.commit(ANSWERED)
    folder.close()
    assert seen == [1, 2, 3]


def chain(tmp_path: Path, syncer: Syncer) -> tuple[CallFolder, CallLog]:
    folder, log = make(tmp_path, syncer)
    log.commit(ANSWERED)
    log.commit(EmotionScored(start=1, end=3, arousal=0.61234, p_distress=0.71234))
    log.commit(DistressChanged(level="distress", score=0.8, because=(VOICE,)), WHY)
    log.commit(DistressChanged(level="distress", score=0.9, because=(VOICE, WORDS)), WHY)
    log.commit(KeyPressed(leg="caller", key="9"), Decision(rule="key-9", inputs={"key": "9"}))
    return folder, log


def test_erasing_the_voice_leaves_words_order_and_chain(tmp_path: Path, syncer: Syncer) -> None:
    folder, log = chain(tmp_path, syncer)
    size = (folder.path / "facts.jsonl").stat().st_size
    assert log.erase_voice() == 3
    assert (folder.path / "facts.jsonl").stat().st_size == size
    log.commit(CallEnded(cause="x", ending="resolved"))
    folder.close()
    raw = (folder.path / "facts.jsonl").read_text() + (folder.path / "decisions.jsonl").read_text()
    assert "0.7123" not in raw
    assert "0.6123" not in raw
    facts = read_facts(folder.path / "facts.jsonl")
    assert [f["seq"] for f in facts] == [1, 2, 3, 4, 5, 6]
    assert facts[1]["fact"] == "Erased"
    assert [b["kind"] for b in facts[2]["because"]] == ["key"]
    assert [b["kind"] for b in facts[3]["because"]] == ["words"]
    assert [s.to_json() for s in log.facts] == facts
    assert log.erase_voice() == 0
    assert verify(tmp_path) == []


CHANGES = [(n, c) for n in range(3) for c in ("rule", "inputs", "threshold", "drop") if (n, c) != (2, "drop")]
"""All but the last line's loss: a chain that is cut off at its end is still a chain."""


@pytest.mark.parametrize(("line", "change"), CHANGES)
def test_tampering_is_found(tmp_path: Path, syncer: Syncer, line: int, change: str) -> None:
    folder, log = chain(tmp_path, syncer)
    log.commit(CallEnded(cause="x", ending="resolved"))
    folder.close()
    path = folder.path / "decisions.jsonl"
    lines = [json.loads(raw) for raw in path.read_text().splitlines()]
    if change == "drop":
        del lines[line]
    else:
        lines[line][change] = {"rule": "other", "inputs": {"p": 0.1}, "threshold": 0.1}[change]
    path.write_text("".join(json.dumps(x) + "\n" for x in lines))
    assert any("decisions.jsonl" in p.text for p in verify(tmp_path))


def test_a_full_disk_keeps_facts_in_memory_and_writes_them_later(
    tmp_path: Path, syncer: Syncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Stamped | Event] = []
    folder, log = make(tmp_path, syncer, seen)
    log.commit(ANSWERED)

    def full(stamped: Stamped, decision: Decision | None = None) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(folder, "append", full)
        log.commit(KeyPressed(leg="caller", key="1"))
        assert not log.write()
    assert len(seen) == 2, "the call acts all the same"
    log.commit(KeyPressed(leg="caller", key="2"))
    folder.close()
    assert [f["seq"] for f in read_facts(folder.path / "facts.jsonl")] == [1, 2, 3]


def test_a_call_id_is_used_once(tmp_path: Path, syncer: Syncer) -> None:
    folder, _ = make(tmp_path, syncer)
    with pytest.raises(RecordError, match="calls/c1"):
        CallFolder(tmp_path, "c1", syncer)
    folder.close()


def test_only_a_torn_last_line_is_forgiven(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"seq":1}\n{"se')
    assert read_facts(path) == [{"seq": 1}]
    path.write_text('{"se\n{"seq":2}\n')
    with pytest.raises(RecordError, match="line 1"):
        read_facts(path)


def test_a_ticket_is_one_whole_file(tmp_path: Path) -> None:
    path = write_ticket(tmp_path, {"ref": "CB-1", "number": "anna"})
    assert json.loads(path.read_text()) == {"ref": "CB-1", "number": "anna"}
    assert list(path.parent.iterdir()) == [path]


def test_facts_written_are_flushed_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncer = Syncer()
    flushed: list[int] = []
    monkeypatch.setattr("telephony.syncer.os.fdatasync", flushed.append)
    syncer.dirty(99)
    syncer.dirty(98)
    syncer.forget(98)
    syncer.close()
    assert flushed == [99]
