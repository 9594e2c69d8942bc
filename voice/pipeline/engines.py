"""Every model of the process, loaded once and warmed before the first call.

Hears from: settings. Tells: every call's pipeline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from prosody.detector import VoiceDetector
from telephony.link_codec import RATE_HZ
from telephony.settings import Settings
from voice.conversation.intents import vocabulary
from voice.engines.chooser import Chooser, load_chooser
from voice.engines.phonemes import require_program
from voice.engines.phrases import PhraseCache
from voice.engines.piper import PiperVoice, default_voice
from voice.engines.piper_tts import PiperTtsVoice
from voice.engines.pool import EnginePool
from voice.engines.replier import Replier, load_replier
from voice.engines.synthesis import PiperSynthesizer
from voice.engines.transcription import Captioner, Transcriber, WhisperTranscriber, load_transcriber, warm_up
from voice.engines.turn_end import SmartTurn, TurnEnd
from voice.engines.vad import SileroModel
from voice.playbooks import load

if TYPE_CHECKING:
    from prosody.emotion import Ear


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """``ear`` is None where emotion is not analysed, ``captioner`` where nobody wants to read along,
    ``chooser`` without a language model.

    ``models``: name and version of each, for the record.
    """

    pool: EnginePool
    transcriber: Transcriber
    synthesizer: PiperSynthesizer
    vad: SileroModel
    turn_end: TurnEnd
    replier: Replier
    ear: Ear | None
    models: dict[str, str]
    captioner: Captioner | None = None
    chooser: Chooser | None = None

    def voice_detector(self, settings: Settings) -> VoiceDetector | None:
        """A fresh sequential detector for one call, at the operator's rate of false transfers."""
        if self.ear is None:
            return None
        # The rate of the voice alone: a handoff needs words beside it or a far stronger voice, so it is rarer.
        threshold = self.ear.threshold_for(settings.ear.max_false_transfers_per_100_calls)
        return VoiceDetector(replace(self.ear.detector, threshold=threshold))


async def load_engines(settings: Settings, pronounce: Callable[[str], str] = str) -> Engines:
    """Loads and warms everything; about 2 s.

    Raises:
        EngineMissing: Weights or espeak-ng are not on this machine.
        ProsodyError: The ear's model is missing or does not fit its encoder.
    """
    require_program()
    pool = EnginePool()
    likely = vocabulary(load(settings.agent.playbook))
    path = default_voice() if settings.agent.voice == "default" else Path(settings.agent.voice)
    cache = PhraseCache(settings.store.dir / "phrases")
    cache.load()

    def load_voice() -> PiperSynthesizer:
        voice = PiperTtsVoice(path) if settings.agent.tts == "piper" else PiperVoice(path)
        return PiperSynthesizer(voice, pool, cache, pronounce)

    def bring_ear() -> None:
        # Only where it is wanted: it brings scipy, 1.5 s of import, which fits in beside the weights.
        if settings.privacy.analyse_emotion:
            import prosody.emotion  # noqa: F401

    transcriber, synthesizer, turn_end, _ = await asyncio.gather(
        asyncio.to_thread(load_transcriber, settings.ear.transcriber, pool, likely),
        asyncio.to_thread(load_voice),
        asyncio.to_thread(SmartTurn, pool),
        asyncio.to_thread(bring_ear),
    )
    vad = SileroModel()
    ear = None
    if settings.privacy.analyse_emotion:
        from prosody.emotion import Ear
        from prosody.encoder import WhisperEncoder

        encoder = WhisperEncoder(transcriber.model)
        ear = await asyncio.to_thread(Ear.load, settings.ear.model, encoder)

    await _warm(transcriber, turn_end, ear)
    voice = synthesizer.voice
    models = {"transcriber": settings.ear.transcriber, "voice": f"{voice.name}:{voice.hash[:12]}"}
    if ear is not None:
        models["ear"] = f"{ear.name}:{ear.version[:12]}"
    return Engines(
        pool=pool,
        transcriber=transcriber,
        synthesizer=synthesizer,
        vad=vad,
        turn_end=turn_end,
        replier=load_replier(settings),
        ear=ear,
        models=models,
        captioner=transcriber if settings.agent.captions else None,
        chooser=load_chooser(settings),
    )


async def _warm(transcriber: WhisperTranscriber, turn_end: TurnEnd, ear: Ear | None) -> None:
    """One pass through everything that is not run while loading: a first run costs ten times the next."""
    rng = np.random.default_rng(0)
    noise = (0.01 * rng.standard_normal(3 * RATE_HZ)).astype(np.float32)
    await warm_up(transcriber, rng)
    await turn_end.p_complete(noise)
    if ear is not None:
        from prosody.loudness import CallReference
        from prosody.streaming import WindowStream

        for window in WindowStream().push(noise, start_s=0.0, speech=True):
            await asyncio.to_thread(ear.score, window, CallReference())
