"""A telephone that another process drives: JSON lines in on stdin, JSON lines out on stdout.

    python -m telephony.phone_script --listen 127.0.0.1:5070 --answer after:2 --record human.wav

Commands, one a line: ``{"do": "dial", "uri": …}``, ``{"do": "play", "file": …}``, ``{"do": "stop"}``,
``{"do": "key", "digits": …}``, ``{"do": "hold", "on": true}``, ``{"do": "answer"}``, ``{"do": "hangup"}``,
``{"do": "quit"}``. Events: ``ready``, ``ringing``, ``far_rings``, ``answered``, ``heard_speech_start``,
``heard_speech_end``, ``playing``, ``played``, ``key_sent``, ``key_heard``, ``held``, ``failed``, ``closed``, ``error``;
each with ``t`` (monotonic clock) and ``at_s`` (since answer).
The end of stdin quits, so that no phone outlives its driver.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from telephony.errors import CallFailed, ConfigError, TelephonyError
from telephony.phone_device import Line, Phone, PhoneEvent


def parse_policy(text: str) -> tuple[str, float]:
    """``after:SECONDS``, ``busy`` (486), ``ring`` (for ever) or ``manual``.

    Raises:
        ConfigError: None of these.
    """
    name, _, value = text.partition(":")
    if name == "after":
        try:
            return name, float(value)
        except ValueError:
            name = ""
    if name in ("busy", "ring", "manual") and not value:
        return name, 0.0
    raise ConfigError("--answer", text, "one of after:SECONDS, busy, ring, manual")


class ScriptedPhone:
    """Carries out the commands of one driver."""

    def __init__(self, line: Line, record: Path | None, policy: tuple[str, float]) -> None:
        self._phone = Phone(line, self._heard, record=record)
        self._policy = policy
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, commands: asyncio.StreamReader) -> None:
        await self._phone.open()
        self._say("ready")
        try:
            while line := await commands.readline():
                try:
                    command = json.loads(line)
                except ValueError:
                    self._say("error", text="not JSON")
                    continue
                if command.get("do") == "quit":
                    break
                self._start(self._obey(command))
        finally:
            if self._phone.in_call:
                await self._phone.hang_up()
                await self._phone.wait_closed()
            await self._phone.close()

    async def _obey(self, command: dict[str, Any]) -> None:
        phone = self._phone
        try:
            match command:
                case {"do": "dial", "uri": uri, **rest}:
                    await phone.dial(uri, headers=rest.get("headers"))
                case {"do": "play", "file": file}:
                    self._say("playing", length_s=round(phone.play(Path(file)), 3))
                case {"do": "stop"}:
                    phone.stop_playing()
                case {"do": "key", "digits": digits}:
                    await phone.key(digits)
                    self._say("key_sent", digits=digits)
                case {"do": "hold", "on": on}:
                    await phone.hold(bool(on))
                case {"do": "answer"}:
                    await phone.answer()
                case {"do": "hangup"}:
                    await phone.hang_up()
                case _:
                    self._say("error", text=f"unknown command {command.get('do')!r}")
        except CallFailed as exc:
            self._say("failed", status=exc.status, reason=exc.reason)
        except TelephonyError as exc:
            self._say("error", text=str(exc))

    def _heard(self, event: PhoneEvent) -> None:
        self._write(event.name, event.t, event.at_s, event.data)
        if event.name == "ringing":
            self._start(self._react())

    async def _react(self) -> None:
        name, seconds = self._policy
        if name == "after":
            await asyncio.sleep(seconds)
            await self._phone.answer()
        elif name == "busy":
            await self._phone.reject()

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _say(self, name: str, **data: Any) -> None:
        self._write(name, time.monotonic(), round(self._phone.now_s, 3) if self._phone.in_call else None, data)

    @staticmethod
    def _write(name: str, t: float, at_s: float | None, data: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps({"event": name, "t": round(t, 4), "at_s": at_s, **data}) + "\n")
        sys.stdout.flush()


async def _main(args: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    loop.add_signal_handler(signal.SIGTERM, commands.feed_eof)
    line = Line(listen=args.listen, rtp_ports=args.rtp, user=args.user, codecs=tuple(args.codecs.split(",")))
    try:
        await ScriptedPhone(line, args.record, parse_policy(args.answer)).run(commands)
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m telephony.phone_script", description="A telephone driven by JSON lines."
    )
    parser.add_argument("--listen", default="127.0.0.1:0", help="SIP address and port")
    parser.add_argument("--rtp", default="30000-30999", help="RTP port range")
    parser.add_argument("--user", default="phone", help="user part of its address")
    parser.add_argument("--codecs", default="pcmu,pcma")
    parser.add_argument("--record", type=Path, help="stereo WAV of each call: sent, heard")
    parser.add_argument("--answer", default="manual", help="after:SECONDS | busy | ring | manual")
    return asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
