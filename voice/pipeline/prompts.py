"""The gateway's fixed sentences as sound files: rendered once, by name of voice and text.

Hears from: `voice.worker`. Tells: the gateway, through the paths in `Hello`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import wave
from collections.abc import Mapping
from pathlib import Path

from voice.engines.levels import RATE_HZ
from voice.engines.synthesis import PiperSynthesizer

PROMPT_WPM = 165.0
DISCLOSURE_MOST_S = 7.5
"""The caller's first words may take 8 s; a longer disclosure is spoken faster, up to `FASTEST_WPM`."""
FASTEST_WPM = 240.0
_AT_ONCE = 2


async def render_prompts(texts: Mapping[str, str], synthesizer: PiperSynthesizer, folder: Path) -> dict[str, list[str]]:
    """Name → [text, path of an 8 kHz mono WAV]; only what is missing is rendered."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    paths = {name: folder / f"{_digest(synthesizer, text)}.wav" for name, text in texts.items()}
    # Workers that start together begin at different places, so that each finds half of the work done.
    order = list(texts)
    shift = os.getpid() % max(1, len(order))

    async def render(name: str) -> None:
        if not paths[name].is_file():
            pcm = await _render(name, texts[name], synthesizer)
            await asyncio.to_thread(_write, paths[name], pcm)

    at_once = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(name: str) -> None:
        async with at_once:
            await render(name)

    await asyncio.gather(*(in_turn(name) for name in order[shift:] + order[:shift]))
    return {name: [text, str(paths[name].resolve())] for name, text in texts.items()}


async def _render(name: str, text: str, synthesizer: PiperSynthesizer) -> bytes:
    if name != "disclosure":
        return await synthesizer.render(text, PROMPT_WPM)
    return await synthesizer.render_within(text, PROMPT_WPM, most_s=DISCLOSURE_MOST_S, fastest_wpm=FASTEST_WPM)


def _digest(synthesizer: PiperSynthesizer, text: str) -> str:
    shaped_by = f"{synthesizer.rendering}\n{PROMPT_WPM}\n{synthesizer.pronounce(text)}"
    return hashlib.sha256(shaped_by.encode()).hexdigest()[:16]


def _write(path: Path, pcm: bytes) -> None:
    # Two workers may render at the same time: each writes its own file and renames it.
    part = path.with_suffix(f".{os.getpid()}.part")
    with wave.open(str(part), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm)
    part.replace(path)
