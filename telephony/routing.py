"""Whom to ring: targets by opening hours, skill and crisis; and the allow-list of what may be dialled at all.

Hears from: the gateway's call. Tells: `telephony.transfer` (names, in order).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from telephony.settings import Target


def order(
    targets: Sequence[Target], intent: str, reason: str, now: datetime, busy: Collection[str], crisis_target: str
) -> list[Target]:
    """The targets that are open, free and skilled, in the order to ring them.

    Raises:
        ConfigError: Opening hours that cannot be read.
    """
    raise NotImplementedError


def check(targets: Sequence[Target], crisis_target: str) -> None:
    """Refuses at start what would fail in a call.

    Raises:
        ConfigError: Unreadable hours, two targets of one name, or a crisis target that is not among them.
    """
    raise NotImplementedError


def allowed_uri(targets: Sequence[Target], name: str) -> str:
    """The configured SIP address of a target: nothing else is ever dialled.

    Raises:
        ConfigError: No such target.
    """
    raise NotImplementedError
