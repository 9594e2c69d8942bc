"""A whole call without network or clock: lines that are two lists, a clock that a test turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from telephony import call_worker
from telephony.call import Call
from telephony.call_lines import caller_event
from telephony.call_parts import Surroundings
from telephony.commands import Command
from telephony.facts import CallAnswered, Fact
from telephony.human_line import HumanLine
from telephony.leg import CallLeg, Closed, Established, Key, LegEvent, OnLegEvent, Progress
from telephony.link_codec import LAST_OF_TURN, AudioRecord
from telephony.media.pcm import SILENCE
from telephony.messages import Stamped, to_json
from telephony.prompts import Prompts
from telephony.settings import Humans, Privacy, Settings, Store, Target
from telephony.syncer import Syncer
from tests.call.scripted_worker import tone, write_prompts

BEAT_S = 0.01


class Line:
    """A leg: ``speaking`` is what the far end says (None = no packets), ``heard`` what it was sent, frame by frame."""

    peer = "sip:anna@192.0.2.9"
    codec = "PCMU/8000"

    def __init__(self, on_event: OnLegEvent | None = None) -> None:
        self.on_event = on_event
        self.heard: list[bytes] = []
        self.keys = ""
        self.hung_up = False
        self.flushes = 0
        self.referred_to: CallLeg | None = None
        self._arrived = bytearray()

    def arrive(self, pcm: bytes) -> None:
        self._arrived += pcm

    def read(self) -> bytes:
        out = bytes(self._arrived)
        self._arrived.clear()
        return out

    def room(self) -> bool:
        return True

    def write(self, frame: bytes) -> None:
        self.heard.append(frame)

    def flush(self) -> None:
        self.flushes += 1

    def flushed(self) -> int | None:
        return 0

    def send_key(self, key: str) -> None:
        self.keys += key

    def refer(self, other: CallLeg) -> None:
        self.referred_to = other

    def hang_up(self) -> None:
        self.hung_up = True


class Exchange:
    """Places the calls to humans."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, Mapping[str, str], Line]] = []

    def dial(self, uri: str, headers: Mapping[str, str], on_event: OnLegEvent) -> CallLeg:
        line = Line(on_event)
        self.dialled.append((uri, headers, line))
        return line


class Port:
    """A worker's end, as the gateway sees it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sent: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


class VirtualCall:
    """One call with everything around it. ``speech``: what the caller's line brings every 20 ms."""

    def __init__(
        self, tmp_path: Path, targets: int = 1, *, line: HumanLine | None = None, name: str = "call-1", **options: Any
    ) -> None:
        self.now = 100.0
        self.store = tmp_path / "store"
        privacy = {"record": True, "analyse_emotion": True, **options.pop("privacy", {})}
        people = [Target(name=f"h{n}", uri=f"sip:h{n}@192.0.2.{n}") for n in range(1, targets + 1)]
        self.settings = Settings(
            store=Store(dir=self.store), privacy=Privacy(**privacy), humans=Humans(targets=people, **options)
        )
        self.prompts = Prompts(self.store)
        self.prompts.load(write_prompts(tmp_path / "prompts"))
        self.exchange = Exchange()
        self.syncer = Syncer()
        self.finished: list[Call] = []
        self.held_back: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self.slow_disk = False
        self.line = Line()
        self.speech: bytes | None = SILENCE
        self.human_speech: bytes | None = SILENCE
        self._beats = 0
        self._stored = False
        around = Surroundings(
            settings=self.settings, store=self.store, prompts=self.prompts, dialler=self.exchange, syncer=self.syncer,
            absent=dict, line=line or HumanLine(), finished=self.finished.append, aside=self._aside,
        )  # fmt: skip
        self.call = Call(around, 1, name, self.line, self.now)
        self.worker = Port("w1")
        self.call.answered(CallAnswered(from_=self.line.peer, to="sip:x@y", codec="PCMU/8000", at="", versions={
            "record": "on" if privacy["record"] else "off"}), self.worker, {})  # fmt: skip

    def _aside(self, work: Callable[[], None], then: Callable[[], None]) -> None:
        if self.slow_disk:
            self.held_back.append((work, then))
        else:
            work()
            then()

    def run(self, seconds: float) -> VirtualCall:
        """Turns the clock on, in beats of 10 ms."""
        for _ in range(round(seconds / BEAT_S)):
            self.now += BEAT_S
            self._beats += 1
            if self._beats % 2:
                for line, speech in ((self.line, self.speech), (self.human, self.human_speech)):
                    if line is not None and speech is not None:
                        line.arrive(speech)
            self.call.beat(self.now)
        return self

    def until(self, fact: str, limit_s: float = 60.0, **fields: Any) -> VirtualCall:
        """Runs until such a fact is there."""
        for _ in range(round(limit_s * 50)):
            if self.facts(fact, **fields):
                return self
            self.run(0.02)
        raise AssertionError(f"no {fact} {fields} in {[(s.t, s.fact) for s in self.call.log.facts]}")

    @property
    def human(self) -> Line | None:
        return self.exchange.dialled[-1][2] if self.exchange.dialled else None

    def human_does(self, event: LegEvent) -> None:
        assert self.human is not None
        assert self.human.on_event is not None
        self.human.on_event(event)

    def human_answers(self) -> None:
        self.human_does(Progress())
        self.human_does(Established())

    def human_presses(self, key: str) -> None:
        self.human_does(Key(key=key))

    def caller_presses(self, key: str) -> None:
        caller_event(self.call, Key(key=key))

    def caller_leaves(self) -> None:
        caller_event(self.call, Closed())

    def states(self, message: Fact, decision: dict[str, Any] | None = None) -> None:
        """The worker states a fact."""
        call_worker.hear(self.call, {"call": 1, **to_json(message), **({"decision": decision} if decision else {})})

    def orders(self, command: Command) -> None:
        call_worker.hear(self.call, {"call": 1, **to_json(command)})

    def sound_of_turn(self, turn: int, hz: float, seconds: float, *, last: bool = True) -> None:
        record = AudioRecord(call=1, turn=turn, tick=0, pcm=tone(hz, seconds), flags=LAST_OF_TURN if last else 0)
        call_worker.hear_audio(self.call, record)

    def facts(self, name: str, **fields: Any) -> list[dict[str, Any]]:
        out = [s.to_json() for s in self.call.log.facts]
        return [f for f in out if f["fact"] == name and all(f.get(k) == v for k, v in fields.items())]

    def names(self) -> list[str]:
        return [type(s.fact).__name__ for s in self.call.log.facts]

    def last(self) -> Stamped:
        return self.call.log.facts[-1]

    def store_away(self) -> None:
        """What the gateway does after a call, once."""
        if not self._stored:
            self._stored = True
            self.call.store_away()

    def close(self) -> None:
        if not self.call.ended:
            self.call.end("test over", "caller-left")
        self.store_away()
        self.syncer.close()
