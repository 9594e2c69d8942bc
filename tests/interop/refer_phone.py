"""A telephone that does as REFER says: what an office phone does, and ours (`telephony.phone`) refuses.

    python -m tests.interop.refer_phone --listen 127.0.0.1:5070 --rtp 30000-30039 --user anna

Commands on stdin, one JSON object a line: ``dial`` (``uri``), ``key`` (``digits``), ``hangup``, ``quit``. It answers
every call. Events on stdout: ``ready``, ``incoming``, ``refer`` (its new call to somebody else), ``established``,
``closed``, each with ``call``, the number of the call.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import baresip

from telephony.phone_driver import DrivenPhone
from telephony.settings import split_host_port


class Phone:
    def __init__(self) -> None:
        self.calls: list[baresip.Call] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def say(self, event: str, **more: Any) -> None:
        print(json.dumps({"event": event, **more}), flush=True)

    def take(self, call: baresip.Call, event: str) -> None:
        number = len(self.calls)
        self.calls.append(call)

        def on_event(happened: baresip.StackEvent) -> None:
            if happened.event is baresip.Event.CALL_ESTABLISHED:
                self.say("established", call=number)
            elif happened.event is baresip.Event.CALL_CLOSED:
                self.say("closed", call=number, text=happened.text or "")

        call.on(on_event)
        self.say(event, call=number, peer=call.peer or "")

    def incoming(self, call: baresip.Call) -> None:
        self.take(call, "incoming")
        task = asyncio.get_running_loop().create_task(call.answer())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def obey(self, ua: baresip.UserAgent, command: dict[str, Any]) -> None:
        match command:
            case {"do": "dial", "uri": uri}:
                self.take(await ua.dial(uri), "dialled")
            case {"do": "key", "digits": digits}:
                await self.calls[-1].send_dtmf(digits)
            case {"do": "hangup"}:
                await self.calls[-1].hangup()


async def run(listen: str, rtp: str, user: str) -> None:
    host, _ = split_host_port(listen)
    text = f"sip_listen {listen}\nrtp_ports {rtp}\nrtp_rxmode main\n"
    runtime = baresip.Runtime()
    await runtime.start(
        baresip.Config(net_interface=host, max_concurrent_calls=4, native_log_level="error", extra_config_text=text)
    )
    account = baresip.Account(
        user=user, domain=listen, password="", reg_interval=0, audio_codecs=("pcmu",),
        extra_params=("catchall=yes", "video_codecs=none"),
    )  # fmt: skip
    ua = await baresip.UserAgent.create(runtime, account, transfer_policy="auto")
    phone = Phone()
    ua.on_incoming(phone.incoming)
    ua.on_transfer_call(lambda call: phone.take(call, "refer"))
    phone.say("ready")
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        if command["do"] == "quit":
            break
        await phone.obey(ua, command)
    await runtime.close()


async def start(name: str, listen: str, rtp: str) -> DrivenPhone:
    """One in a process of its own."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.interop.refer_phone", "--listen", listen, "--rtp", rtp, "--user", name,
        stdin=pipe, stdout=pipe, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    phone = DrivenPhone(process, name, None)
    assert await phone.wait("ready") is not None
    return phone


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("--listen", "--rtp", "--user"):
        parser.add_argument(name, required=True)
    given = parser.parse_args()
    asyncio.run(run(given.listen, given.rtp, given.user))
