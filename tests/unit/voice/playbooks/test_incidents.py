"""Active incidents: read again when the file changes, told to those they concern, early, once, while they last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from telephony.errors import ConfigError
from telephony.facts import CallAnswered, Disclosed, IncidentTold, KeyPressed
from telephony.settings import Settings
from tests.unit.voice.conversation.line import Line
from voice.conversation.call import Conversation
from voice.playbooks import load
from voice.playbooks.incidents import Incident, IncidentFile, check, read

UTILITY = load("utility")
CABLE = """
[[incidents]]
name = "cable"
intents = ["outage"]
slot = "postcode"
values = ["60601"]
until = 2026-01-01T01:00:00Z
say = "We know about the power cut in your area. Repair is planned by 6."
"""
BILLS = """
[[incidents]]
name = "bills"
intents = ["high_bill"]
until = 2026-01-01T01:00:00Z
say = "Some bills of this month are wrong, and we correct them by Friday."
"""


def incidents(tmp_path: Path, text: str) -> tuple[Incident, ...]:
    path = tmp_path / "incidents.toml"
    path.write_text(text)
    return read(path, UTILITY)


def call(known: tuple[Incident, ...], at: str = "2026-01-01T00:00:00Z") -> Line:
    line = Line(talk=Conversation(Settings(), UTILITY, None, known))
    line.commit(CallAnswered(from_="+15550100", to="100", codec="PCMU", at=at))
    line.t = 8.0
    line.commit(Disclosed(text="...", start=0.0, end=8.0))
    return line


def outage(line: Line, postcode: str) -> list[str]:
    line.caller("My power is out.")
    line.caller(postcode)
    return line.caller("Yes.")


def test_told_first_once_and_on_record(tmp_path: Path) -> None:
    line = call(incidents(tmp_path, CABLE))
    assert outage(line, "six zero six zero one")[0].startswith("We know about the power cut in your area.")
    assert line.facts(IncidentTold) == [IncidentTold(name="cable")]
    line.caller("Yes.")
    assert "We know" not in " ".join(outage(line, "six zero six zero one"))


def test_a_matter_alone_is_told_with_the_first_answer(tmp_path: Path) -> None:
    line = call(incidents(tmp_path, CABLE + BILLS))
    assert line.caller("My bill is far too high.")[0].startswith("Some bills of this month are wrong")
    assert line.facts(IncidentTold) == [IncidentTold(name="bills")]


@pytest.mark.parametrize("at", ["2026-01-01T01:00:00Z", "2026-01-02T00:00:00Z", ""])
def test_nobody_is_told_when_it_is_over_or_may_be(tmp_path: Path, at: str) -> None:
    line = call(incidents(tmp_path, CABLE), at)
    outage(line, "six zero six zero one")
    assert not line.facts(IncidentTold)


def test_other_areas_other_matters_and_unsure_postcodes_hear_nothing(tmp_path: Path) -> None:
    known = incidents(tmp_path, CABLE + BILLS)
    line = call(known)
    outage(line, "one zero one one five")
    line.caller("Yes.")
    line.caller("I am moving house.")
    assert not line.facts(IncidentTold)
    line = call(known)
    line.caller("My power is out.")
    line.caller("six zero six zero one")
    line.caller("No.")
    assert not line.facts(IncidentTold)


def test_a_typed_postcode_counts_as_well(tmp_path: Path) -> None:
    line = call(incidents(tmp_path, CABLE))
    line.caller("My power is out.")
    said = [line.commit(KeyPressed(leg="caller", key=key)) for key in "60601"]
    assert said[-1][0].startswith("We know about the power cut")


def test_a_second_worker_does_not_tell_it_again(tmp_path: Path) -> None:
    known = incidents(tmp_path, BILLS)
    line = call(known)
    line.caller("My bill is far too high.")
    second = Conversation(Settings(), UTILITY, None, known)
    for stamped in line.log:
        second.receive(stamped)
    line.talk = second
    assert "Some bills" not in " ".join(line.caller("one two three four five six"))


def test_the_file_is_read_again_when_it_changes_and_a_mistake_keeps_the_last(tmp_path: Path) -> None:
    path = tmp_path / "incidents.toml"
    path.write_text(CABLE)
    file = IncidentFile(path, UTILITY)
    assert [i.name for i in file.current()] == ["cable"]
    path.write_text(CABLE + BILLS)
    assert [i.name for i in file.current()] == ["cable", "bills"]
    path.write_text("[[incidents]]\nname = 3\n")
    assert [i.name for i in file.current()] == ["cable", "bills"]
    path.write_text("")
    assert file.current() == ()
    os.unlink(path)
    assert file.current() == ()
    assert IncidentFile(None, UTILITY).current() == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing", "not TOML"),
        ("[incident]\n", "only [[incidents]]"),
        (CABLE.replace("outage", "outrage"), "line 2, incidents.0.intents: playbook utility has no intent outrage"),
        (CABLE.replace('"postcode"', '"zip"'), "has no slot zip"),
        (CABLE.replace('values = ["60601"]\n', ""), "slot and values belong together"),
        (CABLE.replace('intents = ["outage"]\nslot = "postcode"\nvalues = ["60601"]\n', ""), "nobody would be told"),
        (CABLE.replace("Z\n", "\n"), "timezone"),
        (BILLS + CABLE.replace("until", "till"), "line 8, incidents.1"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_says_where(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        incidents(tmp_path, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_how_it_sounds_is_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "incidents.toml"
    path.write_text(CABLE.replace("We know", "I feel so sorry! We know"))
    assert any("line 2, incidents.cable.say" in fault for fault in check(path, UTILITY))
