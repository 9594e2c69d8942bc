"""Two tones of voice, the same facts; none of them for a caller who is not calm, none in what must be said as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from telephony.errors import ConfigError
from telephony.facts import SlotFilled
from telephony.settings import Agent, Settings
from tests.unit.voice.conversation.line import Line, conversation
from voice.conversation.disclosure import disclosure
from voice.conversation.prompts import prompts
from voice.playbooks import load, personas
from voice.playbooks import shipped as playbooks
from voice.playbooks.personas import TONE, dress

PLAIN = load("default")
CALL = ("Where is my order?", "four five one nine", "Yes.", "No, that is all.")


def talk(persona: str) -> Line:
    line = Line(talk=conversation(playbook=dress(PLAIN, personas.load(persona))))
    line.start()
    return line


def values(line: Line) -> list[tuple[str, str]]:
    return [(f.name, f.value) for f in line.facts(SlotFilled) if isinstance(f, SlotFilled)]


@pytest.mark.parametrize("persona", ["warm", "formal"])
def test_another_tone_says_the_same_facts(persona: str) -> None:
    plain, other = talk("default"), talk(persona)
    said = [(plain.caller(text), other.caller(text)) for text in CALL]
    assert values(plain) == values(other) == [("order_number", "4519")]
    assert any(a != b for a, b in said)
    for a, b in said:
        numbers = [re.findall(r"\d+|Thursday|four five one nine", " ".join(x)) for x in (a, b)]
        assert numbers[0] == numbers[1]


@pytest.mark.parametrize("persona", ["warm", "formal"])
def test_a_caller_who_is_not_calm_hears_none_of_it(persona: str) -> None:
    plain, other = talk("default"), talk(persona)
    for line in (plain, other):
        line.voice(*[0.9] * 12)
    for text in ("I am so angry, this is ridiculous!", "No.", *CALL):
        assert plain.caller(text) == other.caller(text)


def test_the_pace_is_the_personas_until_the_caller_is_upset() -> None:
    line = talk("warm")
    assert line.talk._pacer.turn("calm") == 158.0
    assert line.talk._pacer.turn("distress") <= 165 * 0.92


@pytest.mark.parametrize("persona", personas.shipped())
def test_no_persona_touches_what_must_be_said(persona: str) -> None:
    settings = Settings(agent=Agent(persona=persona))
    dressed = dress(PLAIN, personas.load(persona))
    assert prompts(settings, dressed)["disclosure"] == disclosure(settings.privacy)
    for name in set(PLAIN.phrases) - set(TONE):
        assert dressed.phrase(name) == PLAIN.phrase(name)
        assert dressed.phrase(name, upset=True) == PLAIN.phrase(name, upset=True)


@pytest.mark.parametrize("persona", personas.shipped())
@pytest.mark.parametrize("playbook", [p for p in playbooks() if p != "minimal"])
def test_what_ships_sounds_right_together(persona: str, playbook: str) -> None:
    assert personas.check(persona, load(playbook)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 3\n", "line 1, name"),
        ('name = "x"\nrate_wpm = 300\n', "line 2, rate_wpm"),
        ('name = "x"\n\n[phrases]\nmachine = "I am a person."\n', "line 4, phrases.machine: not a persona's to word"),
        ('name = "x"\ncolour = "red"\n', "line 2, colour"),
        ("name", "not TOML"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        personas.load(str(path))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_gush_and_taboo_words_are_found(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "x"\ntaboo = ["colleague"]\n\n[phrases]\ngo_ahead = "I am so excited to hear it!"\n')
    faults = personas.check(str(path), PLAIN)
    assert any("line 5, phrases.go_ahead" in f for f in faults)
    assert any("line 2, taboo: default says 'colleague' in phrases." in f for f in faults)


def test_a_name_that_does_not_ship_is_told() -> None:
    with pytest.raises(ConfigError, match="default, formal, warm"):
        personas.load("nobody")
