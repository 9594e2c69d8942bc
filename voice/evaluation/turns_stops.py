"""Interruptions: how fast the agent falls silent when the caller speaks, and how often it stops for nothing.

The agent speaks all the time. Into it come, each on lines of their own: sentences of callers (the onset is the first
20 ms that stand 15 dB over the noise floor; the agent must stop), back-channels, talk in the background 20 dB below
the caller, music, and everywhere the agent's own echo 20 dB down.

Hears from: `voice.evaluation.turns`. Tells: the same, figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from prosody.evaluation import Figure
from telephony.commands import ClearTurn, PauseTurn
from telephony.link_codec import FRAME_S, RATE_HZ
from telephony.media.pcm import level_db
from voice.evaluation.turns_sounds import Sound
from voice.evaluation.virtual_line import FRAME, Line, Models

ONSET_DB = 15.0
ECHO_DB = -20.0
AUDIBLE_DB = -50.0
MINUTES = {False: 10.0, True: 30.0}
"""Of agent speech, for the sounds rules were chosen by and for the others."""
_SUFFIX = {False: "_tuned", True: ""}
_EVERY_S = 6.0
_ECHOES_S = (0.06, 0.12, 0.18, 0.24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What the agent says, over and over. ``pcm``: 8 kHz 16-bit."""

    text: str
    pcm: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """``silent_s``: from the onset to the last frame of the agent; None: it went on. ``stopped``: for good.

    ``words_off``: words that were put on record as heard, less those that the recogniser finds in what was played.
    """

    silent_s: float | None
    stopped: bool
    words_off: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """Some time of agent speech with something that must not stop it."""

    kind: str
    minutes: float
    stops: int
    pauses: int
    held_out: bool = True


def onset_s(samples: Sound) -> float:
    """First 20 ms that stand `ONSET_DB` over the noise floor [s]; the floor: the quietest tenth, at least −65 dBFS."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    level = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    floor = max(float(np.percentile(level, 10)), -65.0)
    return float(np.flatnonzero(level >= floor + ONSET_DB)[0]) * FRAME_S


async def interrupt(models: Models, agent: Agent, caller: Sound, at_s: float, echo_s: float) -> Onset:
    """The caller begins ``at_s`` into the agent's turn."""
    line = Line(models)
    line.say(1, agent.text, agent.pcm)
    quiet = np.zeros(round(at_s * RATE_HZ), np.float32)
    start_s = len(quiet) / RATE_HZ + onset_s(caller)
    await line.hear(np.concatenate([quiet, caller]), echo_db=ECHO_DB, echo_s=echo_s)
    line.leg.close()
    stopped = any(isinstance(c, ClearTurn) for _, c in line.commands)
    held = next((t for t, c in line.commands if isinstance(c, PauseTurn) and c.on and t >= start_s - 0.1), None)
    if held is None:
        return Onset(silent_s=None, stopped=stopped)
    audible = [k for k, f in enumerate(line.sent) if level_db(f) > AUDIBLE_DB and k * FRAME_S < held + 0.1]
    silent_s = max(0.0, (audible[-1] + 1) * FRAME_S - start_s) if audible else 0.0
    return Onset(silent_s=silent_s, stopped=stopped, words_off=_words_off(models, line))


def _words_off(models: Models, line: Line) -> int | None:
    cut = [said for said in line.said if said.cut]
    if not cut:
        return None
    sent = b"".join(line.sent[: round(cut[0].end / FRAME_S)])
    played = (np.frombuffer(sent, "<i2") / 32768).astype(np.float32)
    return len(cut[0].text.split()) - len(models.transcriber.recognise(played).text.split())


async def spell(
    models: Models, agent: Agent, kind: str, sounds: Sequence[Sound], learn: Sound, seed: int, *, held_out: bool
) -> Spell:
    """`MINUTES` of agent speech with ``sounds`` thrown in; ``learn``: the caller's own turn before it."""
    rng = np.random.default_rng(seed)
    stops = pauses = 0
    spoken_s = 0.0
    turn_s = len(agent.pcm) / 2 / RATE_HZ
    while spoken_s < 60 * MINUTES[held_out]:
        line = Line(models)
        await line.hear(np.concatenate([learn, np.zeros(2 * RATE_HZ, np.float32)]))
        line.commands.clear()
        line.say(1, agent.text, agent.pcm)
        track = np.zeros(round(turn_s * RATE_HZ), np.float32)
        at = rng.uniform(0.5, 2.0)
        while sounds and at < turn_s - 2.0:
            sound = sounds[int(rng.integers(len(sounds)))]
            a = round(at * RATE_HZ)
            track[a : a + len(sound)] += sound[: len(track) - a]
            at += len(sound) / RATE_HZ + float(rng.uniform(0.5, 1.5)) * _EVERY_S
        await line.hear(track, echo_db=ECHO_DB, echo_s=float(rng.choice(_ECHOES_S)))
        line.leg.close()
        begun_s = line.now_s - len(track) / RATE_HZ
        cleared = [t for t, c in line.commands if isinstance(c, ClearTurn)]
        stops += bool(cleared)
        pauses += sum(isinstance(c, PauseTurn) and c.on for _, c in line.commands)
        spoken_s += cleared[0] - begun_s if cleared else turn_s
    return Spell(kind=kind, held_out=held_out, minutes=spoken_s / 60, stops=stops, pauses=pauses)


def figures(onsets: Sequence[Onset], words: Mapping[bool, Sequence[Onset]], spells: Sequence[Spell]) -> list[Figure]:
    """``onsets``: of sentences; ``words``: of `turns_sounds.short`, by whether they are held out.

    ``_tuned``: of the sounds that rules were chosen by; without it, of the others.
    """
    silent = [1000 * o.silent_s for o in onsets if o.silent_s is not None]
    out = []
    for percent, target in ((50, 300.0), (95, 500.0)):
        value = float(np.percentile(silent, percent)) if silent else float("nan")
        out.append(_figure(f"barge_in_p{percent}_ms", value, "ms", len(silent), target))
    out.append(_figure("barge_in_ignored", float(sum(not o.stopped for o in onsets)), "onsets", len(onsets), None))
    for held_out, told in words.items():
        ignored = float(sum(not o.stopped for o in told))
        out.append(_figure(f"short_words_ignored{_SUFFIX[held_out]}", ignored, "onsets", len(told), None))
    off = [o.words_off for o in onsets if o.words_off is not None]
    if off:
        out.append(_figure("heard_text_words_off_median", float(np.median(off)), "words", len(off), None))
        out.append(_figure("heard_text_words_off_p95", float(np.percentile(np.abs(off), 95)), "words", len(off), None))
    for s in spells:
        per_10, suffix = 10 / s.minutes, _SUFFIX[s.held_out]
        n = round(s.minutes)
        out.append(_figure(f"false_stops_{s.kind}_per_10_min{suffix}", s.stops * per_10, "minutes", n, 1.0))
        out.append(_figure(f"held_back_{s.kind}_per_10_min{suffix}", s.pauses * per_10, "minutes", n, None))
    return out


def _figure(name: str, value: float, unit: str, n: int, at_most: float | None) -> Figure:
    return Figure(
        name=name, value=value, unit=unit, interval=None, n=n,
        target=None if at_most is None else f"<= {at_most:g}", met=None if at_most is None else value <= at_most,
    )  # fmt: skip
