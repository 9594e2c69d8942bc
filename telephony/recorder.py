"""The sound of a call on disk while it lives: one raw ``.part`` file a track, laid on call time.

Written every 200 ms without any buffer of our own: a killed gateway loses at most that (49–202 ms measured).

Hears from: a call (frames with their ticks). Tells: ``.part`` files; `telephony.flac` makes FLAC of them afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from telephony.link_codec import FRAME_BYTES
from telephony.media.pcm import SILENCE

WRITE_TICKS = 10
"""200 ms."""


class Track:
    """One file: as many channels as ``channels``, each filled frame by frame, gaps with silence."""

    def __init__(self, path: Path, channels: int, start_tick: int = 0) -> None:
        self.path, self.channels = path, channels
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        os.ftruncate(self._fd, start_tick * FRAME_BYTES * channels)
        self.ticks = start_tick
        """Ticks on disk."""
        self._pending: list[list[bytes]] = [[] for _ in range(channels)]

    def put(self, channel: int, tick: int, pcm: bytes) -> None:
        """The frame of one channel for ``tick``. A tick that was skipped is silence; one already there stays."""
        pending = self._pending[channel]
        missing = tick - self.ticks - len(pending)
        if missing < 0:
            return
        pending.extend([SILENCE] * missing)
        pending.append(pcm)

    def write(self, up_to_tick: int | None = None) -> None:
        """To disk: what every channel has, or everything up to ``up_to_tick``, filled with silence."""
        n = min(len(p) for p in self._pending) if up_to_tick is None else up_to_tick - self.ticks
        if n <= 0:
            return
        sound = [b"".join((p + [SILENCE] * (n - len(p)))[:n]) for p in self._pending]
        if self.channels == 1:
            data = sound[0]
        else:
            data = np.stack([np.frombuffer(s, dtype="<i2") for s in sound], axis=1).tobytes()
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        for p in self._pending:
            del p[:n]
        self.ticks += n

    def close(self) -> None:
        os.close(self._fd)


class Recorder:
    """The tracks of one call. ``on_error`` hears of a disk that fails: the call goes on without recording."""

    def __init__(self, folder: Path, *, enabled: bool, on_error: Callable[[OSError], None] | None = None) -> None:
        self._folder, self._on_error = folder, on_error
        self._tracks: dict[str, Track] = {}
        self.enabled = enabled
        self._next_write = WRITE_TICKS

    def open(self, name: str, channels: int, start_tick: int = 0) -> None:
        """Begins a track (once); everything before ``start_tick`` is silence."""
        if self.enabled and name not in self._tracks:
            try:
                self._tracks[name] = Track(self._folder / f"{name}.part", channels, start_tick)
            except OSError as exc:
                self._failed(exc)

    def put(self, name: str, channel: int, tick: int, pcm: bytes) -> None:
        track = self._tracks.get(name)
        if track is not None:
            track.put(channel, tick, pcm)

    def tick(self, tick: int) -> None:
        """Once a tick: writes when it is time."""
        if tick < self._next_write:
            return
        self._next_write = tick + WRITE_TICKS
        try:
            for track in self._tracks.values():
                track.write()
        except OSError as exc:
            self._failed(exc)

    def erase(self) -> None:
        """Stops for good and deletes what there is."""
        self.enabled = False
        for track in self._tracks.values():
            track.close()
            track.path.unlink(missing_ok=True)
        self._tracks.clear()

    def finish(self, ticks: int) -> list[tuple[Path, int]]:
        """Every track filled to ``ticks`` and closed. Returns (path of the part, channels)."""
        out = []
        try:
            for track in self._tracks.values():
                track.write(ticks)
                out.append((track.path, track.channels))
        except OSError as exc:
            self._failed(exc)
        for track in self._tracks.values():
            track.close()
        self._tracks.clear()
        return out

    def _failed(self, exc: OSError) -> None:
        self.enabled = False
        if self._on_error is not None:
            self._on_error(exc)
