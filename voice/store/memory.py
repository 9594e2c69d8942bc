"""What callers who agreed to it are remembered by, until it expires: their last matter, what is still open, their pace.

Apart from the index, which can be made again from the call folders; this cannot. An identity is stored as a keyed
digest, never in clear, and nothing about how a caller felt is stored at all.

Hears from: `voice.pipeline` (a call), `voice.store.retention` (erasure). Tells: the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from telephony.context_page import load_key, mac
from telephony.facts import MatterRecalled, MatterRemembered
from voice.store.schema import BUSY_MS

FILE = "memory.sqlite"

_metadata = sa.MetaData()
_memories = sa.Table(
    "memories",
    _metadata,
    sa.Column("identity", sa.String, primary_key=True, comment="keyed digest of the verified identity"),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("expires", sa.String, nullable=False),
    sa.Column("call", sa.String, nullable=False, comment="SIP Call-ID of the call it is from"),
    sa.Column("matter", sa.String, nullable=False),
    sa.Column("promise", sa.String, nullable=False),
    sa.Column("rate_wpm", sa.Float, nullable=False),
)


@dataclass(slots=True, kw_only=True)
class Memories:
    """The memory of one store. Its methods may be called from any thread."""

    store: Path
    days: int
    engine: Engine

    @classmethod
    def open(cls, store: Path, days: int) -> Memories:
        """``days``: until what is kept from now on expires."""
        store.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(f"sqlite:///{store / FILE}")
        event.listen(engine, "connect", _prepare)
        _metadata.create_all(engine)
        return cls(store=store, days=days, engine=engine)

    def close(self) -> None:
        self.engine.dispose()

    def keep(self, fact: MatterRemembered, call: str, *, at: datetime | None = None) -> None:
        """In place of what was kept for this identity before."""
        now = at or datetime.now(UTC)
        expires = _text(now + timedelta(days=self.days))
        row = {
            "identity": self._digest(fact.identity), "at": _text(now), "expires": expires,
            "call": call, "matter": fact.matter, "promise": fact.promise, "rate_wpm": fact.rate_wpm,
        }  # fmt: skip
        with self.engine.begin() as c:
            c.execute(sa.delete(_memories).where(_memories.c.identity == row["identity"]))
            c.execute(sa.insert(_memories).values(**row))

    def recall(self, identity: str, *, at: datetime | None = None) -> MatterRecalled | None:
        """What is kept for a verified identity; what has expired is erased first."""
        now = at or datetime.now(UTC)
        with self.engine.begin() as c:
            c.execute(sa.delete(_memories).where(_memories.c.expires <= _text(now)))
            row = c.execute(sa.select(_memories).where(_memories.c.identity == self._digest(identity))).first()
        if row is None:
            return None
        days = (now - datetime.fromisoformat(row.at)).days
        return MatterRecalled(matter=row.matter, promise=row.promise, days=days, rate_wpm=row.rate_wpm)

    def forget(self, identity: str) -> None:
        with self.engine.begin() as c:
            c.execute(sa.delete(_memories).where(_memories.c.identity == self._digest(identity)))

    def forget_call(self, call: str) -> None:
        """What was kept from a call that is erased."""
        with self.engine.begin() as c:
            c.execute(sa.delete(_memories).where(_memories.c.call == call))

    def expire(self, *, at: datetime | None = None) -> None:
        with self.engine.begin() as c:
            c.execute(sa.delete(_memories).where(_memories.c.expires <= _text(at or datetime.now(UTC))))

    def _digest(self, identity: str) -> str:
        return mac(load_key(self.store), f"memory.{identity}")


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    # What is forgotten must not survive in free pages.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
