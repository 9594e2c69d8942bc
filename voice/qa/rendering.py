"""Templates and the filters they use. Every string may come from a phone line: escaping is on and never lifted.

Hears from: `voice.qa.pages`, `voice.qa.problems`. Tells: the browser.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from voice import __version__
from voice.qa.users import Viewer

_PACKAGE = files("voice.qa")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Control and bidirectional formatting characters: a caller id must not rewrite the line it stands in."""


def plain(value: object) -> str:
    """A stranger's text with invisible and direction-changing characters made visible."""
    return _UNPRINTABLE.sub("\ufffd", str(value))


def clock(seconds: float | None) -> str:
    """Call time as m:ss or h:mm:ss."""
    if seconds is None:
        return "–"
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def tenths(seconds: float) -> str:
    """Call time to a tenth of a second: a word is shorter than a second."""
    return f"{clock(seconds)}.{int(seconds * 10 + 1e-6) % 10}"


def seconds(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f} s"


def millis(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def when(text: str) -> str:
    """RFC 3339 as "24 Nov 2026, 09:12 UTC"; a script shows the reader's own time in its place."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%-d %b %Y, %H:%M UTC")
    except ValueError:
        return "time unknown"


def value(x: object) -> str:
    """A number as a person writes it, anything else as text."""
    if isinstance(x, bool):
        return "yes" if x else "no"
    if isinstance(x, float):
        return f"{x:.3g}"
    if x is None:
        return "–"
    return plain(x)


environment = jinja2.Environment(
    loader=jinja2.PackageLoader("voice.qa", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=lambda x: plain(x) if isinstance(x, str) and not hasattr(x, "__html__") else x,
)
environment.filters.update(clock=clock, tenths=tenths, seconds=seconds, millis=millis, when=when, value=value)
environment.globals["version"] = __version__


def render(request: Request, template: str, *, status_code: int = 200, **context: Any) -> HTMLResponse:
    signed_in = getattr(request.state, "signed_in", False)
    viewer = getattr(request.state, "viewer", None) or Viewer()
    page = environment.get_template(template).render(
        **{"path": request.url.path, "signed_in": signed_in, "viewer": viewer, **context}
    )
    return HTMLResponse(page, status_code)


def asset(name: str) -> bytes:
    """A file of the frontend, by its path below ``frontend/``."""
    return (_PACKAGE / "frontend" / name).read_bytes()
