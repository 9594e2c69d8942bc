"""Who may call, what the trace tells, what an INVITE to a human carries."""

from __future__ import annotations

import socket

import pytest

from telephony.baresip_engine import check_sip, may_call
from telephony.errors import ConfigError
from telephony.settings import Sip
from telephony.sip_headers import human_headers, number_of
from telephony.sip_trace import SipTrace, address, codec_of, host_of

INVITE = """RX UDP 192.0.2.7:5060 -> 192.0.2.1:5060
INVITE sip:help@192.0.2.1 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1
t: "Help" <sip:help@192.0.2.1;transport=udp>
From: <sip:anna@127.0.0.1>;tag=1
i: abc
CSeq: 1 INVITE

v=0
"""
OK = """TX UDP 192.0.2.1:5060 -> 192.0.2.7:5060
SIP/2.0 200 OK
Call-ID: abc
CSeq: 1 INVITE

v=0
m=audio 10000 RTP/AVP 96 101
a=rtpmap:96 opus/48000/2
a=rtpmap:101 telephone-event/8000
"""


@pytest.mark.parametrize(
    ("source", "trunks", "allowed"),
    [
        ("127.0.0.1", [], True),
        ("::1", [], True),
        ("192.0.2.7", [], False),
        ("192.0.2.7", ["192.0.2.0/24"], True),
        ("127.0.0.1", ["192.0.2.0/24"], False),
        ("198.51.100.1", ["192.0.2.0/24", "198.51.100.1/32"], True),
        ("carrier.example", ["0.0.0.0/0"], False),
        ("", [], False),
    ],
)
def test_who_may_call(source: str, trunks: list[str], allowed: bool) -> None:
    assert may_call(source, trunks) is allowed


def test_the_source_is_where_the_packet_came_from_not_what_it_says() -> None:
    trace = SipTrace()
    trace.read(INVITE)
    trace.read(OK)
    dialog = trace.find("abc")
    assert dialog is not None
    assert (dialog.source, dialog.transport) == ("192.0.2.7", "udp")
    assert dialog.to == "sip:help@192.0.2.1"
    assert dialog.codec == "opus/48000/2"


@pytest.mark.parametrize("junk", ["", "RX", "RX UDP a:1 -> b:2\n", "RX UDP a:1 -> b:2\nINVITE\n\n", "x\ny\nz: q\n\n\n"])
def test_junk_is_no_dialog_and_no_error(junk: str) -> None:
    trace = SipTrace()
    trace.read(junk)
    assert trace.find("") is None


def test_memory_is_bounded() -> None:
    trace = SipTrace()
    for n in range(1000):
        trace.read(INVITE.replace("i: abc", f"i: {n}"))
    assert trace.find("0") is None
    assert trace.find("999") is not None
    assert len(trace._dialogs) <= 256


def test_small_parsers() -> None:
    assert host_of("[2001:db8::1]:5060") == "2001:db8::1"
    assert address("sip:a@b;tag=1") == "sip:a@b"
    assert codec_of("m=audio 1 RTP/AVP 8 101\n") == "PCMA/8000"
    assert codec_of("v=0\n") == ""
    assert number_of('"A" <sip:+4930123@carrier>;tag=1') == "+4930123"
    assert number_of("sip:host.example") == "sip:host.example"


def test_headers_carry_an_opaque_id_and_nothing_else() -> None:
    headers = human_headers("0123456789abcdef0123456789abcdef", "http://127.0.0.1:8080/handoff/x")
    assert headers["User-to-User"] == "0123456789abcdef0123456789abcdef;encoding=hex;purpose=warmline"
    assert len(headers["User-to-User"]) < 128
    session, _, remote = headers["Session-ID"].partition(";remote=")
    assert (len(session), remote) == (32, "0" * 32)
    assert headers["Call-Info"].startswith("<http://127.0.0.1:8080/handoff/")


def test_a_port_in_use_is_named_with_a_remedy() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{s.getsockname()[1]}"
        with pytest.raises(ConfigError, match="sip.bind = .*in use; choose another"):
            check_sip(Sip(bind=bind))


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"bind": "203.0.113.9:25990"}, "sip.bind"),
        ({"bind": "127.0.0.1:25990", "rtp_ports": "15000-15010"}, "sip.rtp_ports"),
        ({"bind": "127.0.0.1:25990", "rtp_ports": "15100-15000"}, "sip.rtp_ports"),
        ({"bind": "127.0.0.1:25990", "advertise": "203.0.113.9"}, "sip.advertise"),
    ],
)
def test_what_cannot_work_is_refused_at_start(settings: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigError) as exc:
        check_sip(Sip(**settings))
    assert exc.value.key == key
