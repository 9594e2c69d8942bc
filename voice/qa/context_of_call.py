"""What the template of the replay page needs, served or as one file.

Hears from: `voice.store.calls`. Tells: ``call.html``.
"""

from __future__ import annotations

from typing import Any

from voice import __version__
from voice.qa import views
from voice.store.calls import CallRecord
from voice.store.figures import figures_of


def replay_context(call: CallRecord) -> dict[str, Any]:
    """Everything except the reviews."""
    text, fields_ = views.briefing(call)
    return {
        "call": call,
        "answered": {"at": "", "from": "", "to": "", "codec": "", "versions": {}, **(call.first("CallAnswered") or {})},
        "versions": versions_of(call),
        "figures": figures_of(call),
        "turns": views.turns(call),
        "speakers": views.SPEAKERS,
        "decisions": views.decisions(call),
        "briefing_text": text,
        "briefing": fields_,
        "banded": any(f.get("p_low") is not None for f in call.of("EmotionScored")),
        "has_human": bool(call.audio("human") or call.of("LegsBridged")),
    }


def versions_of(call: CallRecord) -> dict[str, str]:
    """Of everything that judged the call: without them a correction can't be compared with a later model."""
    answered = call.first("CallAnswered") or {}
    found = {str(k): str(v) for k, v in answered.get("versions", {}).items()}
    for attached in call.of("WorkerAttached"):
        found |= {str(k): str(v) for k, v in (attached.get("models") or {}).items()}
    models = [f["model"] for f in call.of("EmotionScored") if f.get("model")]
    return {**found, **({"ear": models[-1]} if models else {}), "qa": __version__}
