"""What is played to one party: turns of the agent, prompts, briefing, one after the other. Pure; one frame a tick.

Hears from: a call (turns, prompts, cuts). Tells: the same (frames, and what has ended).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from telephony.link_codec import FRAME_BYTES, FRAME_S, RATE_HZ
from telephony.media.pcm import SILENCE

TAIL_TICKS = 2
"""A turn has ended when its last frame has left the stack's own ring (≤ 40 ms): only then can no flush take it back."""
STARVED_TICKS = 10
"""A turn that waits this long [200 ms] for its worker lets prompts pass: a hung worker cannot silence the gateway."""


@dataclass(slots=True, kw_only=True)
class Item:
    """A turn (``turn`` > 0) or a prompt (``prompt`` names it) in the queue."""

    text: str
    turn: int = 0
    prompt: str = ""
    rate_wpm: float = 0.0
    keep: bool = False
    pcm: bytearray = field(default_factory=bytearray)
    complete: bool = False
    at: int = 0
    """Bytes played."""
    parts: list[tuple[int, int]] = field(default_factory=list)
    """(words, bytes) of the turn before each part of it that came later."""
    first_tick: int | None = None
    end_tick: int = 0
    starved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An item is over. ``start_tick`` is None when not a sample of it was played."""

    turn: int
    prompt: str
    text: str
    """What was heard."""
    rate_wpm: float
    start_tick: int | None
    end_tick: int
    cut: bool


class Playout:
    """The queue of one party, and what it has to say each tick."""

    def __init__(self) -> None:
        self.ended: list[Ended] = []
        self._queue: deque[Item] = deque()
        self._draining: Item | None = None
        self._paused = False

    @property
    def busy(self) -> bool:
        """Something is queued, playing, or still leaving the ring."""
        return bool(self._queue) or self._draining is not None

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def speaking(self) -> bool:
        """The head of the queue has begun."""
        return self._draining is not None or any(i.first_tick is not None for i in self._queue)

    @property
    def sounding(self) -> bool:
        """Something is played now or at the next tick; not a turn whose sound has yet to come."""
        return self._draining is not None or any(i.pcm for i in self._queue)

    def start_turn(self, turn: int, text: str, rate_wpm: float, *, keep: bool = False) -> None:
        self._queue.append(Item(text=text, turn=turn, rate_wpm=rate_wpm, keep=keep))

    def continue_turn(self, turn: int, text: str, sample: int) -> None:
        """More words of a turn, spoken from its ``sample`` on."""
        for item in self._queue:
            if item.turn == turn and not item.complete:
                item.parts.append((len(item.text.split()), 2 * sample))
                item.text = f"{item.text} {text}"

    def feed(self, turn: int, pcm: bytes, *, last: bool) -> bool:
        """More sound of a turn. False: that turn was cut or never started, the sound is dropped."""
        for item in self._queue:
            if item.turn == turn and not item.complete:
                item.pcm += pcm
                item.complete = last
                return True
        return False

    def say(self, prompt: str, text: str, pcm: bytes) -> None:
        """A prompt, after everything queued."""
        seconds = len(pcm) / 2 / RATE_HZ
        rate = 60 * len(text.split()) / seconds if seconds else 0.0
        item = Item(text=text, prompt=prompt, rate_wpm=rate, keep=True, pcm=bytearray(pcm), complete=True)
        self._queue.append(item)

    def pause(self, on: bool) -> None:
        """Holds turns (not prompts) at the present sample."""
        self._paused = on

    def put_back(self, n_bytes: int, tick: int) -> None:
        """The stack's ring threw the last ``n_bytes`` away: the item that was playing has them again."""
        item = self._draining
        if item is not None:
            self._draining = None
            self._queue.appendleft(item)
        elif self._queue and self._queue[0].first_tick is not None:
            item = self._queue[0]
        if item is not None:
            item.at = max(0, item.at - n_bytes)
            item.end_tick = tick

    def cut_turns(self, tick: int, *, up_to: int | None = None, kept: bool = True) -> list[Ended]:
        """Ends turns (all, or those up to number ``up_to``) now. ``kept=False`` spares those marked ``keep``."""
        return self._cut(lambda i: i.turn > 0 and (up_to is None or i.turn <= up_to) and (kept or not i.keep), tick)

    def cut_prompts(self, tick: int, *, name: str = "") -> list[Ended]:
        """Ends prompts (all, or those of one name) now."""
        return self._cut(lambda i: bool(i.prompt) and name in ("", i.prompt), tick)

    def frame(self, tick: int) -> bytes | None:
        """20 ms for call-time tick ``tick``, or None where nothing is to be said."""
        if self._draining is not None:
            if tick < self._draining.end_tick + TAIL_TICKS:
                return SILENCE
            self._end(self._draining, cut=False)
            self._draining = None
        item = self._next()
        if item is None:
            return None if not self._queue or self._paused else SILENCE
        chunk = bytes(item.pcm[item.at : item.at + FRAME_BYTES])
        if len(chunk) < FRAME_BYTES and not item.complete:
            item.starved += 1
            return SILENCE
        item.starved = 0
        if item.first_tick is None:
            item.first_tick = tick
        item.at += len(chunk)
        item.end_tick = tick + 1
        if item.complete and item.at >= len(item.pcm):
            self._queue.remove(item)
            self._draining = item
        return chunk.ljust(FRAME_BYTES, b"\0")

    def _next(self) -> Item | None:
        for item in self._queue:
            if item.turn and self._paused:
                continue
            if item.turn and item.starved >= STARVED_TICKS and len(item.pcm) - item.at < FRAME_BYTES:
                if item.complete:
                    return item
                continue
            return item
        return None

    def _cut(self, which: object, tick: int) -> list[Ended]:
        assert callable(which)
        out = []
        if self._draining is not None and which(self._draining):
            item, self._draining = self._draining, None
            out.append(self._end(item, cut=True))
        for item in [i for i in self._queue if which(i)]:
            self._queue.remove(item)
            item.end_tick = tick if item.first_tick is None else item.end_tick
            out.append(self._end(item, cut=True))
        return out

    def _end(self, item: Item, *, cut: bool) -> Ended:
        cut = cut and (item.at < len(item.pcm) or not item.complete)
        ended = Ended(
            turn=item.turn,
            prompt=item.prompt,
            text=heard_text(item) if cut else item.text,
            rate_wpm=round(item.rate_wpm, 1),
            start_tick=item.first_tick,
            end_tick=item.end_tick,
            cut=cut,
        )
        self.ended.append(ended)
        return ended


def heard_text(item: Item) -> str:
    """The words of an item that was cut, by the share of it that was played; a word half played is not counted.

    Of a turn that came in parts, by the share of the part. While the synthesiser is still at work the whole length is
    not known: then by the rate it speaks at.
    """
    if item.at / 2 / RATE_HZ < FRAME_S:
        return ""
    words = item.text.split()
    first, start = 0, 0
    for part_words, end in item.parts:
        if item.at < end:
            return " ".join(words[: first + (part_words - first) * (item.at - start) // (end - start)])
        first, start = part_words, end
    played = item.at - start
    if item.complete and item.pcm:
        n = (len(words) - first) * played // max(1, len(item.pcm) - start)
    else:
        n = int(played / 2 / RATE_HZ * item.rate_wpm / 60)
    return " ".join(words[: first + n])
