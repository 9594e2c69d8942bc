"""People and their roles, from ``web.users_file``; what each role may do.

    [[users]]
    name = "mara"
    role = "reviewer"                   # reviewer | lead | auditor
    password = "scrypt$16384$8$1$…$…"   # made by `warmline password`

Hears from: the operator. Tells: `voice.qa.access`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from telephony.errors import ConfigError

Role = Literal["reviewer", "lead", "auditor"]
Right = Literal["look", "review", "rule", "export", "erase", "audit", "act"]
RIGHTS: Mapping[str, frozenset[Right]] = {
    "reviewer": frozenset({"look", "review", "act"}),
    "lead": frozenset({"look", "review", "rule", "export", "erase", "audit", "act"}),
    "auditor": frozenset({"look", "export", "audit"}),
}
"""``act``: answer a handoff. An auditor changes nothing."""

_NEEDS: tuple[tuple[str, re.Pattern[str], Right], ...] = (
    ("GET", re.compile(r"/audit|/api/audit"), "audit"),
    ("GET", re.compile(r"/api/calls/[^/]+/(export|vcon|test)|/api/corrections\.zip"), "export"),
    ("POST", re.compile(r"/api/calls/[^/]+/(reviews|comments)"), "review"),
    ("POST", re.compile(r"/api/comments/\d+"), "review"),
    ("POST", re.compile(r"/api/reviews/\d+/(released|acknowledged|disputed)"), "review"),
    ("POST", re.compile(r"/api/reviews/\d+/(upheld|changed)"), "rule"),
    ("POST", re.compile(r"/api/calls/[^/]+/outcome"), "review"),
    ("POST|PUT", re.compile(r"/api/(handoffs|humans)/.*"), "act"),
    ("POST", re.compile(r"/log(in|out)"), "look"),
)

N, R, P = 2**14, 8, 1
"""Cost of scrypt: 16 MiB and about 50 ms a try, the interactive setting of RFC 7914's author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    name: str
    role: Role
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks. Without a users file everybody who gets in may do everything and is called "web"."""

    name: str = "web"
    role: Role = "lead"
    person: bool = False
    """Signed in under their own name; else a program with the token, or this machine without one."""

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]


def right_for(method: str, path: str) -> Right:
    """What a request needs. Whatever is not listed may be looked at by all and changed by a lead."""
    for methods, pattern, right in _NEEDS:
        if method.replace("HEAD", "GET") in methods.split("|") and pattern.fullmatch(path):
            return right
    return "look" if method in ("GET", "HEAD", "OPTIONS") else "erase"


def read_users(path: str) -> dict[str, User]:
    """Users by name.

    Raises:
        ConfigError: Unreadable, not TOML, or an entry without name, role or hashed password. Says which, never a hash.
    """

    def refuse(why: str) -> ConfigError:
        return ConfigError("web.users_file", path, why)

    try:
        entries = tomllib.loads(Path(path).read_text("utf-8")).get("users")
    except OSError as exc:
        raise refuse(f"{exc.strerror}; name a TOML file with [[users]]") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise refuse(f"not TOML: {exc}") from exc
    if not isinstance(entries, list) or not entries:
        raise refuse("no [[users]] in it; see docs/replay.md")
    out: dict[str, User] = {}
    for n, entry in enumerate(entries, 1):
        match entry:
            case {"name": str() as name, "role": "reviewer" | "lead" | "auditor" as role, "password": str() as stored}:
                if not 0 < len(name.strip()) <= 80 or name in out:
                    raise refuse(f"user {n}: a name of 1 to 80 characters that nobody else has")
                if _parsed(stored) is None:
                    raise refuse(f"user {n}: the password is not hashed; make one with `warmline password`")
                out[name] = User(name=name.strip(), role=role, password=stored)
            case _:
                raise refuse(f"user {n}: needs name, role (reviewer, lead or auditor) and password")
    return out


def hash_password(password: str, salt: bytes | None = None) -> str:
    """``scrypt$N$r$p$salt$hash`` (RFC 7914), salt and hash in base64."""
    salt = salt or os.urandom(16)
    made = hashlib.scrypt(password.encode(), salt=salt, n=N, r=R, p=P)
    return "$".join(("scrypt", str(N), str(R), str(P), *(base64.b64encode(x).decode() for x in (salt, made))))


def is_password(stored: str, given: str) -> bool:
    parsed = _parsed(stored)
    if parsed is None:
        return False
    n, r, p, salt, expected = parsed
    made = hashlib.scrypt(given.encode(), salt=salt, n=n, r=r, p=p, dklen=len(expected), maxmem=2**27)
    return hmac.compare_digest(made, expected)


def _parsed(stored: str) -> tuple[int, int, int, bytes, bytes] | None:
    match stored.split("$"):
        case ["scrypt", n, r, p, salt, made] if n.isdecimal() and r.isdecimal() and p.isdecimal():
            try:
                found = (int(n), int(r), int(p), base64.b64decode(salt), base64.b64decode(made))
            except ValueError:
                return None
            # a bound on the cost: a typing mistake must not cost a minute and all memory at every sign-in
            return found if found[4] and 2 <= found[0] <= 2**16 and found[1] * found[2] <= 64 else None
    return None
