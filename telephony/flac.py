"""Raw ``.part`` sound to FLAC, after the call: encode, decode and compare, flush, rename, and only then delete.

A FLAC stream cut off by a kill loses half a minute (measured), raw sound loses 200 ms: so never while the call lives.

Hears from: a finished call, recovery. Tells: ``NAME.flac`` beside the part.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soundfile as sf

from telephony.errors import RecordError
from telephony.link_codec import RATE_HZ

BLOCK = 60 * RATE_HZ
"""Samples at a time: an hour of sound must not be in memory at once."""
CHANNELS = {"caller": 2, "human": 2, "agent": 1}


def finish_part(part: Path, channels: int) -> Path:
    """Makes ``NAME.flac`` of ``NAME.part``. Safe to repeat after a kill at any point.

    Raises:
        RecordError: What was encoded does not decode to the same samples, or the disk fails.
    """
    target, draft = part.with_suffix(".flac"), part.with_suffix(".flac.tmp")
    frame = 2 * channels
    usable = part.stat().st_size // frame * frame
    try:
        with (
            part.open("rb") as raw,
            sf.SoundFile(draft, "w", samplerate=RATE_HZ, channels=channels, format="FLAC", subtype="PCM_16") as out,
        ):
            left = usable
            while left:
                data = raw.read(min(left, BLOCK * frame))
                left -= len(data)
                out.write(np.frombuffer(data, dtype="<i2").reshape(-1, channels))
        _compare(part, draft, channels, usable)
        flush(draft)
        os.replace(draft, target)
        flush(part.parent)
        part.unlink()
    except (OSError, sf.SoundFileError) as exc:
        raise RecordError(f"{target.name}: {exc}") from exc
    return target


def _compare(part: Path, draft: Path, channels: int, usable: int) -> None:
    with part.open("rb") as raw, sf.SoundFile(draft) as coded:
        if coded.frames != usable // (2 * channels):
            raise RecordError(f"{draft.name}: {coded.frames} samples of {usable // (2 * channels)}")
        while len(block := coded.read(BLOCK, dtype="int16", always_2d=True)):
            if block.astype("<i2").tobytes() != raw.read(block.size * 2):
                raise RecordError(f"{draft.name}: decodes to other samples than were recorded")


def flush(path: Path) -> None:
    """``fsync`` of a file or a folder."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def length_s(path: Path) -> float:
    """Length of a sound file [s]."""
    try:
        return float(sf.info(str(path)).duration)
    except (OSError, sf.SoundFileError) as exc:
        raise RecordError(f"{path.name}: {exc}") from exc
