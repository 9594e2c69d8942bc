"""Whether a briefing says only what the call's log bears out. Reads the spoken text, and trusts none of its evidence.

Every sentence must be of a known form, and what it states is looked up anew: names and numbers in the caller's own
words (normalised by Whisper's rules, not by ours), quotes word for word, the matter, the mood and the reason in the
facts, what was done in what the agent said. A sentence of no known form is unsupported.

Hears from: `voice.evaluation.briefings`. Tells: the same, a list of complaints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from telephony.facts import (
    BriefingBuilt,
    ConsentChanged,
    DistressChanged,
    EmotionScored,
    Fact,
    HandoffOffered,
    HandoffRequested,
    IntentRecognised,
    Said,
    Transcribed,
)
from voice.playbooks.schema import Intent, Playbook

_QUOTE = re.compile(r'"([^"]*)"')
_FOR_PERSON = "a person takes care of this"
_REASONS = {
    _FOR_PERSON: "stuck",
    "they want to talk to a person": "request",
    "possible danger to life": "crisis",
    "I could not help further": "stuck",
    "my system failed": "worker-lost",
    "distressed": "distress",
}
_HELD_S = 1.0
"""A piece of evidence may reach this far beyond the turn it stands for."""


@dataclass(slots=True, kw_only=True)
class Log:
    """What a listener to the whole call knows."""

    playbook: Playbook
    turns: list[Transcribed] = field(default_factory=list)
    agent: list[str] = field(default_factory=list)
    intent: Intent | None = None
    reason: str = ""
    level: str = ""
    voice_heard: bool = False
    analysed: bool = True

    @classmethod
    def read(cls, playbook: Playbook, facts: Sequence[Fact]) -> Log:
        log = cls(playbook=playbook)
        for fact in facts:
            match fact:
                case Transcribed(leg="caller", final=True):
                    log.turns.append(fact)
                case Said(leg="caller", text=text):
                    log.agent.append(text)
                case IntentRecognised(intent=name):
                    log.intent = playbook.intent(name)
                case HandoffOffered(reason=reason) | HandoffRequested(reason=reason):
                    log.reason = reason
                case DistressChanged(level=level):
                    log.level = level
                case EmotionScored(abstained=False):
                    log.voice_heard = True
                case ConsentChanged(purpose="emotion", allowed=False):
                    log.analysed = log.voice_heard = False
        return log


def unsupported(built: BriefingBuilt, playbook: Playbook, facts: Sequence[Fact]) -> list[str]:
    """One line for each statement that the log does not bear out; empty if all are supported."""
    log = Log.read(playbook, facts)
    text = built.text
    out = [f'quote "{q}"' for q in _QUOTE.findall(text) if not _said(q, log)]
    sentences = _QUOTE.sub('""', text).rstrip(".").split(". ")
    out += [s for s in sentences if not _holds(s, log)]
    return out + [f"evidence at {start:.1f} s" for start, end in _spans(built) if not _in_a_turn(start, end, log)]


def _holds(sentence: str, log: Log) -> bool:
    checks = (_is_who, _is_need, _is_done, _is_state, _is_next)
    return any(check(sentence, log) for check in checks)


def _is_who(sentence: str, log: Log) -> bool:
    known = sentence.removeprefix("The caller is ")
    name = known.removesuffix(", not verified")
    return known != sentence and (known == "not verified" or (name != known and _said(name, log)))


def _is_need(sentence: str, log: Log) -> bool:
    if sentence == "They have not said why":
        return log.intent is None
    if sentence == 'It is not clear why; they said ""':
        return log.intent is None and bool(log.turns)
    if log.intent is None or not sentence.startswith(f"It is about {log.intent.title}"):
        return False
    details = [d for d in sentence.removeprefix(f"It is about {log.intent.title}").split(", ") if d]
    return all(_is_detail(d, log) for d in details)


def _is_detail(detail: str, log: Log) -> bool:
    """A label of the matter's own details, and a value the caller gave."""
    labels = [log.playbook.slots[n].label for n in (log.intent.slots if log.intent else ())]
    starts = [f"{label} {verb} " for label in labels for verb in ("is", "are")]
    return any(detail.startswith(x) and _said(detail.removeprefix(x), log) for x in starts)


def _is_done(sentence: str, log: Log) -> bool:
    done = sentence.removeprefix("I ")
    if done == sentence:
        return False
    for intent in log.playbook.intents:
        told = {
            f"gave the answer on {intent.title}": (intent.answer, intent.answer_upset),
            f"searched for {intent.title}, found nothing": (intent.not_found,),
            f"offered {intent.title}, refused": (intent.action,),
        }
        if intent.followup is not None:
            told[intent.followup.note] = (intent.followup.done,)
        if done in told:
            return any(_agent_said(text, log) for text in told[done] if text)
    return any(
        done == f"answered from {a.source}" and _agent_said(a.answer, log) for a in log.playbook.articles.values()
    )


def _is_state(sentence: str, log: Log) -> bool:
    mood, _, why = sentence.partition("; ")
    for_person = log.intent is not None and log.intent.touchpoint.mode in ("human-led", "ai-gathers")
    if why and _REASONS.get(why) != log.reason or (why == _FOR_PERSON and not for_person):
        return False
    upset = log.level in ("attend", "distress")
    match mood.removesuffix(', said ""'):
        case "They are upset":
            return upset
        case "They sound calm":
            return not upset and log.voice_heard and log.analysed
        case "State unknown":
            return not upset and not (log.voice_heard and log.analysed)
    return False


def _is_next(sentence: str, log: Log) -> bool:
    """A request, not a statement: it must be the one for this call."""
    if log.reason == "crisis":
        return sentence == "Please stay with the caller, ask if they are safe"
    wanted = "ask what they need" if log.intent is None else log.intent.next_step
    return sentence == f"Please {wanted}"


def _said(words: str, log: Log) -> bool:
    """Whether the caller said this, in one turn by any reading on record; digits may have come in several turns."""
    wanted = _normal(words)
    if not wanted:
        return False
    turns = [_normal(reading) for t in log.turns for reading in (t.text, *t.alternatives)]
    if any(f" {wanted} " in f" {turn} " for turn in turns):
        return True
    digits = wanted.replace(" ", "")
    return digits.isdigit() and digits in "".join(re.sub(r"\D", "", turn) for turn in turns)


def _normal(text: str) -> str:
    from whisper_normalizer.english import EnglishTextNormalizer

    # Pauses between digits are no part of a number; "2 June" and "the second of June" are one date.
    plain = re.sub(r"(?<=[a-z])[,;](?= )", "", text.casefold())
    plain = str(EnglishTextNormalizer()(plain))
    return " ".join(re.sub(r"\b(\d+)(?:st|nd|rd|th)( of)?\b", r"\1", plain).split())


def _agent_said(template: str, log: Log) -> bool:
    """Whether the agent spoke a sentence of the playbook, whatever stood in its gaps."""
    pattern = re.compile(".+".join(re.escape(part) for part in re.split(r"\{\w+\}", template)))
    return any(pattern.search(text) for text in log.agent)


def _spans(built: BriefingBuilt) -> Iterator[tuple[float, float]]:
    for part in built.fields.values():
        for piece in part["evidence"] if part["evidence"] != "unknown" else ():
            yield float(piece["start"]), float(piece["end"])


def _in_a_turn(start: float, end: float, log: Log) -> bool:
    return any(t.start - _HELD_S <= start <= end <= t.end + _HELD_S for t in log.turns)
