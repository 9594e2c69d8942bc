"""How well the scripted callers' voices are understood, against people: word errors on the same sentences and numbers.

A voice that our recogniser understands far worse than a person measures that voice, not the dialogue. So the callers'
voices are chosen by this list, which shares nothing with the scripts, and by nothing else.

Hears from: ``dialogues/neutral.txt``, people's recordings in ``$WARMLINE_DATA/asr-eval``. Tells:
`voice.evaluation.dialogue`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prosody.evaluation import Figure
from voice.conversation.numbers import digits_in
from voice.engines.pool import EnginePool
from voice.engines.transcription import load_transcriber
from voice.evaluation.spoken import VOICES, WORST, PhoneLine, speak
from voice.evaluation.transcription import phone_band, utterances, word_errors

Sound = NDArray[np.float32]


def neutral() -> tuple[list[str], list[str]]:
    """Forty sentences, and numbers of 4 to 11 digits."""
    text = (resources.files("voice.evaluation") / "dialogues" / "neutral.txt").read_text("utf-8")
    sentences, numbers = text.partition("\n")[2].strip().split("\n\n")
    return sentences.splitlines(), numbers.splitlines()


def figures(loss: float) -> list[Figure]:
    """Word errors of every voice, and of people where their recordings are at hand."""
    engine = load_transcriber("default", EnginePool(1))
    sounds: dict[str, Callable[[str], Sound]] = {v: partial(_spoken, voice=v) for v in (*VOICES, *WORST)}
    if people := _people():
        sounds = {"people": people.__getitem__, **sounds}
    return [
        figure
        for noise, snr_db in (("clean", None), ("10db", 10.0))
        for who, sound in sounds.items()
        for figure in _word_errors(PhoneLine(engine=engine, voice=who, snr_db=snr_db, loss=loss), noise, sound)
    ]


def _spoken(said: str, voice: str) -> Sound:
    return phone_band(*speak(said, voice))


def _people() -> dict[str, Sound]:
    """Their recordings by what they say; empty if there are none."""
    path = Path(os.environ.get("WARMLINE_DATA", "../shared/data")) / "asr-eval" / "transcripts.csv"
    if not path.exists():
        return {}
    said = {s for part in neutral() for s in part}
    found = [(" ".join(u.text.split()), u.samples) for u in utterances(path)]
    return {text: 0.3 * samples / (np.abs(samples).max() + 1e-9) for text, samples in found if text in said}


def _word_errors(line: PhoneLine, noise: str, sound: Callable[[str], Sound]) -> list[Figure]:
    def heard(said: Sequence[str], expects: str | None) -> list[str]:
        out = []
        for line.seed, sentence in enumerate(said):
            out.append(line.engine.recognise(line.line(sound(sentence)), expects=expects).text)
        return out

    sentences, numbers = neutral()
    pairs = {
        "sentences": list(zip(sentences, heard(sentences, None), strict=True)),
        "digits": [(_digits(s), _digits(h)) for s, h in zip(numbers, heard(numbers, "digits"), strict=True)],
    }
    out = []
    for name, said_and_heard in pairs.items():
        value, interval = word_errors(said_and_heard)
        out.append(
            Figure(name=f"caller_wer_{name}/{line.voice}_{noise}", value=value, unit="ratio", interval=interval,
                   n=len(said_and_heard), target=None, met=None)
        )  # fmt: skip
    return out


def _digits(text: str) -> str:
    return " ".join(digits_in(text))
