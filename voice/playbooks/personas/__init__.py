"""Tone of voice as data: how a calm caller is spoken to. What is said, and to whom it must be said, is the playbook's.

Human-like bots lower angry customers' satisfaction (35,000 chats and experiments, Crolic et al. 2022, Journal of
Marketing 86): a caller who is not calm hears the playbook's own sentences at the pace of `voice.conversation.pacing`,
whatever the persona. It cannot touch the disclosure, a crisis, an offer of a person, or what concerns consent.

Hears from: the operator. Tells: `voice.worker`.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

from pydantic import Field, ValidationError

from telephony.errors import ConfigError
from voice.playbooks.schema import Name, Part, Playbook, Sentence

TONE = (
    "back", "anything_else", "go_ahead", "next_matter", "goodbye", "not_understood", "heard", "heard_open", "noted",
    "small_talk", "silence_gentle", "set_aside", "offer_declined", "wait", "repeat_nothing",
)  # fmt: skip
"""Phrases a persona may word in its own way."""
_KEY = "agent.persona"


class Persona(Part):
    """A tone of voice."""

    name: Name
    rate_wpm: float = Field(165, ge=150, le=175, description="Base pace of a calm call.")
    taboo: list[str] = Field(default_factory=list, description="Words no sentence may hold.")
    phrases: dict[Name, Sentence] = Field(default_factory=dict)


def shipped() -> list[str]:
    """Names of the personas in the package."""
    return sorted(f.name[:-5] for f in resources.files(__name__).iterdir() if f.name.endswith(".toml"))


def load(name_or_path: str) -> Persona:
    """Reads a persona by the name of a shipped one or by the path of a TOML file.

    Raises:
        ConfigError: Not there, not TOML, or a key that is missing, unknown, wrong or not a persona's to set.
    """
    text, file = _read(name_or_path)
    try:
        persona = Persona(**tomllib.loads(text))
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(_KEY, file, f"not TOML: {exc}") from exc
    except (ValidationError, TypeError) as exc:
        first = exc.errors()[0] if isinstance(exc, ValidationError) else {"loc": (), "msg": str(exc)}
        where = ".".join(str(p) for p in first["loc"])
        raise ConfigError(_KEY, file, f"{_line(text, where)}{where}: {first['msg']}; see docs/playbooks.md") from None
    for phrase in persona.phrases:
        if phrase not in TONE:
            remedy = f"{_line(text, phrase)}phrases.{phrase}: not a persona's to word; it may be {', '.join(TONE)}"
            raise ConfigError(_KEY, file, remedy)
    return persona


def dress(playbook: Playbook, persona: Persona) -> Playbook:
    """The playbook in this tone: for a calm caller its phrases, for any other what the playbook says itself."""
    damped = {k: playbook.phrases_upset.get(k, playbook.phrases[k]) for k in persona.phrases}
    return playbook.model_copy(
        update={
            "phrases": playbook.phrases | persona.phrases,
            "phrases_upset": playbook.phrases_upset | damped,
            "rate_wpm": persona.rate_wpm,
        }
    )


def check(name_or_path: str, playbook: Playbook) -> list[str]:
    """What is wrong with how playbook and persona sound together, one line each.

    Raises:
        ConfigError: As `load`.
    """
    from voice.conversation.style import faults

    persona, (text, file) = load(name_or_path), _read(name_or_path)
    out = [f"{file}: {_line(text, k)}phrases.{k}: {f}" for k, s in persona.phrases.items() for f in faults(s)]
    for where, sentence in dress(playbook, persona).spoken_texts().items():
        held = [w for w in persona.taboo if re.search(rf"\b{re.escape(w)}\b", sentence, re.IGNORECASE)]
        out += [f"{file}: {_line(text, 'taboo')}taboo: {playbook.name} says {w!r} in {where}" for w in held]
    return out


def _read(name_or_path: str) -> tuple[str, str]:
    if name_or_path in shipped():
        return (resources.files(__name__) / f"{name_or_path}.toml").read_text("utf-8"), f"{name_or_path}.toml"
    try:
        return Path(name_or_path).read_text("utf-8"), name_or_path
    except (OSError, UnicodeDecodeError) as exc:
        remedy = f"no readable persona; use {', '.join(shipped())}, or the path of a TOML file"
        raise ConfigError(_KEY, name_or_path, remedy) from exc


def _line(text: str, where: str) -> str:
    key = re.compile(rf"^\s*\"?{re.escape(where.rsplit('.', 1)[-1])}\"?\s*=")
    at = next((n for n, line in enumerate(text.splitlines(), 1) if key.match(line)), None)
    return f"line {at}, " if at else ""
