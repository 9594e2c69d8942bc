"""OPTIONS over real UDP: answered, refused, lost once, never answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from telephony import presence
from telephony.presence import PresenceWatch
from telephony.settings import Humans, Settings, Sip, Target


class Phone(asyncio.DatagramProtocol):
    """Answers every OPTIONS with ``status`` (0: not at all), after having lost ``lose`` of them."""

    def __init__(self) -> None:
        self.status, self.lose, self.asked = 200, 0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self.asked += 1
        if self.asked <= self.lose or not self.status:
            return
        kept = [
            line for line in data.decode().split("\r\n") if line.startswith(("Via", "From", "To", "Call-ID", "CSeq"))
        ]
        answer = [f"SIP/2.0 {self.status} X", *kept, "Content-Length: 0", "", ""]
        self.transport.sendto("\r\n".join(answer).encode(), addr)


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    transport, phone = await asyncio.get_running_loop().create_datagram_endpoint(Phone, local_addr=("127.0.0.1", 0))
    yield phone
    transport.close()


@pytest.fixture
def watch(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> PresenceWatch:
    monkeypatch.setattr(presence, "RESEND_S", (0.1, 0.1, 0.1))
    port = phone.transport.get_extra_info("sockname")[1]
    humans = Humans(targets=[Target(name="ann", uri=f"sip:ann@127.0.0.1:{port}")])
    return PresenceWatch(Settings(sip=Sip(bind="127.0.0.1:5060"), humans=humans), lambda: changes.append(1))


changes: list[int] = []


async def test_a_phone_comes_and_goes(phone: Phone, watch: PresenceWatch) -> None:
    changes.clear()
    for status, state in ((0, "unknown"), (200, "available"), (480, "absent"), (200, "available"), (0, "absent")):
        phone.status = status
        await watch.look()
        assert watch.states == {"ann": state}
    assert len(changes) == 4
    assert watch.absent == {"ann"}


async def test_a_lost_packet_is_sent_again(phone: Phone, watch: PresenceWatch) -> None:
    phone.lose = 1
    await watch.look()
    assert watch.states == {"ann": "available"}
    assert phone.asked == 2


async def test_a_phone_that_is_switched_off_is_noticed_at_once(phone: Phone, watch: PresenceWatch) -> None:
    await watch.look()
    phone.transport.close()
    await asyncio.sleep(0)  # the socket is closed in the loop's next round
    await watch.look()
    assert watch.states == {"ann": "absent"}
