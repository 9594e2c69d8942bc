"""A Piper voice spoken by piper-tts itself, in a process of its own: ``agent.tts = "piper"``, extra ``piper``.

piper-tts is GPL-3: it is never imported here, only run, as espeak-ng is. It brings its own phonemes and speaks whole
sentences, one at a time, so the first sound comes later than from `voice.engines.piper`; for a voice that only it can
speak (other alphabets, other phonemes).

Hears from: synthesis. Tells: synthesis, by the child `voice.engines.piper_tts_child`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice.engines.errors import EngineMissing
from voice.engines.piper import Latents
from voice.errors import EngineError

ANSWERS_S = 20.0
"""For loading, and for the longest sentence; a child that has said nothing by then is ended."""


class PiperTtsVoice:
    """The same as `voice.engines.piper.PiperVoice`; what are latents there are a whole sentence's samples here."""

    def __init__(self, path: Path) -> None:
        if importlib.util.find_spec("piper") is None:
            raise EngineMissing(
                "agent.tts = 'piper': piper-tts is not installed", "pip install 'warmline[piper]' (GPL-3)"
            )
        try:
            config = json.loads(Path(f"{path}.json").read_text("utf-8"))
            self.rate_hz = int(config["audio"]["sample_rate"])
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except (OSError, ValueError, KeyError) as exc:
            remedy = "give the path of a Piper voice (.onnx beside .onnx.json)"
            raise EngineMissing(f"agent.voice = {str(path)!r}: {exc}", remedy) from exc
        self.name = f"{path.name.removesuffix('.onnx')} (piper-tts)"
        # Not the hash of the voice alone: the two runners do not sound the same, and share a cache of phrases.
        self.hash = hashlib.sha256(f"piper-tts {digest}".encode()).hexdigest()[:16]
        self._path = path
        self._one = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def latents(self, text: str, length_scale: float) -> Latents:
        """Samples of one sentence. Blocking.

        Raises:
            EngineError: The child failed; the next sentence gets a new one.
        """
        with self._one:
            child = self._running()
            watch = threading.Timer(ANSWERS_S, child.kill)
            watch.start()
            try:
                pcm = _asked(child, text, length_scale)
            except (OSError, struct.error) as exc:
                _end(child)
                raise EngineError("synthesis", "piper-tts gave no answer") from exc
            finally:
                watch.cancel()
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        return Latents(frames=samples[None, None], whole=True)

    def chunks(self, latents: Latents) -> list[slice]:
        """One: the sentence."""
        return [slice(0, latents.frames.shape[-1])]

    def samples(self, latents: Latents, chunk: slice) -> NDArray[np.float32]:
        return latents.frames.reshape(-1)[chunk]

    def seconds(self, latents: Latents) -> float:
        return float(latents.frames.size / self.rate_hz)

    def close(self) -> None:
        """Ends the child. Without it the child ends with this process, whose pipe it reads."""
        with self._one:
            if self._child is not None:
                _end(self._child)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            argv = [sys.executable, "-m", "voice.engines.piper_tts_child", str(self._path)]
            self._child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._child


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    for pipe in (child.stdin, child.stdout):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()
    child.wait()


def _asked(child: subprocess.Popen[bytes], text: str, length_scale: float) -> bytes:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps({"text": text, "length_scale": length_scale}).encode() + b"\n")
    child.stdin.flush()
    (size,) = struct.unpack("<I", child.stdout.read(4))
    pcm = child.stdout.read(size)
    if len(pcm) < size:
        raise OSError("cut short")
    return pcm
