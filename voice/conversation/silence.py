"""The caller's own silence: when to prompt, offer a choice, bring in a person. Pure; never hangs up first.

Numbers: contact-centre design values, gentle prompt at 5 s, choice at 10 s, human or callback at 20 s of the caller's
turn, each counted from the end of what was last said or heard. Hears from: `voice.conversation.call`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STAGES_S = (5.0, 5.0, 10.0)
"""From the end of the last sound to the gentle prompt, the choice, the person: 5, 10, 20 s of silence in all."""
GRACE_S = 15.0
"""More before the first prompt, when the caller asked for a moment."""
SLACK_S = 6.0
"""A sentence is taken for played this long after it should have ended, if nobody reports it."""


@dataclass(slots=True)
class Silence:
    """Whose turn it is, and since when nobody speaks."""

    stage: int = 0
    grace: bool = False
    _since: float | None = None
    _speaking: bool = False
    _on_hold: bool = False
    _started_s: float = 0.0
    _queue: list[float] = field(default_factory=list)
    _asked_s: float = 0.0

    def saying(self, now_s: float, text: str, rate_wpm: float) -> None:
        """A sentence was given to synthesis."""
        if not self._queue:
            self._asked_s = now_s
        self._queue.append(len(text.split()) * 60 / rate_wpm)
        if self._since is None:
            self._since = now_s

    def forget(self, now_s: float) -> None:
        """Nothing that was given to synthesis will come: its worker is gone."""
        self._queue.clear()
        self._heard(now_s)

    def said(self, end_s: float, *, prompt: bool) -> None:
        """A sentence ended, played or cut; one queued behind it may still come, so only it is taken off."""
        if not prompt and self._queue:
            self._queue.pop(0)
        self._asked_s = end_s
        self._heard(end_s)

    def speech(self, at_s: float, *, on: bool) -> None:
        self._speaking = on
        if on:
            self._started_s = at_s
        self._heard(at_s)

    def turn_taken(self, now_s: float, end_s: float | None = None) -> None:
        """The caller said words (``end_s``: until then) or pressed keys: the silence is over."""
        self.stage, self.grace = 0, False
        if end_s is not None and end_s >= self._started_s:
            self._speaking = False
        self._heard(now_s)

    def hold(self, now_s: float, *, on: bool) -> None:
        self._on_hold = on
        self._heard(now_s)

    @property
    def queued(self) -> bool:
        """A sentence is still to be played."""
        return bool(self._queue)

    @property
    def caller_speaks(self) -> bool:
        return self._speaking

    def deadline_s(self) -> float | None:
        """Call time of the next prompt; ``None`` while somebody speaks, on hold, or when all were given."""
        if self._since is None or self._speaking or self._on_hold or self.stage >= len(STAGES_S):
            return None
        start = self._since
        if self._queue:
            start = max(start, self._asked_s + sum(self._queue) + SLACK_S)
        return start + STAGES_S[self.stage] + (GRACE_S if self.grace and self.stage == 0 else 0.0)

    def next_stage(self) -> int:
        """The stage that is due: 1 gentle prompt, 2 choice, 3 person."""
        self.stage += 1
        return self.stage

    def _heard(self, at_s: float) -> None:
        self._since = at_s if self._since is None else max(self._since, at_s)
