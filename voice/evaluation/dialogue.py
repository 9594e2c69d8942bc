"""``warmline eval dialogue``: scripted calls through the live conversation, as text and as speech over a phone line.

``seen`` scripts were there while rules were worked on, ``unseen`` ones were written after and never used for it. The
calls are spoken in voices that are not the agent's, through G.711 with 1 % loss, clean and at 10 dB. Last comes the
agent's own speech at every pace (`voice.evaluation.pace`).

Hears from: `voice.evaluation.scripted`, `voice.evaluation.spoken`. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

from collections.abc import Sequence

from prosody.evaluation import Figure
from voice.conversation.intents import vocabulary
from voice.engines.pool import EnginePool
from voice.engines.transcription import load_transcriber
from voice.evaluation import pace
from voice.evaluation.scripted import Outcome, Script, run, same, scripts
from voice.evaluation.spoken import PhoneLine, voice_of
from voice.playbooks import load

SETS = ("seen", "unseen")
_LOSS = 0.01


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
    out = []
    for noise, snr_db, target in (("clean", None, 0.95), ("10db", 10.0, 0.88)):
        done = []
        for n, script in enumerate(sample):
            line = PhoneLine(
                engine=engines[script.playbook], voice=voice_of(n), snr_db=snr_db, loss=_LOSS, seed=1000 * (seed + n)
            )  # fmt: skip
            done.append(run(script, line.hear))
        unseen = done[len(by_set["seen"]) :]
        out += [
            share(f"slots_right_{noise}", slot_marks(done), at_least=target),
            share(f"slots_right_{noise}_unseen", slot_marks(unseen), at_least=target),
            share(f"intent_right_{noise}", intent_marks(done)),
            share(f"ending_right_{noise}", [o.ending == o.script.ending for o in done]),
            share(f"handoff_within_one_turn_{noise}", asked(done), at_least=1.0),
            share(f"handoff_after_one_question_{noise}", asked(done, question=True), at_least=1.0),
            count(f"calm_handed_off_{noise}", against_will(done), len(calm(done))),
            *by_group(noise, done),
        ]
    return out


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


def slot_marks(done: Sequence[Outcome]) -> list[bool]:
    """One mark for each detail a script expects."""
    return [
        name in o.slots and same(o.slots[name], value) for o in done for name, value in o.script.slots.items()
    ]  # fmt: skip


def asked(done: Sequence[Outcome], *, question: bool = False) -> list[bool]:
    """Who asked for a person got one in that turn; ``question``: or after the one question that answered it."""
    return [
        o.person_in_turn is True or (question and o.person_after_question is True) for o in done if o.script.interrupt
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


def count(name: str, value: int, n: int) -> Figure:
    return Figure(name=name, value=float(value), unit="calls", interval=None, n=n, target="<= 0", met=value == 0)
