"""How long a caller may be left waiting, silent or unanswered before the gateway acts (`telephony.watchdog`)."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times [s]."""

    dead_air_s: float = 1.1
    """Neither side above −50 dBFS while the caller waits for us. By 1.2 s something is heard (contact-centre design
    value); a prompt takes 0.1 s to begin."""
    grace_s: float = 0.6
    """From the end of the caller's turn: a reply is under way as a rule, and a prompt just before it would delay it."""
    dead_air_most_s: float = 1.8
    late_grace_s: float = 0.2
    """Where the words themselves came late there is less grace: 2 s of dead air are never reached."""
    words_s: float = 1.8
    """From the end of the caller's speech to its words. No pause within a turn is waited out for longer
    (`voice.conversation.patience`), so a caller still without an answer waits for a slow recogniser."""
    speech_s: float = 1.0
    """Shorter sounds may be a cough, which has no words to come."""
    again_s: float = 5.0
    """Between two prompts to a caller on hold whose hold sound is missing."""
    mute_s: float = 8.0
    """From the caller's last word to a handoff, when the agent says nothing of its own."""
    silence_s: float = 20.0
    """Neither party says anything in the caller's turn; the dialogue prompts at 5 s, this only backs it up."""
    silence_handoff_s: float = 60.0
    """Then a human or a callback is due: a caller who is there is never hung up on."""
    worker_s: float = 2.0
    """From the loss of a worker to a handoff, when no other takes the call."""
    call_s: float = 7200.0

    @classmethod
    def of(cls, patience: float) -> Limits:
        """``patience``: `agent.patience`. Who wants pauses waited out for longer wants no word in them."""
        usual = cls()
        return replace(usual, words_s=usual.words_s * max(1.0, patience))
