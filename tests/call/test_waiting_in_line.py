"""Two calls want the same human: one phone call at a time, and the one who waits is told so."""

from __future__ import annotations

from pathlib import Path

from telephony.facts import Because, DistressChanged, HandoffRequested, ModeChanged
from telephony.human_line import HumanLine
from tests.call.virtual_call import VirtualCall


def test_a_human_is_never_rung_by_two_calls_at_once(tmp_path: Path) -> None:
    line = HumanLine()
    first = VirtualCall(tmp_path / "1", line=line, name="call-1").run(1.0)
    second = VirtualCall(tmp_path / "2", line=line, name="call-2").run(1.0)
    first.states(HandoffRequested(reason="request"))
    second.states(HandoffRequested(reason="request"))
    first.run(3.0)
    second.run(3.0)
    assert len(first.exchange.dialled) == 1
    assert not second.exchange.dialled
    assert second.facts("HandoffQueued", place=1)
    assert second.facts("Said", prompt="line_next")
    assert not second.facts("Said", prompt="hold_start"), "nobody is being brought in yet"
    first.caller_leaves()
    first.run(0.1)
    assert first.exchange.dialled[0][2].hung_up, "cancelled"
    assert len(second.exchange.dialled) == 1, "and now it is the other's turn"
    assert line.taken == {"h1"}
    second.caller_leaves()
    second.run(0.1)
    assert not line.taken
    first.close()
    second.close()


def test_a_waiting_caller_whose_distress_rises_is_next(tmp_path: Path) -> None:
    line = HumanLine()
    calls = [VirtualCall(tmp_path / str(n), line=line, name=f"call-{n}").run(1.0) for n in range(3)]
    for call in calls:
        call.states(ModeChanged(mode="ai-led", frustration=0.0, uncertainty=0.0, urgency=0.0, own_uncertainty=0.0))
        call.states(HandoffRequested(reason="request"))
        call.run(1.0)
    holder, calm, upset = calls
    assert upset.facts("HandoffQueued", place=2)
    why = Because(kind="words", start=1.0, end=2.0, name="despair", value="cannot go on")
    upset.states(DistressChanged(level="distress", score=0.8, because=(why,)))
    upset.run(0.1)
    assert upset.facts("HandoffQueued", place=1)
    assert calm.facts("HandoffQueued", place=2)
    holder.caller_leaves()
    holder.run(0.1)
    assert len(upset.exchange.dialled) == 1
    assert not calm.exchange.dialled
    for call in calls:
        call.close()


def test_a_human_whose_packets_stop_after_the_bridge_is_replaced_by_the_next(tmp_path: Path) -> None:
    """The caller is told within 15 s, the loss is in the log, and nobody is left talking to nobody."""
    v = VirtualCall(tmp_path, targets=2).run(1.0)
    v.states(HandoffRequested(reason="request"))
    v.run(1.0)
    v.human_answers()
    v.run(1.0)
    v.human_presses("1")
    v.run(1.0)
    v.human_presses("1")
    v.until("HandoffState", state="RELEASED")
    v.human_speech = None
    v.until("HandoffState", outcome="human-dropped", limit_s=20.0)
    assert v.facts("AudioLost", leg="human")
    assert v.exchange.dialled[0][2].hung_up
    v.until("Said", prompt="human_dropped")
    assert len(v.exchange.dialled) == 2, "the next human is rung"
    v.close()
