"""Text to telephone speech: paced, levelled, streamed as it is made.

Piper cannot be made warm or sad; what adapts to a caller is wording, rate, pauses and level, and this module does the
last three. A reply is cut into sentences, the first also at an early comma, because the front part of the voice
takes 1.4 ms a character before any sound; each piece is cached by (voice, text, rate). A reply begins without the
silence that the voice puts before it.

Hears from: the pipeline, text. Tells: the pipeline, 8 kHz 16-bit mono.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import numpy as np
import soxr

from voice.engines.evening import END_S, Evener, quiet_end_s
from voice.engines.levels import RATE_HZ, TARGET_DB, active_level_db, to_pcm, without_lead
from voice.engines.making import Making, Urgency
from voice.engines.phonemes import spoken
from voice.engines.phrases import PhraseCache
from voice.engines.piper import Voice
from voice.engines.pool import EnginePool, Priority

SENTENCE_PAUSE_S, CLAUSE_PAUSE_S = 0.31, 0.21
"""At 165 words per minute; they stretch with slower speech. With the quiet around a piece (`END_S` behind it, 0.06 s
before the next) 0.45 s are heard between sentences and 0.35 s at a comma."""

RENDERING = "2"
"""Of everything that shapes the sound between text and cache: cached phrases of another one are not used."""

SOON_S = 1.0
"""With less speech than this made ahead of the listener [s], the next chunk is pressing."""

RATE_STEP_WPM = 5
"""Rates are rounded to this, so that entrainment by 1 % does not miss the cache."""

_FIRST_CLAUSE = 40
_SENTENCE = re.compile(r"[^.!?]+[.!?]+(?=\s|$)|[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]*")
_CALIBRATION = ("I can see your order here.", "It should arrive at your address on Tuesday morning.")
"""Two sentences of the usual length: shorter ones carry more pause, longer ones less."""


class PiperSynthesizer:
    """One voice for every call of the process."""

    def __init__(
        self,
        voice: Voice,
        pool: EnginePool,
        cache: PhraseCache | None = None,
        pronounce: Callable[[str], str] = str,
    ) -> None:
        self.voice = voice
        self.pronounce = pronounce
        """Respells names and abbreviations (`voice.engines.pronunciation`)."""
        self._pool = pool
        self._cache = cache or PhraseCache()
        self._making: dict[str, Making] = {}
        self._gain, self._pace = self._calibrate()

    @property
    def rendering(self) -> str:
        """What a text's sound depends on besides text and rate."""
        return f"{self.voice.hash} {RENDERING}"

    async def stream(self, text: str, rate_wpm: float, *, after: str = "") -> AsyncIterator[bytes]:
        """``after``: the words this goes on from, after the pause that follows them."""
        rate_wpm = quantised(rate_wpm)
        ahead = _Ahead()
        before = after.strip()
        for piece in pieces(spoken(self.pronounce(text))):
            if before:
                yield ahead.of(_silence(pause_s(before, rate_wpm)))
            async with contextlib.aclosing(self._piece(piece, rate_wpm, ahead.urgency)) as chunks:
                async for chunk in chunks:
                    if pcm := chunk if ahead.begun else without_lead(chunk):
                        yield ahead.of(pcm)
            before = piece

    async def prepare(self, text: str, rate_wpm: float) -> None:
        """Makes the beginning of a reply that will probably be wanted. Cancel it when it is not."""
        for piece in pieces(spoken(self.pronounce(text)))[:1]:
            async for _ in self._piece(piece, quantised(rate_wpm), _guess):
                pass

    async def render(self, text: str, rate_wpm: float) -> bytes:
        return b"".join([chunk async for chunk in self.stream(text, rate_wpm)])

    async def render_within(self, text: str, rate_wpm: float, *, most_s: float, fastest_wpm: float) -> bytes:
        """Spoken no faster than ``most_s`` needs, and never faster than ``fastest_wpm``: then it takes longer."""
        while True:
            pcm = await self.render(text, rate_wpm)
            over = len(pcm) / 2 / RATE_HZ / most_s
            if over <= 1.0 or rate_wpm >= fastest_wpm:
                return pcm
            rate_wpm = min(fastest_wpm, max(rate_wpm + 5, rate_wpm * (1 + 0.8 * (over - 1))))

    def ready(self, text: str, rate_wpm: float) -> bool:
        """The first sound of ``text`` is there already."""
        first = next(iter(pieces(spoken(self.pronounce(text)))), "")
        key = self._key(first, quantised(rate_wpm))
        making = self._making.get(key)
        return self._cache.get(key) is not None or (making is not None and bool(making.made))

    async def keep(self, piece: str, rate_wpm: float) -> None:
        """Makes one of `pieces` ahead of time, for this start and the next."""
        key = self._key(piece, quantised(rate_wpm))
        if not await asyncio.to_thread(self._cache.fetch, key):
            async for _ in self._piece(piece, quantised(rate_wpm), _later):
                pass
            await asyncio.to_thread(self._cache.pin, key)

    def length_scale(self, rate_wpm: float) -> float:
        """Piper's stretch for a wanted rate: measured, because durations are rounded up to frames."""
        rates, scales = self._pace
        return float(np.interp(rate_wpm, rates, scales))

    async def _piece(self, piece: str, rate_wpm: float, urgency: Urgency) -> AsyncGenerator[bytes]:
        key = self._key(piece, rate_wpm)
        if (known := self._cache.get(key)) is not None:
            yield known
            return
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = Making(self._pool, lambda made: self._made(key, made))
            making.begin(self._make(making, piece, self.length_scale(rate_wpm)))
        async with contextlib.aclosing(making.listen(urgency)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _key(self, piece: str, rate_wpm: float) -> str:
        return self._cache.key(self.rendering, piece, rate_wpm)

    async def _make(self, making: Making, piece: str, scale: float) -> AsyncIterator[bytes]:
        latents = await making.step(lambda: self.voice.latents(piece, scale))
        resampler = soxr.ResampleStream(self.voice.rate_hz, RATE_HZ, 1, dtype="float32")
        evener, chunks = Evener(self._gain), self.voice.chunks(latents)
        for n, chunk in enumerate(chunks):
            samples = await making.step(lambda chunk=chunk: self.voice.samples(latents, chunk))  # type: ignore[misc]
            last = n == len(chunks) - 1
            if pcm := to_pcm(evener.feed(resampler.resample_chunk(samples, last=last), last=last)):
                yield pcm

    def _made(self, key: str, making: Making) -> None:
        del self._making[key]
        if making.whole:
            self._cache.put(key, b"".join(making.made))

    def _calibrate(self) -> tuple[float, tuple[list[float], list[float]]]:
        """Gain to `TARGET_DB`, and the stretch per rate, from the voice's own timing of a few sentences."""
        usual = [self.voice.latents(sentence, 1.0) for sentence in _CALIBRATION]
        sound = [self.voice.samples(x, slice(0, x.frames.shape[-1])) for x in usual]
        gain = float(10 ** ((TARGET_DB - np.mean([active_level_db(x) for x in sound])) / 20))
        quiet_s = float(np.mean([quiet_end_s(x * gain, self.voice.rate_hz) for x in sound]))
        words = sum(len(sentence.split()) for sentence in _CALIBRATION)
        rates, scales = [], []
        for scale in (2.0, 1.6, 1.3, 1.0, 0.8, 0.65):
            seconds = sum(self.voice.seconds(self.voice.latents(sentence, scale)) for sentence in _CALIBRATION)
            spoken_s = seconds - len(_CALIBRATION) * (quiet_s * scale - END_S)
            # The wanted rate counts our pauses too.
            rate = 60 * words / spoken_s
            rates.append(60 * words / (spoken_s + len(_CALIBRATION) * pause_s(_CALIBRATION[0], rate)))
            scales.append(scale)
        return gain, (list(np.maximum.accumulate(rates)), scales)


class _Ahead:
    """How far the speech of one reply is made ahead of the one who listens to it."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._made_s = 0.0

    @property
    def begun(self) -> bool:
        return self._began is not None

    def of(self, pcm: bytes) -> bytes:
        """Counts sound that is handed out."""
        if self._began is None:
            self._began = time.monotonic()
        self._made_s += len(pcm) / 2 / RATE_HZ
        return pcm

    def urgency(self) -> Priority:
        if self._began is None:
            return Priority.FIRST_AUDIO
        return Priority.SOON if self._made_s - (time.monotonic() - self._began) < SOON_S else Priority.REST


def _guess() -> Priority:
    return Priority.AHEAD


def _later() -> Priority:
    return Priority.REST


def pieces(text: str) -> list[str]:
    """Sentences, the first of them cut at its first comma if it is long.

    >>> pieces("I see. Your order number four five one nine, from last Tuesday, is on its way.")
    ['I see.', 'Your order number four five one nine, from last Tuesday, is on its way.']
    """
    found = [s.strip() for s in _SENTENCE.findall(text) if re.search(r"\w", s)]
    if found and len(found[0]) > _FIRST_CLAUSE:
        comma = re.search(r"[,;:]\s", found[0][8:])
        if comma and (rest := found[0][8 + comma.end() :].strip()):
            found[:1] = [found[0][: 8 + comma.start() + 1], rest]
    return found


def pause_s(piece: str, rate_wpm: float) -> float:
    pause = SENTENCE_PAUSE_S if piece[-1] in ".!?" else CLAUSE_PAUSE_S
    return pause * 165.0 / max(rate_wpm, 80.0)


def quantised(rate_wpm: float) -> float:
    return float(RATE_STEP_WPM * round(rate_wpm / RATE_STEP_WPM))


def _silence(seconds: float) -> bytes:
    return b"\0\0" * int(seconds * RATE_HZ)
