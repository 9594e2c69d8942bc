"""Speech in which the place of every word is known, because it was laid there."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile as sf

from tests.unit.voice.engines.test_word_times import joined

Truth = tuple[np.ndarray, list[str], list[float]]
SENTENCES = (
    "Hello, I am calling about my order. It has not arrived yet.",
    "Nobody told me that the engineer could not come on Monday morning.",
    "Yes, that is right, but this is the third time that I have to ask.",
    "The order never came. You promised me a new one last week.",
    "I would like to speak to a real person, please.",
    "My electricity was cut off yesterday although I have paid the bill.",
    "Can you tell me when your office is open on Saturday?",
    "I keep explaining the same thing to every one of your colleagues.",
    "Please send the letter to my new address in the north of the city.",
    "No, thank you. That was everything. Goodbye.",
)
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def joined_words() -> Iterator[Truth]:
    """Each sentence in two different spacings, by the agent's voice."""
    for seed, sentence in enumerate(SENTENCES * 2):
        samples, spans = joined(sentence, seed)
        yield samples, sentence.split(), [a for a, _ in spans]


def joined_digits() -> Iterator[Truth]:
    """Strings of 4 to 8 digits by one speaker each, up to 200 ms apart; nothing without the corpus."""
    folder = Path(os.environ.get("WARMLINE_DATA", "../shared/data")) / "fsdd"
    if not (folder / "manifest.csv").is_file():
        return
    rng = np.random.default_rng(1)
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        paths = [row["path"] for row in csv.DictReader(file) if row["split"] != "test"]
    by_speaker: dict[str, list[str]] = {}
    for path in paths:
        by_speaker.setdefault(Path(path).parent.name, []).append(path)
    for n in range(40):
        mine = by_speaker[sorted(by_speaker)[n % len(by_speaker)]]
        parts, words, starts, at = [np.zeros(2400)], [], [], 0.3
        for path in rng.choice(mine, rng.integers(4, 9)):
            samples, rate_hz = sf.read(folder / str(path))
            assert rate_hz == 8000
            loud = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max())
            samples = samples[loud[0] : loud[-1] + 1] / np.abs(samples).max() * 0.35
            gap = np.zeros(rng.integers(0, 1600))
            words.append(NAMES[int(Path(str(path)).name[0])])
            starts.append(at)
            parts += [samples, gap]
            at += (len(samples) + len(gap)) / 8000
        sound = np.concatenate([*parts, np.zeros(2400)])
        yield (sound + 5e-4 * rng.standard_normal(len(sound))).astype(np.float32), words, starts
