"""Active incidents: what callers of a matter, or of an area, should hear before they have to ask. One TOML file.

The operator writes it while things go wrong, so it is read again whenever it changes; a mistake in it then costs one
log line and leaves what was valid before.

Hears from: the operator. Tells: `voice.worker`. Every key is described in ``docs/playbooks.md``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from pydantic import AwareDatetime, Field, ValidationError, model_validator

from telephony.errors import ConfigError
from voice.playbooks.schema import Name, Part, Playbook, Sentence

log = structlog.get_logger(__name__)
_KEY = "agent.incidents"


class Incident(Part):
    """One thing that is going on. Told to a caller of one of ``intents`` whose ``slot`` has one of ``values``."""

    name: Name
    say: Sentence
    until: AwareDatetime = Field(description="With its offset; from then on nobody is told.")
    intents: list[Name] = Field(default_factory=list)
    slot: Name | None = None
    values: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _matches_somebody(self) -> Incident:
        if not self.intents and self.slot is None:
            raise ValueError("needs intents, or slot and values: nobody would be told, or everybody")
        if (self.slot is None) != (not self.values):
            raise ValueError("slot and values belong together")
        return self


def read(path: Path, playbook: Playbook) -> tuple[Incident, ...]:
    """Incidents of a file; an empty file has none.

    Raises:
        ConfigError: Not readable, not TOML, a key that is missing, unknown or wrong, or a name the playbook lacks.
    """
    try:
        text = path.read_text("utf-8")
        table = tomllib.loads(text)
    except OSError as exc:
        raise ConfigError(_KEY, str(path), f"{exc.strerror}; give the path of a TOML file") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(_KEY, str(path), f"not TOML: {exc}") from exc
    if unknown := sorted(set(table) - {"incidents"}):
        raise ConfigError(_KEY, str(path), f"{unknown[0]}: only [[incidents]] may stand here")
    return tuple(_incident(entry, n, path, text, playbook) for n, entry in enumerate(table.get("incidents", ())))


def check(path: Path, playbook: Playbook) -> list[str]:
    """What is wrong with how the sentences sound, one line each.

    Raises:
        ConfigError: As `read`.
    """
    from voice.conversation.style import faults

    text = path.read_text("utf-8") if path.is_file() else ""
    return [
        f"{path}: line {_line(text, n)}, incidents.{incident.name}.say: {fault}"
        for n, incident in enumerate(read(path, playbook))
        for fault in faults(incident.say)
    ]


def _incident(entry: dict[str, Any], n: int, path: Path, text: str, playbook: Playbook) -> Incident:
    at = f"line {_line(text, n)}, incidents.{n}"
    try:
        incident = Incident(**entry)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        remedy = "remove it" if first["type"] == "extra_forbidden" else "see docs/playbooks.md"
        raise ConfigError(
            _KEY, str(path), f"{at}{'.' if where else ''}{where}: {what[0].lower()}{what[1:]}; {remedy}"
        ) from None
    for name in incident.intents:
        if playbook.intent(name) is None:
            raise ConfigError(_KEY, str(path), f"{at}.intents: playbook {playbook.name} has no intent {name}")
    if incident.slot is not None and incident.slot not in playbook.slots:
        raise ConfigError(_KEY, str(path), f"{at}.slot: playbook {playbook.name} has no slot {incident.slot}")
    return incident


def _line(text: str, n: int) -> int:
    heads = [k for k, line in enumerate(text.splitlines(), 1) if line.strip().startswith("[[incidents]]")]
    return heads[n] if n < len(heads) else 1


@dataclass(slots=True)
class IncidentFile:
    """The file as it is now. ``path`` None: there are no incidents."""

    path: Path | None
    playbook: Playbook
    _stamp: tuple[int, int] = (0, 0)
    _known: tuple[Incident, ...] = field(default=())

    def current(self) -> tuple[Incident, ...]:
        """Read again if it has changed. What cannot be read is logged, and what was valid before stays."""
        if self.path is None:
            return ()
        try:
            stat = self.path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._stamp = stamp
                self._known = read(self.path, self.playbook)
        except (ConfigError, OSError) as exc:
            log.error("incidents cannot be read, the earlier ones stay", why=str(exc))
        return self._known
