"""From facts to what a page draws on the time axis: levels, states, speech, and markers. Pure.

Markers follow what contact-centre players mark: silence of 3 s and more, overlap of more than 1 s (MiiTel, Calabrio),
besides our own: barge-in, keys, opt-out, hold, lost audio, decisions and the steps of the handoff.

Hears from: `voice.store.calls`. Tells: `voice.qa`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voice.store.calls import CallRecord, Json

SILENCE_S = 3.0
OVERLAP_S = 1.0
BURST_S = 1.0
LOST_S = 0.2
"""Less is hidden by concealment and only hatched on the lane."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Something at a call time [s]. ``seq``: the fact it comes from, 0 if it was measured between facts."""

    kind: str
    start: float
    end: float
    label: str
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of call time with one name: a distress level or a state of the handoff."""

    start: float
    end: float
    name: str
    detail: str = ""
    seq: int = 0


def union(spans: Iterable[Span]) -> list[Span]:
    """Sorted, disjoint spans covering the same points."""
    out: list[Span] = []
    for start, end in sorted(s for s in spans if s[1] > s[0]):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def gaps(spans: Iterable[Span], within: Span) -> list[Span]:
    """Stretches of ``within`` that no span covers."""
    out, at = [], within[0]
    for start, end in union(spans):
        if min(start, within[1]) > at:
            out.append((at, min(start, within[1])))
        at = max(at, end)
        if at >= within[1]:
            return out
    return [*out, (at, within[1])] if at < within[1] else out


def intersection(a: Iterable[Span], b: Iterable[Span]) -> list[Span]:
    left, right = union(a), union(b)
    return [(max(x[0], y[0]), min(x[1], y[1])) for x in left for y in right if max(x[0], y[0]) < min(x[1], y[1])]


def speech_spans(call: CallRecord, leg: str) -> list[Span]:
    """When a party spoke: voice activity for caller and human, what was played for the agent."""
    if leg == "agent":
        return union((f["start"], f["end"]) for f in call.of("Said") if f.get("leg") == "caller")
    spans: list[Span] = [(f["start"], f["end"]) for f in call.of("Transcribed") if f.get("leg") == leg]
    since: float | None = None
    for f in call.of("SpeechStarted", "SpeechStopped"):
        if f.get("leg") != leg:
            continue
        if f["fact"] == "SpeechStarted":
            since = float(f["at"]) if since is None else since
        elif since is not None:
            spans.append((since, float(f["at"])))
            since = None
    if since is not None:
        spans.append((since, call.duration_s))
    return union(spans)


def level_bands(call: CallRecord) -> list[Band]:
    """Distress levels end to end. Until a window is scored the level is ``unknown``: not measured is not calm."""
    bands = [Band(start=0.0, end=0.0, name="unknown")]
    known_s = next((f["t"] for f in call.of("EmotionScored") if not f.get("abstained")), None)
    changes = call.of("DistressChanged")
    if known_s is not None and not (changes and changes[0]["t"] <= known_s):
        bands.append(Band(start=known_s, end=0.0, name="calm"))
    for f in call.of("DistressChanged"):
        bands.append(Band(start=f["t"], end=0.0, name=str(f["level"]), detail=f"{f['score']:.2f}", seq=f["seq"]))
    return _closed(bands, _scored_until(call))


def state_bands(call: CallRecord) -> list[Band]:
    """States of the handoff end to end; empty if there was none."""
    bands = [
        Band(
            start=f["t"],
            end=0.0,
            name=str(f["state"]),
            detail=" ".join(str(f.get(k) or "") for k in ("target", "reason", "outcome")).strip(),
            seq=f["seq"],
        )
        for f in call.of("HandoffState")
    ]
    return [b for b in _closed(bands, call.duration_s) if b.name != "IDLE"]


def hold_bands(call: CallRecord) -> list[Band]:
    """Between hold and resume by the far party, and while the caller hears our hold sound."""
    bands: list[Band] = []
    since: dict[str, Json] = {}
    for f in call.of("HoldChanged"):
        if f["on"]:
            since.setdefault(f["leg"], f)
        elif f["leg"] in since:
            on = since.pop(f["leg"])
            bands.append(Band(start=on["t"], end=f["t"], name="hold", detail=f["leg"], seq=on["seq"]))
    bands += [
        Band(start=f["t"], end=call.duration_s, name="hold", detail=leg, seq=f["seq"]) for leg, f in since.items()
    ]
    waiting = ("HOLDING", "DIALLING", "ANSWERED", "SCREENING", "BRIEFING", "DECIDING", "BRIDGING")
    waits = [b for b in state_bands(call) if b.name in waiting]
    bands += [
        Band(start=a, end=b, name="hold", detail="caller waits") for a, b in union((w.start, w.end) for w in waits)
    ]
    return bands


def markers(call: CallRecord) -> list[Marker]:
    """Everything a reviewer may want to jump to, in order of time."""
    out = [*_measured_markers(call), *(m for f in call.facts if (m := _fact_marker(f)))]
    why = {d.get("fact_seq"): str(d.get("rule", "")) for d in call.decisions}
    marked = {m.seq for m in out}
    for f in call.facts:
        if f["seq"] in why and f["seq"] not in marked:
            out.append(
                Marker(kind="decision", start=f["t"], end=f["t"], label=why[f["seq"]] or f["fact"], seq=f["seq"])
            )
    return sorted(_redactions_joined(out), key=lambda m: (m.start, m.seq))


def _measured_markers(call: CallRecord) -> Iterable[Marker]:
    caller, human, agent = (speech_spans(call, leg) for leg in ("caller", "human", "agent"))
    held = [(b.start, b.end) for b in hold_bands(call)]
    # nobody listens for words after the bridge: the record knows neither silence nor overlap there
    for start, end in gaps([*caller, *human, *agent, *held], (0.0, _scored_until(call))):
        if end - start >= SILENCE_S:
            yield Marker(kind="silence", start=start, end=end, label=f"{end - start:.1f} s silence")
    for start, end in intersection(caller, agent):
        if end - start > OVERLAP_S:
            yield Marker(kind="overlap", start=start, end=end, label=f"{end - start:.1f} s of overlap")
    yield from _losses(call)


def _redactions_joined(marked: Sequence[Marker]) -> Iterable[Marker]:
    """Erased facts lie a second apart; a run of them is one erasure."""
    run: list[Marker] = []
    for m in sorted(marked, key=lambda m: (m.kind != "redaction", m.start)):
        if m.kind != "redaction":
            yield m
        elif run and m.start - run[-1].start > SILENCE_S:
            yield _redaction(run)
            run = [m]
        else:
            run.append(m)
    if run:
        yield _redaction(run)


def _redaction(run: Sequence[Marker]) -> Marker:
    label = run[0].label if len(run) == 1 else f"{len(run)} measurements erased on the caller's word"
    return Marker(kind="redaction", start=run[0].start, end=run[-1].end, label=label, seq=run[0].seq)


def _losses(call: CallRecord) -> Iterable[Marker]:
    """Lost audio, bursts of one leg as one marker: a bad second of Wi-Fi is one event to a listener, not forty."""
    for leg in ("caller", "human"):
        lost = [f for f in call.of("AudioLost") if f["leg"] == leg]
        at = 0
        while at < len(lost):
            upto = at + 1
            while upto < len(lost) and lost[upto]["start"] - lost[upto - 1]["end"] <= BURST_S:
                upto += 1
            burst = lost[at:upto]
            total = sum(f["end"] - f["start"] for f in burst)
            at = upto
            if total < LOST_S:
                continue
            label = f"{total:.2f} s of {leg} audio lost" + (f" in {len(burst)} pieces" if len(burst) > 1 else "")
            yield Marker(kind="lost", start=burst[0]["start"], end=burst[-1]["end"], label=label, seq=burst[0]["seq"])


def _fact_marker(f: Json) -> Marker | None:
    kind, label, start, end = _described(f)
    return Marker(kind=kind, start=start, end=end, label=label, seq=f["seq"]) if kind else None


def _described(f: Json) -> tuple[str, str, float, float]:
    t = f["t"]
    match f["fact"]:
        case "DistressChanged":
            return "distress", f"{f['level']} ({f['score']:.2f})", t, t
        case "BargedIn":
            return "barge-in", f"barge-in, silent after {f['stopped_after_ms']:.0f} ms", t, t
        case "KeyPressed":
            return "key", f"key {f['key']} ({f['leg']})", t, t
        case "ConsentChanged":
            verb = "allowed" if f["allowed"] else "refused"
            return "opt-out", f"{f['purpose']} {verb}", t, t
        case "KeypadChanged" if f["on"] and f.get("secret"):
            return "opt-out", "payment card typed: nothing recorded or heard", t, t
        case "CardTyped":
            return "opt-out", f"card ending in {f['last4']}" if f["valid"] else "no valid card", t, t
        case "HoldChanged":
            return "hold", f"{f['leg']} {'held' if f['on'] else 'resumed'}", t, t
        case "HandoffOffered" | "HandoffRequested":
            return "handoff", f"{'offered' if f['fact'] == 'HandoffOffered' else 'requested'}: {f['reason']}", t, t
        case "HandoffAnswered":
            return "handoff", "caller accepts" if f["accepted"] else "caller declines", t, t
        case "HandoffState":
            return "handoff", " ".join(filter(None, (f["state"], f.get("outcome")))), t, t
        case "LegsBridged":
            return "handoff", "caller and human joined", t, t
        case "WorkerLost":
            return "worker", f"worker lost: {f['cause']}", t, t
        case "HandoffQueued":
            return "handoff", f"in line for a human, place {f['place']}", t, t
        case "CallbackPlaced":
            return "handoff", f"call back promised in {f['first_call']}", t, t
        case "CallbackTicketed":
            return "handoff", "callback promised", t, t
        case "Erased":
            return "redaction", f"erased on the caller's word: {f['was']}", t, t
        case "CallEnded":
            return "ended", f"ended: {f['ending']}", t, t
        case _:
            return "", "", t, t


def _scored_until(call: CallRecord) -> float:
    """Nothing is scored after the bridge: levels end there."""
    bridged = call.first("LegsBridged")
    return float(bridged["t"]) if bridged else call.duration_s


def _closed(bands: Sequence[Band], end: float) -> list[Band]:
    ends = [*(b.start for b in bands[1:]), end]
    return [
        Band(start=b.start, end=stop, name=b.name, detail=b.detail, seq=b.seq)
        for b, stop in zip(bands, ends, strict=False)
        if stop > b.start
    ]
