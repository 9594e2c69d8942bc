"""A mistake in a playbook is one line that names file, place and remedy."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from telephony.errors import ConfigError
from voice.playbooks import load, shipped

TEXT = (resources.files("voice.playbooks") / "default.toml").read_text("utf-8")


def test_shipped_playbooks_load() -> None:
    assert "default" in shipped()
    for name in shipped():
        assert load(name).intents


def test_a_file_loads_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(TEXT.replace('company = "Harbour Home"', 'company = "Mine"'), "utf-8")
    assert load(str(file)).company == "Mine"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "default"', "name = ", "line "),
        ('company = "Harbour Home"', 'compny = "x"', "company"),
        ('kind = "digits"', 'kind = "digitz"', "slots.order_number.kind"),
        ('greeting = "How can I help you today?"', "", "greeting"),
        ('slots = ["order_number"]', 'slots = ["order_numbr"]', "order_numbr"),
        ('table = "orders"', 'table = "ordrs"', "ordrs"),
        ("answer = \"Order {order_number} {status}.\"", "answer = \"Order {ordr} {status}.\"", "ordr"),
        ('    "Where is my order?",', '    "Where is my dog?",', "Where is my dog?"),
        ('notice = "', 'extra = 1\nnotice = "', "extra"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in TEXT
    file = tmp_path / "mine.toml"
    file.write_text(TEXT.replace(old, new, 1), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(str(file))
    message = str(caught.value)
    assert expected in message
    assert "mine.toml" in message
    assert "\n" not in message


def test_line_of_a_wrong_value(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(TEXT.replace('kind = "amount"', 'kind = "sum"', 1), "utf-8")
    line = next(n for n, text in enumerate(file.read_text("utf-8").splitlines(), 1) if 'kind = "sum"' in text)
    with pytest.raises(ConfigError, match=f"line {line},"):
        load(str(file))


def test_no_such_playbook() -> None:
    with pytest.raises(ConfigError, match=r"use .*default"):
        load("nowhere")
