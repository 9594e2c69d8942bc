"""What every route needs, found on the application.

Hears from: `voice.qa.app`. Tells: every router.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request

from telephony.settings import Settings
from voice.qa.access import Gate
from voice.qa.tail import Tail
from voice.qa.users import Viewer
from voice.store.index import Index

SAME_PLAYBACK_S = 600.0


class Playing:
    """Which playbacks go on. A player asks in many byte ranges: what follows the first within ten minutes is the same.

    The beginning of a file always begins another; and a first range from its middle hides nothing.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, str], float] = {}

    def begins(self, who: str, call_id: str, leg: str, now_s: float, *, first_byte: bool) -> bool:
        if len(self._last) > 10_000:
            self._last = {k: t for k, t in self._last.items() if now_s - t < SAME_PLAYBACK_S}
        last = self._last.get((who, call_id, leg))
        self._last[(who, call_id, leg)] = now_s
        return first_byte or last is None or now_s - last >= SAME_PLAYBACK_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    settings: Settings
    index: Index
    tail: Tail
    gate: Gate
    playing: Playing = field(default_factory=Playing)


def viewer_of(request: Request) -> Viewer:
    """Who asks. Open paths have no viewer: what they do is done by "web"."""
    return getattr(request.state, "viewer", None) or Viewer()


def web_of(request: Request) -> Web:
    web: Web = request.app.state.web
    return web
