"""What every route needs, found on the application.

Hears from: `voice.qa.app`. Tells: every router.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from telephony.settings import Settings
from voice.qa.access import Gate
from voice.qa.tail import Tail
from voice.store.index import Index


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    settings: Settings
    index: Index
    tail: Tail
    gate: Gate


def web_of(request: Request) -> Web:
    web: Web = request.app.state.web
    return web
