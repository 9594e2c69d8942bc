"""The fixed sentences the gateway can say without any worker.

Workers render them; the gateway keeps them in memory and remembers in the store where they are, so that after a
restart a caller is never left without a word because no worker has come yet.

Hears from: a worker's hello. Tells: calls.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from telephony.errors import RecordError
from telephony.media.pcm import read_wav
from telephony.record import write_json

log = logging.getLogger(__name__)

NAMES = (
    "disclosure", "please_wait", "worker_lost", "hold_start", "hold_news", "being_told", "still_trying",
    "next_person", "line_next", "line_second", "line_later", "screening", "decide", "briefing_missing",
    "intro_caller", "intro_human", "declined_bye", "caller_gone", "human_dropped", "nobody_callback",
    "back_to_agent", "no_worker_callback", "human_only", "emotion_off", "recording_off", "still_there", "goodbye",
)  # fmt: skip
DIGITS = {"+": "digit_plus", **{str(n): f"digit_{n}" for n in range(10)}}
CALLBACK_NAMES = (
    "callback_screening", "callback_number", "callback_decide", "callback_dialling", "callback_hello",
    "callback_unanswered", "callback_again", "callback_lost", *DIGITS.values(),
)  # fmt: skip
"""Needed beside the others where ``humans.callback = "dial"``."""
INDEX = "prompts/index.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A sentence. ``pcm``: 8 kHz 16-bit mono."""

    name: str
    text: str
    pcm: bytes


class Prompts:
    """All that are known. ``store``: their index is kept there."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._known: dict[str, Prompt] = {}
        self._named: dict[str, list[str]] = {}
        try:
            self.load(json.loads((store / INDEX).read_text("utf-8")))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError) as exc:
            log.warning("%s cannot be read (%s): prompts come with the first worker", INDEX, exc)

    def load(self, named: dict[str, list[str]]) -> None:
        """Takes over name → [text, path of a WAV]. A file that is unreadable leaves the older prompt in place."""
        for name, (text, path) in named.items():
            file = self._find(path)
            try:
                self._known[name] = Prompt(name=name, text=text, pcm=read_wav(file))
                self._named[name] = [text, str(file)]
            except RecordError as exc:
                log.error("prompt %s: %s", name, exc)

    def _find(self, path: str) -> Path:
        """As the worker wrote it, or, should the store have moved, the file of that name in it."""
        here = self._store / "prompts" / Path(path).name
        return here if here.exists() else Path(path)

    def save(self) -> None:
        (self._store / INDEX).parent.mkdir(parents=True, exist_ok=True)
        write_json(self._store / INDEX, self._named)

    def get(self, name: str) -> Prompt | None:
        return self._known.get(name)

    def missing(self, names: tuple[str, ...] = NAMES) -> list[str]:
        """Names a call may need that nobody has rendered."""
        return [n for n in names if n not in self._known]

    def number(self, number: str) -> Prompt:
        """``number`` digit by digit, in the recorded voice: no worker is needed to say it."""
        said = [self._known[DIGITS[c]] for c in number if c in DIGITS and DIGITS[c] in self._known]
        text = " ".join(p.text.rstrip(".") for p in said)
        return Prompt(name="number", text=text, pcm=b"".join(p.pcm for p in said))
