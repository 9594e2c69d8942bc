"""``warmline eval dialogue``: scripted calls through the live conversation, as text and as speech over a phone line.

``seen`` scripts were there while rules were worked on, ``unseen`` ones were written before any was run and never
used for it. The calls are spoken by voices that are understood as people are, then by those that are understood worst
(`voice.evaluation.callers`), through G.711 with 1 % loss, clean and at 10 dB. Last comes the agent's own speech at
every pace (`voice.evaluation.pace`).

Hears from: `voice.evaluation.scripted`, `voice.evaluation.spoken`. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

from collections.abc import Sequence

from prosody.evaluation import Figure
from voice.conversation.intents import vocabulary
from voice.engines.pool import EnginePool
from voice.engines.transcription import load_transcriber
from voice.evaluation import callers, pace
from voice.evaluation.scripted import Outcome, run
from voice.evaluation.scripts import Script, same, scripts
from voice.evaluation.spoken import VOICES, WORST, PhoneLine, voice_of
from voice.playbooks import load

SETS = ("seen", "unseen")
LOSS = 0.01


def figures(seed: int, *, spoken: bool = True) -> list[Figure]:
    """All figures; ``spoken=False``: those from text alone."""
    by_set = {name: scripts([name]) for name in SETS}
    text = {name: [run(s) for s in calls] for name, calls in by_set.items()}
    both = [o for name in SETS for o in text[name]]
    out = [
        share("slots_right_text", slot_marks(both), at_least=0.95),
        share("slots_right_text_unseen", slot_marks(text["unseen"]), at_least=0.95),
        share("intent_right_text", [o.script.intent in o.intents for o in both if o.script.intent]),
        share("intent_right_text_unseen", [o.script.intent in o.intents for o in text["unseen"] if o.script.intent]),
        share("mode_right", [o.mode == o.script.mode for o in both if o.script.mode]),
        share("ending_right", [o.ending == o.script.ending for o in both]),
        share("ending_right_unseen", [o.ending == o.script.ending for o in text["unseen"]]),
        share("handoff_within_one_turn", asked(both), at_least=1.0),
        count("calm_handed_off", against_will(both), len(calm(both))),
        share("disclosure_first", [not o.spoke_before_disclosure for o in both], at_least=1.0),
    ]
    out += by_group("text", both)
    return out + ([*_spoken(by_set, seed), *pace.figures()] if spoken else [])


def _spoken(by_set: dict[str, list[Script]], seed: int) -> list[Figure]:
    sample = [s for name in SETS for s in by_set[name]]
    engines = {n: load_transcriber("default", EnginePool(1), vocabulary(load(n))) for n in {s.playbook for s in sample}}

    def call(n: int, voices: Sequence[str], snr_db: float | None) -> Outcome:
        script = sample[n]
        line = PhoneLine(
            engine=engines[script.playbook], voice=voice_of(n, voices), snr_db=snr_db, loss=LOSS, seed=1000 * (seed + n)
        )
        return run(script, line.hear)

    out = callers.figures(LOSS)
    for noise, snr_db, target in (("clean", None, 0.95), ("10db", 10.0, 0.88)):
        done = [call(n, VOICES, snr_db) for n in range(len(sample))]
        first_unseen = len(by_set["seen"])
        for part, calls in (("", done), ("_seen", done[:first_unseen]), ("_unseen", done[first_unseen:])):
            out += _results(f"{noise}{part}", calls, target)
        worst = [call(n, WORST, snr_db) for n in range(len(sample))]
        out += [*by_group(noise, done), *_results(f"{noise}_worst_voices", worst, None)]
    return out


def _results(name: str, done: Sequence[Outcome], target: float | None) -> list[Figure]:
    person = None if target is None else 1.0
    return [
        share(f"slots_right_{name}", slot_marks(done), at_least=target),
        share(f"slots_right_by_voice_{name}", slot_marks(done, typed=False)),
        share(f"intent_right_{name}", intent_marks(done)),
        share(f"ending_right_{name}", [o.ending == o.script.ending for o in done]),
        share(f"handoff_within_one_turn_{name}", asked(done), at_least=person),
        share(f"handoff_after_one_question_{name}", asked(done, question=True), at_least=person),
        count(f"calm_handed_off_{name}", against_will(done), len(calm(done))),
        count(f"calm_asked_if_safe_{name}", sum(o.asked_if_safe for o in calm(done)), len(calm(done)), most=None),
    ]


def by_group(noise: str, done: Sequence[Outcome]) -> list[Figure]:
    """The right ending for each mood, the matter recognised for each intent."""
    moods = sorted({o.script.mood for o in done})
    intents = sorted({o.script.intent for o in done} - {""})
    out = [
        share(f"ending_right_{m}_{noise}", [o.ending == o.script.ending for o in done if o.script.mood == m])
        for m in moods
    ]
    return out + [
        share(f"intent/{i}_{noise}", intent_marks([o for o in done if o.script.intent == i])) for i in intents
    ]


def intent_marks(done: Sequence[Outcome]) -> list[bool]:
    return [o.script.intent in o.intents for o in done if o.script.intent]


def slot_marks(done: Sequence[Outcome], *, typed: bool = True) -> list[bool]:
    """One mark for each detail a script expects; ``typed``: those that came by keypad in the end count as right."""
    return [
        name in o.slots and same(o.slots[name], value) and (typed or name not in o.typed)
        for o in done
        for name, value in o.script.slots.items()
    ]


def asked(done: Sequence[Outcome], *, question: bool = False) -> list[bool]:
    """Who asked for a person got one in that turn; ``question``: or after the one question that answered it."""
    return [
        o.person_in_turn is True or (question and o.person_after_question is True)
        for o in done
        if o.person_in_turn is not None
    ]


def calm(done: Sequence[Outcome]) -> list[Outcome]:
    """Calm callers who neither asked for a person nor would accept one."""
    return [o for o in done if o.script.mood == "calm" and not o.script.interrupt and not o.script.accept]


def against_will(done: Sequence[Outcome]) -> int:
    return sum(o.handed_over for o in calm(done))


def share(name: str, marks: Sequence[bool], *, at_least: float | None = None) -> Figure:
    """A share with its Wilson interval (95 %)."""
    n = len(marks)
    value = sum(marks) / n if n else None
    interval = None
    if value is not None:
        z2 = 1.96**2
        middle, half = value + z2 / (2 * n), 1.96 * (value * (1 - value) / n + z2 / (4 * n * n)) ** 0.5
        interval = (max(0.0, (middle - half) / (1 + z2 / n)), min(1.0, (middle + half) / (1 + z2 / n)))
    met = None if at_least is None else value is not None and value >= at_least
    target = None if at_least is None else f">= {at_least:g}"
    return Figure(name=name, value=value, unit="ratio", interval=interval, n=n, target=target, met=met)


def count(name: str, value: int, n: int, *, most: int | None = 0) -> Figure:
    target, met = (None, None) if most is None else (f"<= {most}", value <= most)
    return Figure(name=name, value=float(value), unit="calls", interval=None, n=n, target=target, met=met)
