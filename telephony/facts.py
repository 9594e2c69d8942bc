"""Every fact of a call: what happened, in the past tense; together they make up ``facts.jsonl``.

The gateway is the only one that commits facts: it stamps ``seq`` and ``t`` and then shows each committed
fact to everybody who decides (its own transfer table and watchdog, and the attached worker). A decision
therefore never rests on something that is not on disk, and a second worker takes a call over by receiving
the same facts again.

Hears from: nobody. Tells: everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Leg = Literal["caller", "human", "agent"]
Level = Literal["calm", "attend", "distress"]
Ending = Literal["resolved", "with-human", "told-and-callback", "caller-left", "interrupted"]
Outcome = Literal[
    "accepted", "declined", "busy", "no-answer", "unreachable", "machine", "human-dropped", "caller-left",
    "caller-withdrew", "cancelled-by-worker-loss", "nobody",
]  # fmt: skip
State = Literal[
    "IDLE", "OFFERED", "HOLDING", "DIALLING", "ANSWERED", "SCREENING", "BRIEFING", "DECIDING",
    "BRIDGING", "BRIDGED", "RELEASED", "FAILED",
]  # fmt: skip
LeadMode = Literal["human-led", "ai-led", "tag-team", "ai-gathers"]
Refused = Literal["", "noise", "unsure"]
Reason = Literal["distress", "request", "crisis", "stuck", "worker-lost"]

ENDINGS: tuple[str, ...] = get_args(Ending)
LEVELS: tuple[Level, ...] = get_args(Level)
OUTCOMES: tuple[str, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened in a call. A trailing underscore of a field name is not written to JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """One reason a person can check: what was measured or said, when, and against which reference."""

    kind: Literal["voice", "words", "dialogue", "key"]
    start: float
    end: float
    name: str
    value: float | str
    unit: str = ""
    reference: float | str | None = None
    weight: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Why a fact came about: written to ``decisions.jsonl`` with the ``seq`` of that fact, hash-chained."""

    rule: str
    inputs: dict[str, Any]
    threshold: float | None = None
    versions: dict[str, str] = field(default_factory=dict)


# --- the call -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(Fact):
    """The caller's INVITE was answered; call time starts. ``at``: wall clock, RFC 3339, the only one."""

    from_: str
    to: str
    codec: str
    at: str
    call_id: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    """Of the program and models, and ``record``/``transcribe``/``analyse_emotion``/``remember`` as "on"/"off"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Fact):
    cause: str
    ending: Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed(Fact):
    """The caller has heard (or cut by a key) that this is a machine, what is recorded and analysed."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed(Fact):
    """``key``: as pressed, or ``x`` for a digit of a payment card."""

    leg: Leg
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeypadChanged(Fact):
    """From here the caller's digits are a number typed for ``slot``; with ``on`` false they are commands again.

    ``secret``: a payment card. Until it ends the caller's sound and keys are neither recorded, heard, nor passed on.
    """

    on: bool
    slot: str = ""
    shortest: int = 1
    longest: int = 20
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTyped(Fact):
    """A payment card was typed; ``valid``: it has 13 to 19 digits and the right check digit. No other digits exist."""

    slot: str
    valid: bool
    start: float
    end: float
    last4: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChanged(Fact):
    """The far party put us on hold or resumed, by re-INVITE."""

    leg: Leg
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioLost(Fact):
    """Received audio was missing and concealed between two call times."""

    leg: Leg
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChanged(Fact):
    """What may be done with the call, as of now: the caller's own word, or a recorder that failed."""

    purpose: Literal["emotion", "recording", "transcription", "memory"]
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerVerified(Fact):
    """The caller gave what only the owner of ``identity`` gives; ``by``: the details that matched its record."""

    identity: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterRecalled(Fact):
    """What an earlier call of the verified caller left, with the consent given then. Nothing about a mood."""

    matter: str
    promise: str
    days: int
    rate_wpm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MatterRemembered(Fact):
    """What is kept for the caller's next call, with the consent just given, for ``privacy.remember_days``."""

    identity: str
    matter: str
    promise: str
    rate_wpm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentTold(Fact):
    """The caller is told of an active incident that concerns them (``agent.incidents``), by its name there."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Fact):
    """In place of a fact the caller had erased: its ``seq`` and ``t`` stay, its content is gone. ``was``: its name."""

    was: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerAttached(Fact):
    worker: str
    resumed: bool = False
    models: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost(Fact):
    worker: str
    cause: str


# --- heard --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted(Fact):
    """Voice activity began at call time ``at`` [s]."""

    leg: Leg
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStopped(Fact):
    leg: Leg
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcribed(Fact):
    """One turn of speech as words. ``words``: (start, end, word), call time. ``alternatives``: what a doubtful
    turn may have been instead, likeliest first; what rests on one is confirmed with the caller. ``refused``: why a turn
    has no text although somebody spoke, "noise" or "unsure"; "" where its words stand.
    """

    leg: Leg
    start: float
    end: float
    text: str
    final: bool = True
    log_prob: float | None = None
    no_speech: float | None = None
    words: tuple[tuple[float, float, str], ...] = ()
    alternatives: tuple[str, ...] = ()
    refused: Refused = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProsodyMeasured(Fact):
    """How it was said: one scored window of the caller's speech. A value that cannot be measured is null."""

    start: float
    end: float
    f0_hz: float | None
    f0_range_st: float | None
    loudness_db: float | None
    rate_syl_s: float | None
    pause_ratio: float | None
    jitter_ratio: float | None
    shimmer_db: float | None
    hnr_db: float | None
    snr_db: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmotionScored(Fact):
    """Scores are null when ``abstained``; ``reason`` then says why. Unknown is never calm."""

    start: float
    end: float
    arousal: float | None
    p_distress: float | None
    classes: dict[str, float] = field(default_factory=dict)
    abstained: bool = False
    reason: str = ""
    model: str = ""
    p_low: float | None = None
    """95 % interval of ``p_distress`` as the model's calibration states it; null where its card states none."""
    p_high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DistressChanged(Fact):
    """Level of the caller's distress, after voice, words and dialogue. ``because`` is never empty."""

    level: Level
    score: float
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRecognised(Fact):
    intent: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChanged(Fact):
    """Who leads the call, and the tracks (0–1) this rests on; its decision has the rule ``mode``."""

    mode: LeadMode
    frustration: float
    uncertainty: float
    urgency: float
    own_uncertainty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFilled(Fact):
    """A detail of the caller's matter, tied to the span of speech (or key) that said it."""

    name: str
    value: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Fact):
    """What a language model took a turn for that the playbook did not recognise: an item of the list it was given.

    ``kind``: matter, article, person; empty = none. ``refused``: what kept its answer from being a choice. What follows
    is the conversation's decision: see the sentences and facts after it.
    """

    kind: Literal["matter", "article", "person", ""]
    name: str
    start: float
    end: float
    refused: str = ""


# --- said ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Fact):
    """Played to a leg. ``text`` is what was heard when the turn was cut. ``prompt``: name, if prerecorded."""

    leg: Leg
    start: float
    end: float
    text: str
    rate_wpm: float = 0.0
    turn: int = 0
    prompt: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded(Fact):
    """Whose words a turn is made of, where a language model was asked to reword it.

    ``sentences`` of it are the model's; ``why`` the rest is not: what the guard objected to, ``late``, or an error.
    """

    turn: int
    sentences: int
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BargedIn(Fact):
    heard_text: str
    stopped_after_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTimed(Fact):
    """Stage budget of one turn [ms], from the end of the caller's speech. The stages add up to ``total_ms``.

    ``rule``: what the wait for the end of the turn went by. ``ready``: the first words were made before they were due.
    """

    turn: int
    stages_ms: dict[str, float]
    total_ms: float
    rule: str = ""
    ready: bool = False


# --- handed over --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffOffered(Fact):
    """The agent asked the caller whether a human may be brought in."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffAnswered(Fact):
    """The caller answered the offer."""

    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRequested(Fact):
    """A human is due now, without asking: the caller's own request, a crisis, a lost worker."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerWithdrew(Fact):
    """The caller on hold said "never mind": back to the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentHeard(Fact):
    """What the human's words meant. Words only: nothing of the human's voice is measured."""

    intent: Literal["accept", "decline", "repeat", "other"]
    text: str
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefingBuilt(Fact):
    """The summary for the human: fields with their evidence, and the spoken text."""

    text: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffState(Fact):
    state: State
    target: str = ""
    reason: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffQueued(Fact):
    """Every human who would do is with another caller. ``place`` in line; 1 = next."""

    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LegsBridged(Fact):
    human: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackPlaced(Fact):
    """This call keeps the promise ``ref`` of call ``first_call``. Its `CallAnswered` is the human's; the caller is rung
    when the human agrees.
    """

    ref: str
    first_call: str
    number: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackTicketed(Fact):
    """A promise to call back is on disk. ``number``: whom to call, from the SIP From."""

    ref: str
    number: str
    window: str
