"""What was played to whom becomes a fact, when it is over.

Hears from: the parties' playouts. Tells: the log (`Said`, `Disclosed`), the machines (`PromptPlayed`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telephony.facts import Disclosed, Said
from telephony.link_codec import FRAME_S
from telephony.party import Party
from telephony.playout import Ended
from telephony.transfer_messages import PromptPlayed

if TYPE_CHECKING:
    from telephony.call import Call


def report_ended(call: Call) -> None:
    """What has ended since last time, or was cut by a key or the worker."""
    for party in (call.caller, call.human):
        for item in _taken(party):
            _said(call, party, item)
            if item.prompt in ("disclosure", "callback_hello"):
                _disclosed(call, item)
            if item.prompt:
                attempt, prompt = call.human_side.attempt, item.prompt
                if prompt == "briefing_missing" and not call.human_side.briefing.pcm:
                    # Its fact may be there and its sound not: then there is nothing more to tell after this.
                    prompt = "briefing"
                call.log.event(PromptPlayed(t=call.t, leg=party.name, prompt=prompt, attempt=attempt))


def report_replaced(call: Call) -> None:
    """What was cut to make way for something else: said in part, but no machine waits for it any more."""
    for party in (call.caller, call.human):
        for item in _taken(party):
            _said(call, party, item)


def _taken(party: Party) -> list[Ended]:
    ended, party.playout.ended = party.playout.ended, []
    return ended


def _span(item: Ended) -> tuple[float, float]:
    start = item.end_tick if item.start_tick is None else item.start_tick
    return start * FRAME_S, item.end_tick * FRAME_S


def _said(call: Call, party: Party, item: Ended) -> None:
    # A turn is reported even if not a word of it was heard: its dialogue waits for that. A prompt nobody heard is not.
    if item.start_tick is None and not item.turn:
        return
    start, end = _span(item)
    said = Said(
        leg=party.name,
        start=start,
        end=end,
        text=item.text,
        rate_wpm=item.rate_wpm,
        turn=item.turn,
        prompt=item.prompt,
        cut=item.cut,
    )
    call.log.commit(said)


def _disclosed(call: Call, item: Ended) -> None:
    if any(isinstance(s.fact, Disclosed) for s in call.log.facts):
        return
    prompt = call.around.prompts.get(item.prompt)
    start, end = _span(item)
    call.log.commit(Disclosed(text=prompt.text if prompt else item.text, start=start, end=end))
