"""What the template of the replay page needs, served or as one file.

Hears from: `voice.store.calls`. Tells: ``call.html``.
"""

from __future__ import annotations

from typing import Any

from voice.qa import views
from voice.store import reviews
from voice.store.calls import CallRecord
from voice.store.figures import figures_of


def replay_context(call: CallRecord) -> dict[str, Any]:
    """Everything except the reviews."""
    text, fields_ = views.briefing(call)
    return {
        "call": call,
        "answered": {"at": "", "from": "", "to": "", "codec": "", "versions": {}, **(call.first("CallAnswered") or {})},
        "figures": figures_of(call),
        "turns": views.turns(call),
        "speakers": views.SPEAKERS,
        "decisions": views.decisions(call),
        "briefing_text": text,
        "briefing": fields_,
        "questions": reviews.QUESTIONS,
        "form": reviews.FORM,
        "has_human": bool(call.audio("human") or call.of("LegsBridged")),
    }
