"""Phones we did not write: Debian's SIPp and baresip, started on loopback and waited for."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from tests.interop import watching
from voice.demo.follow import Follower

SCENARIOS = Path(__file__).parents[1] / "data" / "sipp"
HOST = "127.0.0.1"

_BARESIP = """sip_listen {host}:{port}
net_interface {host}
audio_player aubridge,pseudo0
audio_source ausine,{tone_hz}
ausrc_srate 48000
ausrc_channels 2
auplay_srate 48000
auplay_channels 1
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module ausine.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
snd_path {folder}
"""


class Sipp:
    """One SIPp running one scenario once."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process = process
        self._name = name
        self._out = b""

    @classmethod
    async def start(cls, folder: Path, scenario: str, port: int, to: str = "", *, pause_ms: int = 2000) -> Sipp:
        # 30 s of digital silence as mu-law: SIPp sends what a muted phone sends.
        (folder / "quiet.ul").write_bytes(b"\xff" * 240_000)
        path = shutil.copy(SCENARIOS / f"{scenario}.xml", folder)
        args = ["-sf", str(path), "-s", "agent", "-m", "1", "-i", HOST, "-mi", HOST, "-p", str(port)]
        args += ["-mp", str(port + 100), "-d", str(pause_ms), "-nostdin", "-timeout", "60s", "-timeout_error"]
        process = await asyncio.create_subprocess_exec(
            "sipp", *args, *([to] if to else []), cwd=folder,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        return cls(process, scenario)

    async def status(self) -> int:
        """Its exit status once it has ended; 0: every message was as its scenario says."""
        if not self._out:
            self._out = (await asyncio.wait_for(self._process.communicate(), 90))[0]
        assert self._process.returncode is not None
        return self._process.returncode

    async def succeeded(self) -> None:
        assert await self.status() == 0, f"{self._name}: {self._out.decode('utf-8', 'replace')[-3000:]}"

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


class Baresip:
    """Debian's baresip without a sound card: sends a tone, records what it hears, is driven through stdin."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self._folder = folder

    @classmethod
    async def start(
        cls, folder: Path, user: str, port: int, *, tone_hz: int, answers: bool, dial: str = "", most_s: int = 90
    ) -> Baresip:
        _write_home(folder, user, port, tone_hz, answers)
        args = ["-f", str(folder), "-t", str(most_s), *(["-e", f"/dial {dial}"] if dial else [])]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "baresip", *args, stdin=pipe, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        return cls(process, folder)

    def press(self, key: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(key.encode())

    async def quit(self) -> None:
        """Hangs up and ends."""
        if self._process.returncode is None:
            self.press("q")
            try:
                await asyncio.wait_for(self._process.wait(), 10)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def _heard(self) -> Path | None:
        found = sorted(self._folder.glob("dump-*-dec.wav"))
        return found[-1] if found else None

    async def has_recorded(self, seconds: float) -> None:
        """Until its recording of what it receives is so long."""

        def long_enough() -> bool:
            # 8 kHz, 16 bits: the file's growth is the clock.
            path = self._heard()
            return path is not None and path.stat().st_size >= seconds * 16_000

        await watching.until(self._folder, long_enough, seconds + 30)

    def share_of_tone(self, tone_hz: float, start_s: float, end_s: float) -> float:
        """Share of the energy it received in a stretch that lies within 30 Hz of a tone, 0 to 1."""
        path = self._heard()
        assert path is not None, sorted(p.name for p in self._folder.iterdir())
        samples, rate_hz = sf.read(path, always_2d=True)
        part = samples[int(start_s * rate_hz) : int(end_s * rate_hz), 0]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
        at = np.fft.rfftfreq(len(part), 1 / rate_hz)
        return float(spectrum[np.abs(at - tone_hz) < 30].sum() / spectrum.sum())


def _write_home(folder: Path, user: str, port: int, tone_hz: int, answers: bool) -> None:
    folder.mkdir()
    (folder / "config").write_text(_BARESIP.format(host=HOST, port=port, tone_hz=tone_hz, folder=folder))
    mode = "answermode=auto;" if answers else ""
    (folder / "accounts").write_text(f"<sip:{user}@{HOST}:{port}>;regint=0;{mode}audio_codecs=pcmu\n")
    (folder / "contacts").touch()


class Facts:
    """Waits for facts of the next call."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.skip()

    def skip(self) -> None:
        """Forgets the calls there were; the next one is looked at."""
        self._follower = Follower(self._store)

    @property
    def all(self) -> list[dict[str, Any]]:
        self._follower.fresh()
        return self._follower.facts

    async def wait(self, name: str, timeout_s: float = 60.0, **fields: Any) -> dict[str, Any]:
        """The first fact of this name with these fields."""

        def found() -> list[dict[str, Any]]:
            return [f for f in self.all if f["fact"] == name and all(f.get(k) == v for k, v in fields.items())]

        try:
            return (await watching.until(self._store / "calls", found, timeout_s))[0]
        except TimeoutError:
            got = [f["fact"] for f in self._follower.facts]
            raise AssertionError(f"no {name} {fields} within {timeout_s} s; got {got}") from None
