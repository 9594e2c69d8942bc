"""A small server that speaks the chat-completions protocol over HTTP, on loopback, and answers what the test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = str | int | bytes | dict[str, Any] | Iterator[str]


@dataclass
class ChatServer:
    """``answer`` gets the request and returns the reply's text, an HTTP status to fail with, or raw bytes.

    A dictionary is the message itself, for what a text cannot say (``tool_calls``); an iterator, a text
    written piece by piece as it yields.
    """

    answer: Callable[[dict[str, Any]], Answer]
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def serving(answer: Callable[[dict[str, Any]], Answer]) -> Iterator[ChatServer]:
    chat = ChatServer(answer=answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            chat.requests.append({"path": self.path, **request})
            chat.keys.append(self.headers.get("Authorization", ""))
            said = chat.answer(request)
            if isinstance(said, Iterator):
                self._stream(request, said)
                return
            status = said if isinstance(said, int) else 200
            streamed = request.get("stream") and isinstance(said, (str, dict))
            body = said if isinstance(said, bytes) else (_events if streamed else _completion)(request, said).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                return  # the client gave up waiting: what the test is about

        def _stream(self, request: dict[str, Any], said: Iterator[str]) -> None:
            try:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for text in said:
                    self.wfile.write(_event(request, {"content": text}).encode())
                    self.wfile.flush()
                self.wfile.write(b"data: [DONE]\n\n")
            except (BrokenPipeError, ConnectionResetError):
                return

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    chat.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        chat.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _message(said: str | dict[str, Any]) -> dict[str, Any]:
    return said if isinstance(said, dict) else {"role": "assistant", "content": said}


def _completion(request: dict[str, Any], said: Answer) -> str:
    if isinstance(said, int):
        return json.dumps({"error": {"message": "no", "type": "server_error"}})
    assert isinstance(said, (str, dict))
    choice = {"index": 0, "message": _message(said), "finish_reason": "stop"}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": request["model"], "choices": [choice]}
    )


def _events(request: dict[str, Any], said: Answer) -> str:
    """The reply in pieces of a few letters, as server-sent events."""
    assert isinstance(said, (str, dict))
    message = _message(said)
    text = message.get("content") or ""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text[k : k + 7]} for k in range(0, len(text), 7)]
    if calls := message.get("tool_calls"):
        deltas.append({"tool_calls": [{"index": n, **call} for n, call in enumerate(calls)]})
    return "".join([*(_event(request, d) for d in deltas), _event(request, {}, "stop"), "data: [DONE]\n\n"])


def _event(request: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": request["model"], "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n"
