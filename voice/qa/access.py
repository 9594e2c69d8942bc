"""Who may look: loopback only without a token, the token with one. And what every response carries.

Without a token the server is bound to loopback, which a web page elsewhere can still reach through a DNS name that it
points here: so the Host header must name this machine. Requests that change something must come from our own pages.

Hears from: every request. Tells: the application.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telephony.settings import is_loopback
from voice.qa import problems

COOKIE = "warmline"
SESSION_S = 12 * 3600
OPEN_PATHS = ("/healthz", "/readyz", "/login")
OPEN_PREFIX = "/static/"
ATTEMPTS, ATTEMPTS_S = 10, 60.0
"""Wrong tokens per minute and client address before it waits."""
CLIENTS = 1000
"""Addresses remembered at most: the memory of a guesser is not ours to spend."""

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
    """Tokens and sessions. A session is the time it ends and a MAC over it: nothing is kept on the server."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._key = hashlib.sha256(b"warmline session\0" + token.encode()).digest()
        self._wrong: dict[str, deque[float]] = {}

    @property
    def needed(self) -> bool:
        return bool(self._token)

    def admits(self, given: str, client: str, now_s: float) -> bool:
        """Whether this is the token. A client with too many wrong ones is not even compared."""
        if not self.needed or self.is_throttled(client, now_s):
            return False
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return True
        if len(self._wrong) >= CLIENTS:
            self._wrong.clear()
        self._wrong.setdefault(client, deque(maxlen=ATTEMPTS)).append(now_s)
        return False

    def is_throttled(self, client: str, now_s: float) -> bool:
        wrong = self._wrong.get(client)
        return wrong is not None and len(wrong) == ATTEMPTS and now_s - wrong[0] < ATTEMPTS_S

    def session(self, now_s: float) -> str:
        ends = str(int(now_s) + SESSION_S)
        return f"{ends}.{self._mac(ends)}"

    def is_session(self, cookie: str, now_s: float) -> bool:
        ends, _, mac = cookie.partition(".")
        return ends.isdigit() and hmac.compare_digest(mac, self._mac(ends)) and int(ends) > now_s

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
        request.state.signed_in = self._signed_in(request)
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

    def _signed_in(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._gate.admits(given.strip(), client_of(request), time.monotonic()):
            return True
        return self._gate.needed and self._gate.is_session(request.cookies.get(COOKIE, ""), time.time())

    def _refusal(self, request: Request) -> ASGIApp | None:
        path = request.url.path
        if not self._gate.needed and not _names_this_machine(request.headers):
            return problems.respond(request, 421, "without web.token only this machine's own name is answered")
        if self._has_signature(request):
            # The address itself is the credential, and no other page can know it.
            return None
        if request.method not in ("GET", "HEAD", "OPTIONS") and not _same_origin(request.headers):
            return problems.respond(request, 403, "changes are accepted only from these pages themselves")
        if not self._gate.needed or request.state.signed_in or path in OPEN_PATHS or path.startswith(OPEN_PREFIX):
            return None
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
