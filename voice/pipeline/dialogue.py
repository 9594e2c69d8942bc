"""Middle of the pipeline: the committed log goes into the conversation, its wishes go out.

Also the table of what happens when an engine fails: recognition -> the caller is told and a human is asked for;
synthesis -> a human is asked for (the gateway speaks with prerecorded prompts); the ear -> nothing, it is unknown.

Hears from: hearing (committed facts, failures), speech (failures). Tells: the log (facts), speech (what to say).
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence

from pipecat.frames.frames import Frame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from telephony.commands import ClearTurn, HangUp, PauseTurn
from telephony.facts import (
    BriefingBuilt,
    Decision,
    DistressChanged,
    HandoffRequested,
    HandoffState,
    LegsBridged,
    Transcribed,
)
from telephony.messages import Stamped
from voice.conversation.call import Conversation
from voice.conversation.choices import Picked, decided
from voice.conversation.commands import Action, AnswerHuman, Choose, Emit, Say
from voice.conversation.patience import Expectation
from voice.engines.chooser import Chooser
from voice.pipeline.agent_audio import AgentAudio
from voice.pipeline.frames import Answer, Brief, Committed, Cut, EngineBroke, Expect, LegAudio, Likely, Prepare, Utter
from voice.pipeline.port import CallClock, CallPort
from voice.pipeline.stopwatch import Stopwatch

_SORRY = "I'm sorry, I can't hear you well enough to go on. I am bringing in a colleague."
_SORRY_WPM = 160.0


class DialogueProcessor(FrameProcessor):  # type: ignore[misc]
    """Conversation of one call. Its deadlines are call time, so the ticks of the call drive them, not a clock."""

    def __init__(
        self,
        *,
        conversation: Conversation,
        port: CallPort,
        clock: CallClock,
        agent: AgentAudio,
        stopwatch: Stopwatch,
        chooser: Chooser | None = None,
    ) -> None:
        super().__init__(name="dialogue", enable_direct_mode=True)
        self._conversation, self._port, self._clock = conversation, port, clock
        self._agent, self._stopwatch = agent, stopwatch
        self._chooser = chooser
        self._choosing: asyncio.Task[None] | None = None
        self._expectation = Expectation()
        self._broken = False
        self._level = "calm"
        self._briefing: BriefingBuilt | None = None
        """Of the call as another worker left it, while the human may yet have to hear it."""
        self._spoken_before_distress = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        match frame:
            case Committed(stamped=Stamped() as stamped):
                await self._distress(stamped)
                await self._carry_out(self._conversation.receive(stamped))
            case LegAudio():
                await self._tick()
            case Likely(heard=heard):
                await self.push_frame(Prepare(say=None if heard is None else self._rehearsed(heard)))
            case EngineBroke():
                await self._engine_broke(frame)
            case _:
                await self.push_frame(frame, direction)

    def restore(self, log: Sequence[Stamped]) -> None:
        """State of a call that another worker began: its facts, whose consequences have already happened."""
        for stamped in log:
            self._conversation.receive(stamped)
            match stamped.fact:
                case DistressChanged(level=level):
                    self._level = level
                case BriefingBuilt() as built:
                    self._briefing = built
                case LegsBridged() | HandoffState(state="IDLE"):
                    self._briefing = None

    async def resume(self, now_s: float) -> None:
        """Goes on in place of the first worker, whose briefing may be in the log while its sound never arrived."""
        if self._briefing is not None:
            await self.push_frame(Brief(text=self._briefing.text, fields=self._briefing.fields))
        await self._carry_out(self._conversation.resume(now_s))

    def close(self) -> None:
        """A choice that is no longer waited for."""
        if self._choosing is not None:
            self._choosing.cancel()

    def _rehearsed(self, heard: Transcribed) -> Say | None:
        """What would be said first, were these words committed now: the conversation is pure, a copy of it answers."""
        if self._broken:
            return None
        likely = Stamped(seq=0, t=self._clock.now_s(), fact=heard)
        answer = copy.deepcopy(self._conversation).receive(likely)
        return next((action for action in answer if isinstance(action, Say)), None)

    async def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Say():
                    self._stopwatch.decided(self._clock.now_s())
                    await self.push_frame(Utter(say=action))
                case Emit(fact=fact, decision=decision):
                    if isinstance(fact, DistressChanged):
                        self._spoken_before_distress = self._agent.last_turn
                    self._port.emit(fact, decision)
                    if isinstance(fact, BriefingBuilt):
                        await self.push_frame(Brief(text=fact.text, fields=fact.fields))
                case Choose():
                    self.close()
                    self._choosing = asyncio.get_running_loop().create_task(self._choose(action))
                case AnswerHuman(text=text):
                    await self.push_frame(Answer(text=text))
                case HangUp():
                    self._port.command(action)
        await self._expect()

    async def _choose(self, ask: Choose) -> None:
        picked = await self._chooser.choose(ask) if self._chooser is not None else Picked(failed="no model")
        made = decided(ask, picked)
        self._port.emit(made.fact, made.decision)

    async def _distress(self, stamped: Stamped) -> None:
        """A caller who becomes distressed while the agent explains something is not talked over."""
        if not isinstance(stamped.fact, DistressChanged):
            return
        rose = stamped.fact.level == "distress" and self._level != "distress"
        self._level = stamped.fact.level
        now = self._agent.current(self._clock.now_s())
        if rose and now is not None and not now.keep and now.turn <= self._spoken_before_distress:
            self._port.command(ClearTurn(turn=now.turn))
            self._port.command(PauseTurn(on=False))
            self._agent.cut(now.turn)
            await self.push_frame(Cut(turn=now.turn))

    async def _engine_broke(self, frame: EngineBroke) -> None:
        if self._broken:
            return
        self._broken = True
        decision = Decision(rule="engine failed", inputs={"engine": frame.engine, "why": frame.why})
        actions: list[Action] = [Emit(fact=HandoffRequested(reason="stuck"), decision=decision)]
        if frame.engine != "synthesis":
            actions.insert(0, Say(text=_SORRY, rate_wpm=_SORRY_WPM))
        await self._carry_out(actions)

    async def _expect(self) -> None:
        patience = self._conversation.patience()
        wanted = Expectation(
            expects=patience.expects, digits=patience.digits, factor=patience.factor, upset=patience.upset
        )
        if wanted != self._expectation:
            self._expectation = wanted
            await self.push_frame(Expect(expectation=wanted), FrameDirection.UPSTREAM)

    async def _tick(self) -> None:
        deadline_s = self._conversation.deadline_s()
        now_s = self._clock.now_s()
        if deadline_s is not None and now_s >= deadline_s:
            await self._carry_out(self._conversation.expire(now_s))
