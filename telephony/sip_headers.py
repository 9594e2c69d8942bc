"""Headers of the INVITE to a human: which call this is, without a word of what it is about.

Hears from: a call. Tells: the SIP stack.
"""

from __future__ import annotations

import uuid

NIL = "0" * 32


def human_headers(case: str, page: str) -> dict[str, str]:
    """``case``: opaque hex id of this handoff. ``page``: address of the human's context page.

    RFC 7433 (User-to-User, under 128 octets), RFC 7989 §5 (Session-ID: ours, the far end's is not known yet),
    RFC 3261 §20.9 (Call-Info).
    """
    return {
        "User-to-User": f"{case};encoding=hex;purpose=warmline",
        "Session-ID": f"{uuid.UUID(hex=case).hex};remote={NIL}",
        "Call-Info": f"<{page}>;purpose=info",
    }


def number_of(uri: str) -> str:
    """The user part of a SIP address, for a person to call back; the whole address if it has none."""
    plain = uri.partition("<")[2].partition(">")[0] if "<" in uri else uri
    user, at, _ = plain.partition(":")[2].partition("@")
    return user if at else plain
