"""Memory across calls: asked for, kept for whoever proves who they are, and unknown to everybody else."""

from __future__ import annotations

from telephony.facts import (
    BriefingBuilt,
    CallerVerified,
    ConsentChanged,
    HandoffRequested,
    MatterRecalled,
    MatterRemembered,
)
from telephony.settings import Privacy, Settings
from tests.unit.voice.conversation.line import Line, conversation
from voice.playbooks import load

UTILITY = load("utility")
REMEMBER = Settings(privacy=Privacy(remember=True))
IDENTITY = "utility.account_number=123456"
EARLIER = MatterRecalled(
    matter="a bill that seems too high", promise="Billing is checking your last bill.", days=3, rate_wpm=150.0
)


def called(settings: Settings = REMEMBER) -> Line:
    line = Line(talk=conversation(settings, UTILITY))
    line.start()
    return line


def identified(postcode: str = "six zero six zero one") -> Line:
    """A bill that is too high: number and postcode given and agreed to."""
    line = called()
    line.caller("My bill is far too high.")
    line.caller("one two three four five six")
    line.caller("Yes.")
    line.caller(postcode)
    line.caller("Yes.")
    return line


def ended(line: Line) -> list[str]:
    line.caller("Yes.")
    return line.caller("No, that is all.")


def test_a_verified_caller_is_asked_once_and_a_yes_is_kept() -> None:
    line = identified()
    assert line.facts(CallerVerified) == [CallerVerified(identity=IDENTITY, by=("account_number", "postcode"))]
    assert ended(line) == ["Shall I remember this for your next call?"]
    assert not line.hung_up
    said = line.caller("Yes, please.")
    assert "90 days" in said[0]
    assert "Goodbye" in said[0]
    assert line.hung_up
    assert line.facts(ConsentChanged) == [ConsentChanged(purpose="memory", allowed=True)]
    (kept,) = line.facts(MatterRemembered)
    assert isinstance(kept, MatterRemembered)
    assert (kept.identity, kept.promise) == (IDENTITY, "Billing is checking your last bill.")


def test_a_no_and_a_silence_keep_nothing() -> None:
    line = identified()
    ended(line)
    assert "Goodbye" in line.caller("No.")[0]
    assert line.hung_up
    assert line.facts(ConsentChanged) == [ConsentChanged(purpose="memory", allowed=False)]
    assert not line.facts(MatterRemembered)
    line = identified()
    ended(line)
    assert "Goodbye" in line.wait(6.0)[0]
    assert not line.facts(MatterRemembered)
    assert line.hung_up


def test_the_next_call_hears_of_it_once_before_its_answer() -> None:
    line = identified()
    line.commit(EARLIER)
    said = line.caller("Yes.")[0]
    assert said.startswith("Last time you called about a bill that seems too high. Billing is checking your last bill.")
    assert "Last time" not in " ".join(line.caller("No, that is all."))


def test_the_earlier_pace_is_where_the_next_call_begins() -> None:
    line = identified()
    line.commit(EARLIER)
    rates = [line.talk._pacer.turn("calm") for _ in range(4)] if line.caller("Yes.") else []
    assert rates[-1] == 150.0


def test_a_wrong_postcode_proves_nothing_and_hears_nothing() -> None:
    """The gateway is asked for a memory only by `CallerVerified`: without it there is no way to any."""
    line = identified("one zero one one five")
    assert not line.facts(CallerVerified)
    said = " ".join(ended(line))
    assert "remember" not in said
    assert "Goodbye" in said
    assert line.hung_up


def test_a_number_that_was_only_heard_proves_nothing() -> None:
    line = called()
    line.caller("My bill is far too high.")
    line.caller("one two three four five six")
    line.caller("Yes.")
    line.caller("six zero six zero one")
    assert not line.facts(CallerVerified)
    line.caller("No.")
    assert not line.facts(CallerVerified)


def test_forget_me_settles_it() -> None:
    line = identified()
    line.commit(EARLIER)
    assert "nothing is remembered" in line.caller("Forget me.")[0]
    assert line.facts(ConsentChanged) == [ConsentChanged(purpose="memory", allowed=False)]
    said = " ".join(ended(line))
    assert "Last time" not in said
    assert "Shall I remember" not in said


def test_switched_off_nobody_is_asked_for_more_than_the_matter_needs() -> None:
    line = called(Settings())
    line.caller("My bill is far too high.")
    line.caller("one two three four five six")
    assert "stop the payment" in line.caller("Yes.")[-1]
    assert "remember" not in " ".join(ended(line))


def test_the_human_is_told_that_the_caller_is_verified() -> None:
    line = identified()
    line.commit(HandoffRequested(reason="request"))
    line.state("HOLDING")
    (built,) = line.facts(BriefingBuilt)
    assert isinstance(built, BriefingBuilt)
    assert built.text.startswith("The caller is verified.")
    assert built.fields["who"]["verified"] is True
