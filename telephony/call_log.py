"""The log of one call: stamps facts, has them written, and only then shows them to everybody who decides.

Where words are not kept, the file gets each fact without them (`telephony.redaction`); memory has them until the end.

Whoever is shown a fact may cause another; those wait their turn, so that everybody sees the same order.

Hears from: a call. Tells: the call folder, then the listener.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from telephony.erasure import without_voice
from telephony.facts import Decision, Fact
from telephony.messages import Stamped
from telephony.record import CallFolder
from telephony.redaction import decision_without_words, without_words
from telephony.transfer_messages import Event

log = logging.getLogger(__name__)

Show = Callable[[Stamped | Event], None]


class CallLog:
    """``show`` is given every committed fact and every event of a leg, one after the other."""

    def __init__(self, folder: CallFolder, clock: Callable[[], float], show: Show, *, keep_words: bool = True) -> None:
        self._folder, self._clock, self._show = folder, clock, show
        self._keep_words = keep_words
        self._waiting: deque[Stamped | Event] = deque()
        self._showing = False
        self._unwritten: deque[tuple[Stamped, Decision | None]] = deque()
        self.closed = False
        self.facts: list[Stamped] = []

    def write(self) -> bool:
        """What is not on the disk yet. False: the disk fails; the call goes on and its facts wait in memory."""
        while self._unwritten:
            try:
                self._folder.append(*self._unwritten[0])
            except OSError as exc:
                log.error("facts cannot be written (%s): %d wait in memory", exc, len(self._unwritten))
                return False
            self._unwritten.popleft()
        return True

    def commit(self, fact: Fact, decision: Decision | None = None) -> Stamped | None:
        """Stamps and writes a fact; None when the call's log is closed."""
        if self.closed:
            return None
        stamped = Stamped(seq=len(self.facts) + 1, t=round(self._clock(), 3), fact=fact)
        self._unwritten.append((self._kept(stamped), self._kept_decision(decision)))
        self.write()
        self.facts.append(stamped)
        self._give(stamped)
        return stamped

    def event(self, event: Event) -> None:
        """Something that is not recorded, in its place between the facts."""
        self._give(event)

    @property
    def kept(self) -> list[Stamped]:
        """The facts as they are on the disk: what summaries, tickets and events are made from."""
        return [self._kept(s) for s in self.facts]

    def erase_voice(self) -> int:
        """Takes every measurement of the voice out of file and memory. Returns how many facts changed."""
        found = {s.seq: r for s in self.facts if (r := without_voice(s)) is not None}
        self.facts = [found.get(s.seq, s) for s in self.facts]
        self._erase({seq: self._kept(s) for seq, s in found.items()})
        return len(found)

    def erase_words(self) -> int:
        """Takes everything that was said out of the file, and keeps it out. Returns how many facts changed."""
        self._keep_words = False
        found = {s.seq: r for s in self.facts if (r := self._kept(s)) is not s}
        self._erase(found)
        return len(found)

    def _erase(self, replacements: dict[int, Stamped]) -> None:
        if not replacements:
            return
        self._unwritten = deque(
            (replacements.get(s.seq, s), None if s.seq in replacements else d) for s, d in self._unwritten
        )
        waiting = {s.seq for s, _ in self._unwritten}
        self._folder.erase({seq: s for seq, s in replacements.items() if seq not in waiting})

    def _kept(self, stamped: Stamped) -> Stamped:
        if self._keep_words or (fact := without_words(stamped.fact)) is stamped.fact:
            return stamped
        return Stamped(seq=stamped.seq, t=stamped.t, fact=fact)

    def _kept_decision(self, decision: Decision | None) -> Decision | None:
        return decision if decision is None or self._keep_words else decision_without_words(decision)

    def _give(self, item: Stamped | Event) -> None:
        self._waiting.append(item)
        if self._showing:
            return
        self._showing = True
        try:
            while self._waiting:
                self._show(self._waiting.popleft())
        finally:
            self._showing = False
