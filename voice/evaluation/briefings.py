"""``warmline eval handoff --briefings``: what a human is told of scripted calls that end with one. No phone, no clock.

The calls of ``dialogues/briefings.toml`` go through the live conversation twice: as text, and spoken over a phone line
(other voices than the agent's, G.711, 1 % loss). Each briefing is held against the call's own log
(`voice.evaluation.briefing_check`), spoken as live, and heard again by the recogniser over G.711.

Hears from: `voice.evaluation.scripted`. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from prosody.evaluation.figure import Figure, figure
from telephony.facts import BriefingBuilt
from voice.engines.levels import RATE_HZ
from voice.engines.phrases import PhraseCache
from voice.engines.piper import PiperVoice, default_voice
from voice.engines.pool import EnginePool
from voice.engines.synthesis import PiperSynthesizer
from voice.engines.transcription import WhisperTranscriber, load_transcriber
from voice.evaluation.briefing_check import unsupported
from voice.evaluation.scripted import Outcome, run
from voice.evaluation.scripts import same, scripts
from voice.evaluation.spoken import PhoneLine, voice_of
from voice.evaluation.transcription import phone_band, word_errors
from voice.pipeline.speaking import BRIEFING_FASTEST_WPM, BRIEFING_MOST_S, BRIEFING_WPM
from voice.playbooks import load

CALLS = "briefings"
_LOSS = 0.01
_TARGET_S, _CAP_S = 10.0, 15.0


def figures(seed: int) -> tuple[list[Figure], str]:
    """The figures, and a table of the calls whose briefing is not right."""
    pool = EnginePool(1)
    engine = load_transcriber("default", pool)
    text = [run(s) for s in scripts([CALLS])]
    lines = [
        PhoneLine(engine=engine, voice=voice_of(n), snr_db=None, loss=_LOSS, seed=1000 * (seed + n))
        for n in range(len(text))
    ]
    spoken = [run(o.script, line.hear) for o, line in zip(text, lines, strict=True)]
    rows = [_share("briefings_made", [o.briefing is not None for o in text])]
    for suffix, done, target in (("", text, ">= 0.95"), ("_by_phone", spoken, None)):
        rows += [
            _share(f"slots_right{suffix}", slot_marks(done), target),
            _share(f"matter_right{suffix}", [_matter(o) == (o.script.intent or "unknown") for o in done]),
            _share(f"reason_right{suffix}", [_part(o, "state").get("reason") == o.script.reason for o in done]),
            figure(f"unsupported_statements{suffix}", sum(len(faults(o)) for o in done), n=len(done), target="<= 0"),
        ]
    said = [o.briefing for o in text if o.briefing is not None]
    return rows + _spoken(said, engine, pool), _table(text, spoken)


def slot_marks(done: Sequence[Outcome]) -> list[bool]:
    """One mark for each detail that the fields should hold, and a bad one for each that they should not."""
    marks = []
    for o in done:
        told, wanted = details(o.briefing), o.script.slots
        marks += [name in told and same(told[name], value) for name, value in wanted.items()]
        marks += [False for name in told if name not in wanted]
    return marks


def details(built: BriefingBuilt | None) -> dict[str, str]:
    """Every detail in a briefing's fields, by the slot's name."""
    if built is None:
        return {}
    who, need = built.fields["who"], built.fields["need"]
    name = {} if who["name"] == "unknown" else {"customer_name": str(who["name"])}
    return {**need.get("slots", {}), **name}


def faults(o: Outcome) -> list[str]:
    """What a briefing says without support; a call without one says nothing."""
    return [] if o.briefing is None else unsupported(o.briefing, load(o.script.playbook), o.facts)


def _part(o: Outcome, name: str) -> dict[str, str]:
    return {} if o.briefing is None else dict(o.briefing.fields[name])


def _matter(o: Outcome) -> str:
    return _part(o, "need").get("intent", "")


def _spoken(said: Sequence[BriefingBuilt], engine: WhisperTranscriber, pool: EnginePool) -> list[Figure]:
    """How long they take to say, and how much of them is understood."""
    sounds = asyncio.run(_render([b.text for b in said], pool))
    lengths_s = [len(s) / RATE_HZ for s in sounds]
    heard = [engine.recognise(phone_band(s, RATE_HZ)).text for s in sounds]
    rate, interval = word_errors([(b.text, h) for b, h in zip(said, heard, strict=True)])
    n = len(said)
    return [
        figure("briefing_s_p50", float(np.median(lengths_s)), unit="s", n=n, target=f"<= {_TARGET_S:g}", digits=2),
        figure("briefing_s_max", max(lengths_s), unit="s", n=n, target=f"<= {_CAP_S:g}", digits=2),
        figure("briefing_wer_g711", rate, unit="ratio", interval=interval, n=n, target="<= 0.05"),
    ]


async def _render(texts: Sequence[str], pool: EnginePool) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    """As the live worker speaks them."""
    with tempfile.TemporaryDirectory() as folder:
        voice = PiperSynthesizer(PiperVoice(default_voice()), pool, PhraseCache(Path(folder)))
        out = []
        for text in texts:
            pcm = await voice.render_within(
                text, BRIEFING_WPM, most_s=BRIEFING_MOST_S, fastest_wpm=BRIEFING_FASTEST_WPM
            )
            out.append(np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768))
    return out


def _table(text: Sequence[Outcome], spoken: Sequence[Outcome]) -> str:
    lines = ["| call | heard as | briefing | expected | unsupported |", "|---|---|---|---|---|"]
    for how, done in (("text", text), ("phone", spoken)):
        for o in done:
            wrong = not all(slot_marks([o])) or _matter(o) != (o.script.intent or "unknown")
            if wrong or faults(o):
                said = o.briefing.text if o.briefing else "none"
                wanted = ", ".join([o.script.intent, *(f"{k} {v}" for k, v in o.script.slots.items())])
                lines.append(f"| {o.script.name} | {how} | {said} | {wanted} | {'; '.join(faults(o))} |")
    return "\n".join(lines)


def _share(name: str, marks: Sequence[bool], target: str | None = None) -> Figure:
    value = sum(marks) / len(marks) if marks else float("nan")
    return figure(name, value, unit="ratio", n=len(marks), target=target)
