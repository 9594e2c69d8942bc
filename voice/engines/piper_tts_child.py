"""The process that runs piper-tts: ``python -m voice.engines.piper_tts_child VOICE.onnx``. Needs the extra ``piper``.

One JSON line in, ``{"text": …, "length_scale": …}``; out its samples, 16-bit little-endian at the voice's rate, behind
their number of bytes as four. Ends when its input does.

Hears from: `voice.engines.piper_tts`. Tells: the same.
"""

from __future__ import annotations

import json
import struct
import sys

import onnxruntime as ort
from piper import PiperVoice, SynthesisConfig


def main(path: str) -> None:
    voice = PiperVoice.load(path)
    # piper-tts takes as many threads as there are cores, and they steal them from the calls.
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    voice.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for line in sys.stdin:
        asked = json.loads(line)
        # Its own levelling makes each sentence as loud as it can be; ours makes the voice as loud as the callers.
        config = SynthesisConfig(length_scale=asked["length_scale"], normalize_audio=False)
        pcm = b"".join(chunk.audio_int16_bytes for chunk in voice.synthesize(asked["text"], config))
        sys.stdout.buffer.write(struct.pack("<I", len(pcm)) + pcm)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1])
