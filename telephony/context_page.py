"""The signed address of a human's context page, and which call it belongs to.

One address per INVITE: a human who declined cannot decide for the next one. The key lies in the store, so gateway and
web page know it without being told; whoever can read the store can read the calls themselves.

Hears from: a call (address), the web page (check). Tells: the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from telephony.record import write_json

KEY_FILE = "handoff.key"
FOLDER = "handoffs"


def load_key(store: Path) -> bytes:
    """The store's key, made on first use. Two processes that make one at once end with the same."""
    path = store / KEY_FILE
    if not path.exists():
        draft = path.with_name(f"{KEY_FILE}.{secrets.token_hex(4)}")
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(fd, "wb") as f:
            f.write(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes()


def mac(key: bytes, text: str) -> str:
    """128 bits of HMAC-SHA256, hex: RFC 2104 §5 allows half of the output."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def signature(key: bytes, ref: str, attempt: int) -> str:
    return mac(key, f"page.{ref}.{attempt}")


def is_signed(key: bytes, ref: str, attempt: str, given: str) -> bool:
    return attempt.isdigit() and hmac.compare_digest(signature(key, ref, int(attempt)).encode(), given.encode())


def address(base: str, key: bytes, ref: str, attempt: int) -> str:
    """What goes into Call-Info. ``base``: e.g. ``https://desk.example``."""
    return f"{base.rstrip('/')}/handoff/{ref}?attempt={attempt}&s={signature(key, ref, attempt)}"


def remember(store: Path, ref: str, call: str) -> None:
    """Which call the page of ``ref`` shows."""
    (store / FOLDER).mkdir(parents=True, exist_ok=True)
    write_json(store / FOLDER / f"{ref}.json", {"ref": ref, "call": call}, durable=False)


def call_of(store: Path, ref: str) -> str:
    """Id of the call; empty when there is none."""
    if not ref.isalnum():
        return ""
    try:
        return str(json.loads((store / FOLDER / f"{ref}.json").read_bytes())["call"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def refs_of(store: Path, call: str) -> list[str]:
    """The refs of a call, for recovery and erasure."""
    return [p.stem for p in sorted((store / FOLDER).glob("*.json")) if call_of(store, p.stem) == call]
