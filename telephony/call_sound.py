"""Where the sound of a call goes: to the worker, to the other party; and what is noted of it on the way.

Hears from: the parties. Tells: the link, the other party, the log (`AudioLost`), the machines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telephony.facts import AudioLost
from telephony.link_codec import CONCEALED, FRAME_S, HUMAN_LEG, SILENT_DB, AudioRecord
from telephony.media.framer import Frame
from telephony.media.pcm import level_db
from telephony.party import Party
from telephony.transfer_messages import AudioHeard, AudioSent, RtpReceived

if TYPE_CHECKING:
    from telephony.call import Call

NOTE_TICKS = 5
"""The watchdog hears of sound every 100 ms."""
AUDIBLE_DB = -50.0
"""Dead air is below this (``docs/glossary.md``)."""
GAP_MOST_TICKS = 50
"""A longer loss is told of in pieces of 1 s, while it lasts."""
KEY_TICKS = 10
"""A key may be reported 200 ms before or after the hole it makes."""


class CallSound:
    """The sound of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lost: dict[str, tuple[int, int]] = {}
        self._key_tick = {"caller": -1000, "human": -1000}

    def hear(self, elapsed_s: float) -> None:
        """What has come in from both parties by call time ``elapsed_s``."""
        for party in (self._call.caller, self._call.human):
            for frame in party.hear(elapsed_s):
                self._note_heard(party, frame)
                self._route(party, frame)

    def key(self, party: Party) -> None:
        """A key is down: it travels instead of sound (RFC 4733 §2.6.1), so the hole it makes is no loss."""
        self._key_tick[party.name] = self._call.tick

    def _route(self, party: Party, frame: Frame) -> None:
        call = self._call
        if call.bridged:
            other = call.human if party is call.caller else call.caller
            # Nothing comes from a party on hold: then the other hears hold sound, not our silence.
            if other.live is not None and frame.kind != "idle":
                other.live.put(frame.pcm)
        elif call.worker is not None and (party is call.caller or call.human_side.listening):
            flags = (CONCEALED if frame.kind == "lost" else 0) | (HUMAN_LEG if party is call.human else 0)
            sent_db = SILENT_DB if party.sent is None else round(level_db(party.sent))
            record = AudioRecord(call=call.number, turn=0, tick=frame.tick, pcm=frame.pcm, flags=flags, sent_db=sent_db)
            call.out.append(record)

    def _note_heard(self, party: Party, frame: Frame) -> None:
        call = self._call
        if frame.kind == "real":
            self._close_gap(party)
            if frame.tick % NOTE_TICKS == 0:
                call.log.event(RtpReceived(t=call.t, leg=party.name))
                if level_db(frame.pcm) > AUDIBLE_DB:
                    call.log.event(AudioHeard(t=call.t, leg=party.name))
        elif frame.kind == "lost" and not party.far_hold:
            first, _ = self._lost.get(party.name, (frame.tick, 0))
            self._lost[party.name] = (first, frame.tick + 1)
            if frame.tick + 1 - first >= GAP_MOST_TICKS:
                self._close_gap(party)

    def note_sent(self) -> None:
        """Tells the machines to whom something audible goes."""
        call = self._call
        for party in (call.caller, call.human):
            if party.sent is not None and level_db(party.sent) > AUDIBLE_DB:
                call.log.event(AudioSent(t=call.t, leg=party.name))

    def close_gaps(self) -> None:
        """The call ends: what is missing now will not come back."""
        self._close_gap(self._call.caller)
        self._close_gap(self._call.human)

    def _close_gap(self, party: Party) -> None:
        gap = self._lost.pop(party.name, None)
        if gap is not None and not gap[0] - KEY_TICKS <= self._key_tick[party.name] <= gap[1] + KEY_TICKS:
            self._call.log.commit(AudioLost(leg=party.name, start=gap[0] * FRAME_S, end=gap[1] * FRAME_S))
