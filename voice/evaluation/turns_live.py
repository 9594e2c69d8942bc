"""Interruptions in live calls: from the caller's onset to the agent's last sound, both at the caller's telephone.

What `voice.evaluation.turns_stops` measures on a clock of its own is here measured with everything between: RTP, jitter
buffers, the stack's ring, the link, and models that share two cores with the telephones.

Hears from: telephones, over SIP. Tells: `voice.evaluation.turns`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile as sf

from prosody.evaluation import Figure
from telephony import phone_audio as audio
from telephony.phone_driver import DrivenPhone, Event
from voice.demo.people import MUTE_S, Ear
from voice.demo.scenario import clips
from voice.demo.system import HOST, Ports, System, SystemFailed, free_ports, write_config
from voice.errors import UserError
from voice.evaluation.turns_stops import onset_s

CLIPS = ("where_is_my_order", "bill_wrong", "opening_hours", "neutral_5_upset")
CALL_S = 100.0
INTO_S = (0.6, 1.6)
"""How far into the agent's speech the caller begins."""
GREETING_QUIET_S = 1.3
AGAIN_S = 2.0
STOPPED_WITHIN_S = 1.5
"""Later than this the agent was not stopped by the caller: it had finished, or took no notice."""


@dataclass(slots=True)
class Interrupter:
    """Waits for the greeting to end, then speaks into whatever the agent says."""

    rng: np.random.Generator
    ear: Ear = field(default_factory=Ear)
    said: int = 0
    _began: float | None = None
    _into_s: float = 1.0
    _played: float = float("-inf")

    def step(self, now: float) -> str | None:
        """The clip to play now."""
        if self.ear.closed or self.ear.playing:
            self._played = now
            self._began = None
            return None
        if not self.ear.speaking:
            self._began = None
            silent = self.ear.quiet_s(now) > (MUTE_S if self.said else GREETING_QUIET_S)
            return self._speak() if silent and (self.said or self.ear.bursts) else None
        if self._began is None:
            self._began, self._into_s = now, float(self.rng.uniform(*INTO_S))
        if self.said and now - self._began > self._into_s and now - self._played > AGAIN_S:
            return self._speak()
        return None

    def _speak(self) -> str:
        self.said += 1
        self.ear.playing = True
        return CLIPS[self.said % len(CLIPS)]


def figures(calls: int, seed: int) -> list[Figure]:
    """``calls`` at once.

    Raises:
        UserError: The system does not start.
    """
    with tempfile.TemporaryDirectory(prefix="warmline-turns-") as folder:
        try:
            found = asyncio.run(_measure(calls, seed, Path(folder)))
        except SystemFailed as exc:
            raise UserError(str(exc)) from exc
    silent = [s for s in found if s <= STOPPED_WITHIN_S]
    out = []
    for percent, target in ((50, 300.0), (95, 500.0)):
        value = 1000 * float(np.percentile(silent, percent)) if silent else float("nan")
        out.append(
            Figure(
                name=f"live_barge_in_p{percent}_ms", value=value, unit="ms", interval=None, n=len(silent),
                target=f"<= {target:g}", met=value <= target,
            )
        )  # fmt: skip
    ignored = float(len(found) - len(silent))
    return [*out, Figure(name="live_barge_in_ignored", value=ignored, unit="onsets", interval=None, n=len(found),
                         target=None, met=None)]  # fmt: skip


async def _measure(calls: int, seed: int, folder: Path) -> list[float]:
    ports = free_ports()
    store = folder / "store"
    store.mkdir()
    config = store / "turns.toml"
    target = ("nobody", f"sip:nobody@{HOST}:{ports.human(0)}")
    write_config(config, ports, store, targets=[target], ear="open", ring_s=2, total_s=4, max_calls=calls + 4)
    system = await System.start(config, store, ports, lambda text: print(f"turns: {text}", file=sys.stderr))
    try:
        lines = (_call(system.uri, n, ports, folder, np.random.default_rng([seed, n])) for n in range(calls))
        return [s for line in await asyncio.gather(*lines) for s in line]
    finally:
        await system.stop()


async def _call(uri: str, n: int, ports: Ports, folder: Path, rng: np.random.Generator) -> list[float]:
    person = Interrupter(rng)
    record = folder / f"caller-{n}.wav"

    def heard(event: Event) -> None:
        person.ear.phone(event)

    phone = await DrivenPhone.start(
        name=f"caller-{n}", listen=f"{HOST}:{ports.caller + 2 * n}", rtp_ports=ports.rtp(2 + n), record=record,
        on_event=heard,
    )  # fmt: skip
    try:
        phone.send(do="dial", uri=uri)
        deadline = time.monotonic() + CALL_S
        while (now := time.monotonic()) < deadline and not person.ear.closed:
            if (clip := person.step(now)) is not None:
                phone.send(do="play", file=str(clips()[clip].path))
            await asyncio.sleep(0.02)
    finally:
        await phone.stop()
    return measure(sf.read(str(record), dtype="int16", always_2d=True)[0]) if record.exists() else []


def measure(sound: audio.Pcm) -> list[float]:
    """Of each sentence begun into the far speech: how long that went on [s]. ``sound``: (n, 2), sent and heard."""
    far = audio.speech_spans(sound[:, 1], audio.FAR_SPEECH_DB)
    rate = round(audio.FRAME / audio.FRAME_S)
    out = []
    for start, end in audio.speech_spans(sound[:, 0], audio.NEAR_SPEECH_DB):
        first = max(0, round((start - 0.3) * rate))
        near = (sound[first : round(end * rate), 0] / 32768).astype(np.float32)
        began = first / rate + onset_s(near)
        out += [b - began for a, b in far if a < began - 0.2 and began < b]
    return out
