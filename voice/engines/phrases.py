"""Speech already made: by voice, text and rate, in memory, and on disk for the fixed sentences.

Two thirds of a call's CPU is synthesis, and a call flow has 20-60 fixed sentences. Only what `pin` is given goes to
disk: other sentences carry callers' details, which must not outlive their call's folder.

Hears from: synthesis. Tells: synthesis.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from pathlib import Path

_BYTES_MAX = 24_000_000
"""Memory for cached speech: 25 minutes."""


class PhraseCache:
    """Least recently used first out. ``folder``: where pinned phrases are kept, if anywhere."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._sound: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    @staticmethod
    def key(voice_hash: str, text: str, rate_wpm: float) -> str:
        return hashlib.sha256(f"{voice_hash}\n{rate_wpm:.0f}\n{text}".encode()).hexdigest()

    def get(self, key: str) -> bytes | None:
        """8 kHz 16-bit mono, or None."""
        if (sound := self._sound.get(key)) is not None:
            self._sound.move_to_end(key)
        return sound

    def put(self, key: str, sound: bytes) -> None:
        self._bytes += len(sound) - len(self._sound.pop(key, b""))
        self._sound[key] = sound
        while self._bytes > _BYTES_MAX:
            _, oldest = self._sound.popitem(last=False)
            self._bytes -= len(oldest)

    def pin(self, key: str) -> None:
        """Keeps a phrase on disk for the next start."""
        sound = self._sound.get(key)
        if self._folder is None or sound is None or (self._folder / f"{key}.pcm").is_file():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{key}.pcm"
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(sound)
        part.replace(path)

    def fetch(self, key: str) -> bool:
        """Takes a phrase from disk that somebody else may have pinned by now; whether it is in memory."""
        if key not in self._sound and self._folder is not None:
            try:
                self.put(key, (self._folder / f"{key}.pcm").read_bytes())
            except OSError:
                return False
        return key in self._sound

    def load(self) -> int:
        """Reads every pinned phrase into memory; returns how many."""
        if self._folder is None or not self._folder.is_dir():
            return 0
        for path in sorted(self._folder.glob("*.pcm")):
            self.put(path.stem, path.read_bytes())
        return len(self._sound)
