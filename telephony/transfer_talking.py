"""Actions of the handoff from an answered phone to the end: screening, briefing, bridge, farewell.

Each returns the signal that follows at once, if any.

Hears from: `telephony.transfer`, by the table. Tells: the same.
"""

from __future__ import annotations

from telephony import transfer_table as table
from telephony.transfer_desk import Desk
from telephony.transfer_messages import (
    BridgeLegs,
    PromptPlayed,
    ReferCaller,
    ReferFailed,
    ReturnToAgent,
    SetHumanListening,
    TellCaller,
    TellHuman,
)


def screen(desk: Desk, word: str) -> None:
    """Nothing of the caller is said before somebody has answered this: voicemail and machines do not."""
    desk.leg.since_s = desk.now.now_s
    desk.enter("SCREENING")
    desk.listen(on=True)
    _ask_consent(desk)


def _ask_consent(desk: Desk) -> None:
    desk.arm("consent", table.SCREENING_CAP_S + desk.policy.consent_s)
    desk.tell(TellHuman(prompt="screening"))


def wait_for_consent(desk: Desk, _: str) -> None:
    desk.arm("consent", desk.policy.consent_s)


def repeat_screening(desk: Desk, _: str) -> None:
    desk.leg.repeats_left -= 1
    _ask_consent(desk)


def brief(desk: Desk, word: str) -> None:
    """Consent to hear about a caller, or a target trusted with it: from here on caller data may be spoken."""
    desk.cancel("consent")
    desk.leg.repeats_left = desk.policy.repeats
    desk.leg.since_s = desk.now.now_s
    rule = "trusted" if word == "trust" else "consent"
    desk.enter("BRIEFING", rule=rule, by=desk.by(), briefing_built=desk.now.briefing_built)
    tell_briefing(desk, word)


def tell_briefing(desk: Desk, word: str) -> None:
    desk.leg.told_missing = desk.leg.told_missing or word == "briefing_came"
    desk.arm("briefed", table.BRIEFING_CAP_S)
    desk.tell(TellHuman(prompt="briefing" if desk.now.briefing_built else "briefing_missing"))


def repeat_briefing(desk: Desk, word: str) -> None:
    desk.leg.repeats_left -= 1
    if desk.row.to is not None:
        desk.cancel("decide")
        desk.enter("BRIEFING", rule="repeat", by=desk.by())
    tell_briefing(desk, word)


def tell_answer(desk: Desk, _: str) -> None:
    """To a question about a detail, in place of what the human hears now; the time to decide runs when it was told."""
    if not desk.leg.repeats_left:
        return
    desk.leg.repeats_left -= 1
    timer = "briefed" if desk.now.state == "BRIEFING" else "decide"
    desk.arm(timer, table.ANSWER_CAP_S + (desk.policy.decide_s if timer == "decide" else 0.0))
    desk.tell(TellHuman(prompt="answer"))


def think_over(desk: Desk, _: str) -> None:
    desk.arm("decide", desk.policy.decide_s)


def decide(desk: Desk, _: str) -> None:
    desk.cancel("briefed")
    desk.arm("decide", desk.policy.decide_s)
    desk.enter("DECIDING")
    desk.tell(TellHuman(prompt="decide"))


def listen_again(desk: Desk, _: str) -> None:
    """Another worker has taken the call over and does not know that it should listen."""
    if desk.leg.listening:
        desk.tell(SetHumanListening(on=True))


def bridge(desk: Desk, _: str) -> None:
    desk.disarm()
    desk.arm("bridge", table.BRIDGE_CAP_S)
    during = desk.now.state
    desk.enter("BRIDGING", rule="accept", by=desk.by(), during=during, attempt=desk.leg.attempt)
    desk.listen(on=False)
    desk.end_hold()
    desk.tell(BridgeLegs())


def introduce(desk: Desk, _: str) -> None:
    desk.disarm()
    desk.now.joined_s = desk.now.now_s
    desk.now.introductions = frozenset(("caller", "human"))
    desk.arm("introduced", table.INTRO_CAP_S)
    desk.enter("BRIDGED", outcome="accepted")
    desk.tell(TellCaller(prompt="intro_caller"), TellHuman(prompt="intro_human"))


def introduced_one(desk: Desk, _: str) -> None:
    assert isinstance(desk.cause, PromptPlayed)
    desk.now.introductions -= {desk.cause.leg}


def release(desk: Desk, _: str) -> None:
    desk.disarm()
    desk.enter("RELEASED")
    if desk.policy.refer:
        desk.now.referring, desk.now.replaced = True, False
        desk.arm("refer", table.REFER_CAP_S)
        desk.tell(ReferCaller())


def await_outcome(desk: Desk, _: str) -> None:
    """The caller's line has replaced ours at the human's phone, or the human hung up: the REFER's outcome will tell."""
    desk.now.replaced = True


def stay_joined(desk: Desk, word: str) -> str | None:
    """No REFER after all: the legs stay joined here, as they were, unless the human has gone meanwhile."""
    reason = desk.cause.reason if isinstance(desk.cause, ReferFailed) else "no outcome"
    desk.cancel("refer")
    desk.now.referring = False
    desk.commit(rule="refer-failed", reason=reason)
    return "dropped" if desk.now.replaced else None


def withdraw(desk: Desk, word: str) -> None:
    """The caller would rather stay with the agent. A later request starts afresh."""
    now = desk.now
    during = now.state
    desk.stop_asking()
    desk.disarm("bye")
    now.remaining = []
    desk.enter("IDLE", outcome="caller-withdrew", rule="caller-withdrew", word=word, during=during)
    _part_politely(desk)
    desk.end_hold()
    if during != "OFFERED":
        desk.tell(ReturnToAgent())


def _part_politely(desk: Desk) -> bool:
    """Whether a human is still being told; a human who has not answered or is being told already is let go of."""
    leg = desk.now.leg
    if leg is not None and leg.answered and not leg.farewell and not desk.now.replaced:
        desk.take_leave("caller_gone")
        return True
    if leg is not None and not leg.farewell:
        desk.drop_leg(hang_up=True)
    return leg is not None and bool(leg.farewell)


def lose_caller(desk: Desk, _: str) -> None:
    """No human may be left with an empty call (agents-js #2008): the leg goes at once, or after one sentence."""
    now = desk.now
    now.caller_gone = True
    during = now.state
    desk.stop_asking()
    desk.disarm("bye")
    if desk.row.to is not None:
        desk.enter("FAILED", outcome="caller-left", rule="caller-left", during=during)
    desk.end_hold()
    if not _part_politely(desk):
        desk.end("caller-left", "caller-left")


def finish(desk: Desk, word: str) -> None:
    if word == "told":
        desk.end("nobody-free", "told-and-callback")
        return
    desk.drop_leg(hang_up=word != "human_hung_up")
    causes = {"caller_hung_up": "caller-hung-up", "human_hung_up": "human-hung-up", "referred": "referred"}
    desk.end(causes[word], "with-human")
