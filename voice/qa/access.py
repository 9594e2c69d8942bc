"""Who may look: loopback only without a token, the token with one. And what every response carries.

Without a token the server is bound to loopback, which a web page elsewhere can still reach through a DNS name that it
points here: so the Host header must name this machine. Requests that change something must come from our own pages.

Hears from: every request. Tells: the application.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable, Mapping

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telephony.settings import is_loopback
from voice.qa import problems
from voice.qa.users import User, Viewer, hash_password, is_password, right_for

COOKIE = "warmline"
SESSION_S = 12 * 3600
OPEN_PATHS = ("/healthz", "/readyz", "/login")
OPEN_PREFIX = "/static/"
ATTEMPTS, ATTEMPTS_S = 10, 60.0
"""Wrong tokens per minute and client address before it waits."""
CLIENTS = 1000
"""Addresses remembered at most: the memory of a guesser is not ours to spend."""
_NOBODY = hash_password("", b"no such user")
"""Compared with when nobody has the name: the time of an answer must not tell which names exist."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Gate:
    """Tokens, users and sessions. A session is the time it ends, a name and a MAC: nothing is kept on the server."""

    def __init__(self, token: str, users: Mapping[str, User] | None = None) -> None:
        self._token = token
        self.users = dict(users or {})
        # a changed password or role is another key: every session ends with it
        known = "".join(f"\0{u.name}\0{u.role}\0{u.password}" for u in self.users.values())
        self._key = hashlib.sha256(f"warmline session\0{token}{known}".encode()).digest()
        self._wrong: dict[str, deque[float]] = {}

    @property
    def needed(self) -> bool:
        return bool(self._token or self.users)

    def admits(self, given: str, client: str, now_s: float) -> bool:
        """Whether this is the token. A client with too many wrong ones is not even compared."""
        if not self._token or self.is_throttled(client, now_s):
            return False
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return True
        self._remember_wrong(client, now_s)
        return False

    def admits_user(self, name: str, password: str, client: str, now_s: float) -> bool:
        """Whether this is the user's password. Takes about 50 ms, for a name that nobody has too."""
        if not self.users or self.is_throttled(client, now_s):
            return False
        user = self.users.get(name)
        known = is_password(user.password if user else _NOBODY, password)
        if user and known:
            return True
        self._remember_wrong(client, now_s)
        return False

    def _remember_wrong(self, client: str, now_s: float) -> None:
        if len(self._wrong) >= CLIENTS:
            self._wrong.clear()
        self._wrong.setdefault(client, deque(maxlen=ATTEMPTS)).append(now_s)

    def is_throttled(self, client: str, now_s: float) -> bool:
        wrong = self._wrong.get(client)
        return wrong is not None and len(wrong) == ATTEMPTS and now_s - wrong[0] < ATTEMPTS_S

    def session(self, now_s: float, name: str = "") -> str:
        """``name``: of the user; empty for whoever signed in with the token."""
        text = f"{int(now_s) + SESSION_S}.{base64.urlsafe_b64encode(name.encode()).decode().rstrip('=')}"
        return f"{text}.{self._mac(text)}"

    def viewer_of(self, cookie: str, now_s: float) -> Viewer | None:
        """Whose session this is; ``None`` if it is none, or over."""
        text, _, mac = cookie.rpartition(".")
        if not self.needed or not hmac.compare_digest(mac.encode(), self._mac(text).encode()):
            return None
        ends, _, named = text.partition(".")
        if int(ends) <= now_s:
            return None
        name = base64.urlsafe_b64decode(named + "=" * (-len(named) % 4)).decode()
        if not name:
            return Viewer() if self._token else None
        user = self.users.get(name)
        return Viewer(name=user.name, role=user.role, person=True) if user else None

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


class Access:
    """ASGI middleware: lets a request in, or answers it with what is missing."""

    def __init__(self, app: ASGIApp, gate: Gate, has_signature: Callable[[Request], bool] = lambda _: False) -> None:
        self._app = app
        self._gate = gate
        self._has_signature = has_signature

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                # what a caller said must not lie in a shared cache; /static/ sets its own
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        request = Request(scope, receive)
        request.state.viewer = self._viewer(request)
        request.state.signed_in = self._gate.needed and request.state.viewer is not None
        refusal = self._refusal(request)
        if refusal is not None:
            await refusal(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as exc:  # noqa: BLE001 - the border: uvicorn would log the text, and it may be a caller's
            response = problems.bug(request, exc)
            if not started:
                await response(scope, receive, send_with_headers)

    def _viewer(self, request: Request) -> Viewer | None:
        if not self._gate.needed:
            return Viewer()
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._gate.admits(given.strip(), client_of(request), time.monotonic()):
            return Viewer()
        return self._gate.viewer_of(request.cookies.get(COOKIE, ""), time.time())

    def _refusal(self, request: Request) -> ASGIApp | None:
        path = request.url.path
        if not self._gate.needed and not _names_this_machine(request.headers):
            return problems.respond(request, 421, "without web.token only this machine's own name is answered")
        if self._has_signature(request):
            # The address itself is the credential, and no other page can know it.
            return None
        if request.method not in ("GET", "HEAD", "OPTIONS") and not _same_origin(request.headers):
            return problems.respond(request, 403, "changes are accepted only from these pages themselves")
        if path in OPEN_PATHS or path.startswith(OPEN_PREFIX):
            return None
        if viewer := request.state.viewer:
            # the path that is routed by, not request.url: an escaped "?" would cut that one short
            right = right_for(request.method, request.scope["path"])
            return None if viewer.may(right) else problems.respond(request, 403, f"not for a {viewer.role}")
        if self._gate.is_throttled(client_of(request), time.monotonic()):
            return problems.respond(request, 429, "too many wrong tokens; wait a minute", {"Retry-After": "60"})
        if "text/html" in request.headers.get("accept", "") and not path.startswith("/api/"):
            return RedirectResponse("/login", 303)
        return problems.respond(
            request, 401, "send the web.token as `Authorization: Bearer …`, or sign in", {"WWW-Authenticate": "Bearer"}
        )


def client_of(request: Request) -> str:
    return request.client.host if request.client else ""


def _names_this_machine(headers: Headers) -> bool:
    host = headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return is_loopback(name.strip("[]"))


def _same_origin(headers: Headers) -> bool:
    """Browsers name the origin of every request that changes something; a program need not."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")
