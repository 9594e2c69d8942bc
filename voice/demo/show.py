"""Prints a call as it happens: who said what, levels with their reasons, decisions, states of the handoff.

Hears from: facts. Tells: the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from voice.demo.verdict import Figures

Json = Mapping[str, Any]

STATES = {
    "OFFERED": "a colleague was offered, waiting for the caller's answer",
    "HOLDING": "the caller is on hold",
    "DIALLING": "ringing {target}",
    "ANSWERED": "{target} answered",
    "SCREENING": "asking {target} whether to hear about a caller; nothing personal yet",
    "BRIEFING": "speaking the summary to {target} alone",
    "DECIDING": "waiting for {target} to take the call",
    "BRIDGING": "joining the two",
    "BRIDGED": "caller and {target} hear each other",
    "RELEASED": "the agent has left",
    "FAILED": "{target}: {outcome}",
    "IDLE": "back with the agent",
}
_LEVEL_STYLE = {"calm": "green", "attend": "yellow", "distress": "bold red"}
_NAMES = {
    "p_distress": "voice sounds distressed",
    "f0_hz": "pitch",
    "loudness_db": "loudness",
    "rate_syl_s": "speaking rate",
    "pause_ratio": "pauses",
}


def reason(because: Json) -> str:
    """One reason in plain words: what, how much, against what, when."""
    value = because["value"]
    amount = f"{value:.2f}" if isinstance(value, float) else f"“{value}”"
    unit = f" {because['unit']}" if because.get("unit") else ""
    name = _NAMES.get(because["name"], because["name"].replace("_", " "))
    text = f"{because['kind']}: {name} {amount}{unit}"
    if because.get("reference") is not None:
        reference = because["reference"]
        text += f" (reference {reference:.2f})" if isinstance(reference, float) else f" (reference {reference})"
    return f"{text}, {because['start']:.1f}-{because['end']:.1f} s"


class Display:
    """One line a fact worth seeing; measurements are summed up beside the caller's words."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._scores: list[float] = []
        self._abstained = 0

    def note(self, text: str) -> None:
        self._console.print(f"[dim]· {escape(text)}[/]")

    def line(self, t: float | None, who: str, text: str, style: str = "") -> None:
        tenths = round(10 * t) if t is not None else 0
        clock = f"{tenths // 600}:{tenths % 600 / 10:04.1f}" if t is not None else ""
        body = f"[{style}]{escape(text)}[/]" if style else escape(text)
        self._console.print(f"[dim]{clock:>7}[/]  [bold]{who:<9}[/] {body}", highlight=False)

    def fact(self, fact: Json) -> None:
        t = fact["t"]
        match fact["fact"]:
            case "Said":
                # Hold sentences and the briefing differ by whom they were said to, and that is the point.
                to = "" if fact["leg"] == "caller" else " (to the human alone)"
                self.line(t, "agent", fact["text"] + (" …" if fact.get("cut") else "") + to, "cyan")
            case "Transcribed" if fact.get("final", True):
                who = "caller" if fact["leg"] == "caller" else "human"
                self.line(t, who, f"“{fact['text']}”{self._voice() if who == 'caller' else ''}")
            case "EmotionScored":
                self._scores += [] if fact["abstained"] else [fact["p_distress"]]
                self._abstained += bool(fact["abstained"])
            case "DistressChanged":
                self.line(t, "level", f"{fact['level']} ({fact['score']:.2f})", _LEVEL_STYLE[fact["level"]])
                for because in fact["because"]:
                    self.line(None, "", f"because {reason(because)}", "dim")
            case "HandoffState":
                text = STATES[fact["state"]].format(
                    target=fact.get("target") or "the human", outcome=fact.get("outcome") or "failed"
                )
                self.line(t, "handoff", text, "magenta")
            case _:
                self._rest(fact)

    def _rest(self, fact: Json) -> None:
        t = fact["t"]
        match fact["fact"]:
            case "CallAnswered":
                self.line(t, "phone", f"answered, from {fact['from']}, {fact['codec']}")
            case "KeyPressed":
                self.line(t, fact["leg"], f"presses {fact['key']}")
            case "HandoffOffered" | "HandoffRequested":
                due = "offered" if fact["fact"] == "HandoffOffered" else "due"
                self.line(t, "decision", f"a human is {due}: {fact['reason']}", "magenta")
            case "HandoffAnswered":
                self.line(t, "caller", "accepts a colleague" if fact["accepted"] else "declines a colleague")
            case "BargedIn":
                self.line(t, "caller", f"interrupts; the agent stopped after {fact['stopped_after_ms']:.0f} ms")
            case "ConsentHeard":
                self.line(t, "human", f"{fact['intent']}: “{fact['text']}”")
            case "ConsentChanged":
                self.line(t, "caller", f"{fact['purpose']} {'allowed' if fact['allowed'] else 'refused'}")
            case "CallbackTicketed":
                self.line(t, "decision", f"callback {fact['ref']} promised, {fact['window']}", "magenta")
            case "WorkerLost":
                self.line(t, "worker", f"lost: {fact['cause']}", "red")
            case "CallEnded":
                self.line(t, "phone", f"call over: {fact['ending']} ({fact['cause']})")

    def _voice(self) -> str:
        scores, abstained = self._scores, self._abstained
        self._scores, self._abstained = [], 0
        if scores:
            return f"   [voice: distress {sum(scores) / len(scores):.2f}]"
        return "   [voice: cannot tell]" if abstained else ""

    def figures(self, figures: Figures) -> None:
        def shown(value: float | None, unit: str, digits: int = 1) -> str:
            return "does not apply" if value is None else f"{value:.{digits}f} {unit}"

        self._console.print()
        turns = f", p50 of {figures.turns} turns at the caller's ear" if figures.turns else ""
        self._console.print(f"  voice to voice     {shown(figures.voice_to_voice_ms, 'ms', 0)}{turns}", highlight=False)
        detected = shown(figures.to_detection_s, "s")
        since = " from the first strained sentence" if figures.to_detection_s is not None else ""
        self._console.print(f"  time to detection  {detected}{since}", highlight=False)
        joined = shown(figures.to_human_s, "s")
        since = " from the decision to joined legs" if figures.to_human_s is not None else ""
        self._console.print(f"  time to human      {joined}{since}", highlight=False)
        self._console.print(f"  summary            {escape(figures.summary) or 'does not apply'}", highlight=False)
        self._console.print()
