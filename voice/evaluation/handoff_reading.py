"""What one call of the chaos run came to, read at the far ends' recordings and in the call's own folder.

Hears from: `voice.evaluation.handoff_calls`. Tells: `voice.evaluation.handoff_results`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile as sf

from telephony.facts import ENDINGS
from telephony.phone_audio import RATE_HZ
from voice.evaluation.handoff_clips import CALLER_HZ, CALLER_TONE, HUMAN_HZ, HUMAN_TONE
from voice.evaluation.handoff_people import Stage
from voice.evaluation.handoff_phones import Handset
from voice.evaluation.handoff_sound import first_sound_s, first_tone_s, longest_silence_s, resemblance

ALIKE = 0.4
"""Over 220 pairs a briefing resembled other callers' recordings by 0.24 at most, its own human's by 0.54 at least."""
BRIEFED_S = 0.8
"""Shorter pieces resemble anything."""
GOODBYES = ("nobody_callback", "no_worker_callback", "goodbye")
Stereo = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """``orphans``: what outlived the call by 5 s. ``untold``: the caller was left without a word."""

    fault: str
    ending: str
    call: str = ""
    opens: str = "key"
    accepts_by: str = "key"
    outcomes: tuple[str, ...] = ()
    silence_s: float | None = None
    """Longest, from the caller's request to two-way audio with the last human or to the end."""
    ringing_ms: float | None = None
    """From what asks for a human in the log (key, consent, danger) to the first human's telephone."""
    asked_ms: float | None = None
    """From the release of the caller's key or the end of the caller's words to the same."""
    human_s: float | None = None
    """From the same to two-way audio."""
    two_way_ms: float | None = None
    """From the release of the human's key or the end of the spoken yes to each hearing the other, the later of both."""
    alone_s: float | None = None
    """How long an answered human's line outlived the caller's."""
    orphans: tuple[str, ...] = ()
    untold: bool = False
    briefed_machine: bool = False
    leaked: bool = False
    """The briefing's sound is in what the caller's telephone heard."""
    events_lost: int = 0
    tickets_lost: int = 0
    """Call backs that the log promises and no file does."""

    @property
    def defined(self) -> bool:
        return self.ending in ENDINGS and self.ending != "interrupted"


def read_result(stage: Stage, ending: str, orphans: tuple[str, ...], events_lost: int) -> Result:
    log, fault = stage.log, stage.fault
    asked_t, joined_t = _asked_t(stage), _two_way_t(stage)
    accept_t, detected_t = _accept_t(stage), _detected_t(stage)
    return Result(
        fault=fault.name,
        ending=ending,
        call=log.folder.name,
        opens=fault.opens,
        accepts_by=fault.accepts_by,
        outcomes=tuple(str(f["outcome"]) for f in log.facts("HandoffState") if f["outcome"]),
        silence_s=_silence_s(stage, asked_t, joined_t),
        ringing_ms=_ms(detected_t, stage.rang_t),
        asked_ms=_ms(asked_t, stage.rang_t),
        human_s=None if joined_t is None or asked_t is None else round(joined_t - asked_t, 2),
        two_way_ms=_ms(accept_t, joined_t),
        alone_s=_alone_s(stage),
        orphans=orphans,
        untold=_untold(stage, ending),
        briefed_machine=fault.first == "machine" and bool(log.facts("HandoffState", state="BRIEFING", target="h0")),
        leaked=_leaked(stage),
        events_lost=events_lost,
        tickets_lost=sum(not stage.lane.has_ticket(str(f["ref"])) for f in log.facts("CallbackTicketed")),
    )


def _ms(start_t: float | None, end_t: float | None) -> float | None:
    return None if start_t is None or end_t is None else round((end_t - start_t) * 1000, 1)


def _untold(stage: Stage, ending: str) -> bool:
    """The line was taken from a caller who had neither said goodbye nor been told what happens next."""
    if stage.caller_leaves or ending == "resolved" or (stage.human_hung_up and ending == "with-human"):
        return False
    told = [f for name in GOODBYES for f in stage.log.facts("Said", leg="caller", prompt=name)]
    return not told or (ending == "told-and-callback" and not stage.log.facts("CallbackTicketed"))


def _recorded(phone: Handset) -> tuple[Stereo, float] | None:
    """What a telephone sent and heard (channels), and the moment of the first sample."""
    path, zero_t = phone.recording, phone.t_of("answered")
    found = None if path is None else _read(path)
    return None if found is None or zero_t is None else (found, zero_t)


def _read(path: Path) -> Stereo | None:
    try:
        samples, _ = sf.read(str(path), dtype="float64", always_2d=True)
    except (OSError, sf.LibsndfileError):
        return None
    return np.asarray(samples, dtype=np.float64)


def _end_of_words_t(stage: Stage, phone: Handset, clip: str, sent_t: float | None) -> float | None:
    """When the last word of a clip left the telephone."""
    recorded = _recorded(phone)
    if recorded is None or sent_t is None:
        return None
    stereo, zero_t = recorded
    start_s = first_sound_s(stereo[:, 0], max(0.0, sent_t - zero_t))
    return None if start_s is None else zero_t + start_s + stage.clips[clip].words_end_s


def _asked_t(stage: Stage) -> float | None:
    match stage.fault.opens:
        case "asked":
            return _end_of_words_t(stage, stage.caller, "agree", stage.asked_t)
        case "crisis":
            return _end_of_words_t(stage, stage.caller, "danger", stage.asked_t)
    return stage.asked_t


def _accept_t(stage: Stage) -> float | None:
    if stage.accept_t is None or stage.fault.accepts_by == "key":
        return stage.accept_t
    return _end_of_words_t(stage, stage.humans[stage.accepted_by], "yes", stage.accept_t)


def _detected_t(stage: Stage) -> float | None:
    """When the log had what a human is rung for. The caller's telephone and the gateway are up within milliseconds."""
    answered_t = stage.caller.t_of("answered")
    agreed = stage.log.facts("HandoffAnswered", accepted=True) if stage.fault.opens == "asked" else []
    found = agreed or stage.log.facts("HandoffRequested")
    return None if answered_t is None or not found else answered_t + float(found[0]["t"])


def _two_way_t(stage: Stage) -> float | None:
    """When the later of both far ends first heard the other's tone, on the monotonic clock."""
    if stage.accept_t is None:
        return None
    heard_t = []
    for phone, hz, amplitude in (
        (stage.caller, HUMAN_HZ, HUMAN_TONE),
        (stage.humans[stage.accepted_by], CALLER_HZ, CALLER_TONE),
    ):
        recorded = _recorded(phone)
        if recorded is None:
            return None
        stereo, zero_t = recorded
        found = first_tone_s(stereo[:, 1], hz, amplitude, max(0.0, stage.accept_t - zero_t))
        if found is None:
            return None
        heard_t.append(zero_t + found)
    return max(heard_t)


def _silence_s(stage: Stage, asked_t: float | None, joined_t: float | None) -> float | None:
    """All the time that the caller waits; with a human it is theirs to speak. What the caller sends is our own tone."""
    recorded = _recorded(stage.caller)
    if recorded is None or asked_t is None or stage.fault.strikes == "caller-rtp-stops":
        return None
    stereo, zero_t = recorded
    start_s, end_s = max(0.0, asked_t - zero_t), len(stereo) / RATE_HZ
    if joined_t is not None:
        end_s = joined_t - zero_t
    spans = waits(stage.log.facts(), start_s, end_s)
    return max((longest_silence_s(stereo[:, 1:], a, b) for a, b in spans), default=0.0)


def waits(facts: Sequence[dict[str, Any]], start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Stretches of a span in which the caller is not with a human, in call time [s]."""
    out, since_s = [], start_s
    for f in facts:
        if f["fact"] == "LegsBridged":
            out.append((since_s, float(f["t"])))
            since_s = end_s
        elif f["fact"] == "HandoffState" and f["outcome"] == "human-dropped":
            since_s = float(f["t"])
    return [(max(a, start_s), min(b, end_s)) for a, b in [*out, (since_s, end_s)] if a < end_s and b > start_s]


def _alone_s(stage: Stage) -> float | None:
    gone_t = stage.caller.t_of("closed")
    last = [t for p in stage.humans.values() if p.t_of("answered") is not None and (t := p.t_of("closed")) is not None]
    return None if gone_t is None or not last else round(max(0.0, max(last) - gone_t), 2)


def _leaked(stage: Stage) -> bool:
    """Whether what the human was told in private can be found in the caller's own recording."""
    recorded: Any = _recorded(stage.caller)
    human = _read(stage.log.folder / "human.flac")
    if recorded is None or human is None:
        return False
    for said in stage.log.facts("Said", leg="human", prompt="briefing"):
        told = human[int(said["start"] * RATE_HZ) : int(said["end"] * RATE_HZ), 1]
        if len(told) >= BRIEFED_S * RATE_HZ and resemblance(told, recorded[0][:, 1]) > ALIKE:
            return True
    return False
