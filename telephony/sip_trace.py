"""What the stack's API does not show of a SIP message: where it really came from, and the codec agreed on.

From and Via are whatever the sender wrote; the trace's first line is the address the packet came from. The stack's
log thread hands each message over before its event reaches the loop (a few messages a call: no load).

Hears from: the stack's message trace. Tells: the engine.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from dataclasses import dataclass

LOGGER = "baresip.native.sip"
KEEP = 256
_FIRST = re.compile(r"(RX|TX) (\S+) (\S+) -> (\S+)")
_MEDIA = re.compile(r"^m=audio \d+ \S+ (\d+)", re.M)
_STATIC = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}
"""RFC 3551 §6."""


@dataclass(slots=True, kw_only=True)
class Dialog:
    """What was seen of one Call-ID. ``source``: host the first INVITE came from; ``to``: the address it asked for."""

    source: str = ""
    transport: str = ""
    to: str = ""
    codec: str = ""


class SipTrace(logging.Handler):
    """Remembers the last `KEEP` dialogs. Passes nothing on: messages carry telephone numbers."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._dialogs: OrderedDict[str, Dialog] = OrderedDict()

    def install(self) -> None:
        logger = logging.getLogger(LOGGER)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.addHandler(self)

    def uninstall(self) -> None:
        logging.getLogger(LOGGER).removeHandler(self)

    def find(self, call_id: str) -> Dialog | None:
        return self._dialogs.get(call_id)

    def emit(self, record: logging.LogRecord) -> None:
        self.read(record.getMessage())

    def read(self, text: str) -> None:
        """One traced message."""
        head, _, body = text.replace("\r\n", "\n").partition("\n\n")
        first, _, message = head.partition("\n")
        where = _FIRST.search(first)
        call_id = header(message, "call-id", "i")
        if where is None or not call_id:
            return
        start = message.split("\n", 1)[0]
        if call_id not in self._dialogs:
            if not start.startswith("INVITE "):
                return
            self._dialogs[call_id] = Dialog()
            while len(self._dialogs) > KEEP:
                self._dialogs.popitem(last=False)
        dialog = self._dialogs[call_id]
        if start.startswith("INVITE ") and where[1] == "RX" and not dialog.source:
            dialog.source, dialog.transport = host_of(where[3]), where[2].lower()
            dialog.to = address(header(message, "to", "t"))
        if start.startswith("SIP/2.0 2") and "INVITE" in header(message, "cseq") and body:
            dialog.codec = codec_of(body) or dialog.codec


def header(message: str, *names: str) -> str:
    """Value of the first header of one of these names (long and compact form), or empty."""
    for line in message.split("\n")[1:]:
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() in names:
            return value.strip()
    return ""


def address(value: str) -> str:
    """``sip:…`` out of a From or To value, without display name and parameters."""
    inner = value.partition("<")[2].partition(">")[0] if "<" in value else value
    return inner.split(";")[0].strip()


def host_of(address_port: str) -> str:
    """``127.0.0.1`` of ``127.0.0.1:5060``, ``::1`` of ``[::1]:5060``."""
    return address_port.rpartition(":")[0].strip("[]")


def codec_of(sdp: str) -> str:
    """Name of the first audio payload in an SDP answer: the one that is used (RFC 3264 §6.1)."""
    media = _MEDIA.search(sdp)
    if media is None:
        return ""
    named = re.search(rf"^a=rtpmap:{media[1]} (\S+)", sdp, re.M)
    return named[1] if named else _STATIC.get(media[1], "")
