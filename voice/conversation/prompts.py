"""The fixed sentences the gateway can say without any worker (``docs/flow.md``, "Prompts"). Pure.

Hears from: settings and playbook. Tells: `voice.worker`, which renders them once.
"""

from __future__ import annotations

from telephony.settings import Settings
from voice.conversation.disclosure import disclosure, recording_off
from voice.playbooks.schema import Playbook


def prompts(settings: Settings, playbook: Playbook) -> dict[str, str]:
    """Name of each prompt and what it says."""
    window = settings.humans.callback_window
    more = _callback(settings) if settings.humans.callback == "dial" else {}
    return more | {
        "disclosure": disclosure(settings.privacy),
        "please_wait": "One moment, please.",
        "worker_lost": "Sorry, I lost the thread for a moment. Please stay on the line.",
        "hold_start": "I am bringing in a colleague now, and I pass on what you told me. Please stay on the line.",
        "hold_news": "A phone is ringing at a colleague's desk. You can still say never mind.",
        "being_told": "A colleague is hearing about your matter right now. It will not be long.",
        "still_trying": "I am still trying to reach somebody for you. You can still say never mind.",
        "next_person": "That colleague is not free. I am calling the next one.",
        "line_next": "My colleagues are all with other callers. At the moment you are next. Please hold.",
        "line_second": "My colleagues are all with other callers. At the moment one caller is before you. Please hold.",
        "line_later": "My colleagues are all with other callers, and some are waiting before you. I keep your place.",
        "screening": "A caller needs a person. Press 1 or say yes to hear about it.",
        "decide": "Press 1 or say yes to take the call. Press 2 to decline, or 3 to hear it again.",
        "briefing_missing": "There is no summary for this caller yet. The caller has been told that you will help.",
        "intro_caller": "My colleague is on the line now and knows what it is about.",
        "intro_human": "The caller is on the line now.",
        "declined_bye": "All right, goodbye.",
        "caller_gone": "The caller has left. Goodbye.",
        "human_dropped": "The line to my colleague broke off. I am sorry. I stay with you.",
        "nobody_callback": f"Nobody is free right now. Somebody will call you back {window}. That is noted. Goodbye.",
        "back_to_agent": playbook.phrase("back"),
        "no_worker_callback": f"I cannot go on right now. Somebody will call you back {window}. Goodbye.",
        "human_only": "I am bringing in a person now. Please stay on the line.",
        "emotion_off": "Mood analysis is off and erased. Nothing else changes.",
        "recording_off": recording_off(settings.privacy),
        "still_there": "I am still here. You can go on, or press 0 for a person.",
        "goodbye": playbook.phrase("goodbye"),
    }


_DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _callback(settings: Settings) -> dict[str, str]:
    """Of a call back that the gateway places: what the human and then the caller hear."""
    recorded = " This call is recorded. Press 8 to refuse." if settings.privacy.record else ""
    return {
        "callback_screening": "A caller was promised a call back. Press 1 to hear about it.",
        "callback_number": "The caller's number is",
        "callback_decide": "Press 1, and I call them now. Press 2 for not now, or 3 to hear it again.",
        "callback_dialling": "I am calling now.",
        "callback_hello": "Hello, this is the automated assistant. I am calling back as promised, and a colleague is "
        f"with me.{recorded}",
        "callback_unanswered": "The caller does not answer. Goodbye.",
        "callback_again": "The line to my colleague broke off. I am sorry. We will call you again. Goodbye.",
        "callback_lost": "The line to my colleague broke off. I am sorry. Please call us again. Goodbye.",
        "digit_plus": "plus",
        **{f"digit_{n}": word for n, word in enumerate(_DIGIT_WORDS)},
    }
