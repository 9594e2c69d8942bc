"""``warmline eval turns``: are callers cut off, how long do they wait, does the agent stop when it must and only then.

All of it on `voice.evaluation.virtual_line`: the code of a live call on a clock of its own, so a run is repeatable and
needs no telephone. What network and jitter buffers add to an interruption is measured in live calls (``--calls``,
`voice.evaluation.turns_live`).

Hears from: ``$WARMLINE_DATA``. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import soundfile

from prosody.evaluation import Figure
from voice.engines.phonemes import require_program
from voice.engines.piper import PiperVoice, default_voice
from voice.engines.pool import EnginePool
from voice.engines.synthesis import PiperSynthesizer
from voice.engines.transcription import load_transcriber
from voice.engines.turn_end import SmartTurn
from voice.engines.vad import SileroModel
from voice.errors import UserError
from voice.evaluation import turns_calls, turns_curve, turns_ends, turns_live, turns_noise, turns_sounds, turns_stops
from voice.evaluation.transcription import Utterance, phone_band, utterances
from voice.evaluation.turns_corpus import Turn, build, sentences
from voice.evaluation.turns_pauses import pauses
from voice.evaluation.virtual_line import Models

T = TypeVar("T")

ONSETS = 200
_RATE_WPM = 165.0
_AGENT = (
    "Thank you for waiting. I can see your order here, and it left our warehouse on Tuesday morning. The parcel is "
    "with the carrier now, and they expect to bring it to your address by Friday at the latest. If it has not come by "
    "then, please call us again, and we will send you another one at once, without any cost to you. You can also "
    "follow it on our web page, with the number that we sent you in the confirmation."
)


def figures(calls: int, seed: int, report: Path | None = None) -> list[Figure]:
    """``calls`` > 0: interruptions in so many live calls at once, and nothing else.

    ``report``: where the curve over `agent.patience` goes, and nothing else is measured.
    """
    if calls:
        return turns_live.figures(calls, seed)
    return asyncio.run(_figures(seed, report))


async def _figures(seed: int, report: Path | None) -> list[Figure]:
    data, noise, digits = recordings()
    pool = EnginePool(1)
    models = Models(vad=SileroModel(), transcriber=load_transcriber("default", pool), turn_end=SmartTurn(pool))
    turns = [*build(data, noise, digits, seed), *turns_calls.noisy_calls(noise, seed)]
    if report is not None:
        return _curves(models, turns, report)
    ended = [await turns_ends.run(models, turn) for turn in _told(turns, "turns")]
    told = _told(list(turns_noise.sentences_amid(sentences(data)[::2], noise)), "sentences amid babble")
    amid = [await turns_noise.run(models, *one) for one in told]
    return [*turns_ends.figures(ended, seed), *turns_noise.figures(amid), *await _stops(models, pool, data, seed)]


def _curves(models: Models, turns: Sequence[Turn], folder: Path) -> list[Figure]:
    asked = [turn for turn in turns if turns_curve.group_of(turn) is not None]
    heard = [(turn, pauses(models, turn)) for turn in _told(asked, "turns")]
    found = turns_curve.curves(heard, held_out=True)
    turns_curve.report(folder, found)
    tuned = turns_curve.curves(heard, held_out=False)
    return [*turns_curve.figures(found, ""), *turns_curve.figures(tuned, "_tuned")]


async def _stops(models: Models, pool: EnginePool, data: Sequence[Utterance], seed: int) -> list[Figure]:
    require_program()
    agent = turns_stops.Agent(
        text=_AGENT, pcm=await PiperSynthesizer(PiperVoice(default_voice()), pool).render(_AGENT, _RATE_WPM)
    )
    spoken = sentences(data)
    onsets = [
        await turns_stops.interrupt(models, agent, sound, at_s=1.5 + 0.03 * (k % 100), echo_s=0.06 * (1 + k % 4))
        for k, sound in enumerate(_told(list(turns_sounds.callers(spoken, ONSETS)), "interruptions"))
    ]
    words = {
        held_out: [
            await turns_stops.interrupt(models, agent, sound, at_s=1.5, echo_s=0.12)
            for _, sound in turns_sounds.short(held_out=held_out)
        ]
        for held_out in (True, False)
    }
    learn = next(turns_sounds.callers(spoken[1:], 1))
    sounds = {
        (kind, held_out): make
        for held_out in (True, False)
        for kind, make in (
            ("echo", []),
            ("back_channel", turns_sounds.backchannels(held_out=held_out)),
            ("background", turns_sounds.background(spoken[1::5], held_out=held_out)),
            ("music", turns_sounds.music(held_out=held_out)),
        )
    }
    spells = [
        await turns_stops.spell(models, agent, kind, sounds[kind, held_out], learn, seed, held_out=held_out)
        for kind, held_out in _told(list(sounds), "spells")
    ]
    return turns_stops.figures(onsets, words, spells)


def _told(items: Sequence[T], what: str) -> Iterator[T]:
    """The same, with a line of progress every tenth of them."""
    for k, item in enumerate(items):
        if k % max(1, len(items) // 10) == 0:
            print(f"turns: {k} of {len(items)} {what}", file=sys.stderr, flush=True)
        yield item


def recordings() -> tuple[list[Utterance], turns_sounds.Sound, Path]:
    """Sentences, babble, and the list of spoken digits."""
    root = Path(os.environ.get("WARMLINE_DATA", "../shared/data"))
    data = utterances(root / "asr-eval" / "transcripts.csv")
    babble = root / "asr-eval" / "babble.flac"
    try:
        noise, rate = soundfile.read(babble, dtype="float32")
    except (OSError, soundfile.LibsndfileError) as exc:
        raise UserError(f"{babble}: cannot be read ({exc}); set WARMLINE_DATA") from exc
    return data, phone_band(noise, rate), root / "fsdd" / "manifest.csv"
