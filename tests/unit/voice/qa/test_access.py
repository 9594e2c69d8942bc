from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from telephony.errors import ConfigError
from telephony.settings import Settings
from tests.unit.voice.qa.conftest import client_of
from voice.qa.access import ATTEMPTS, ATTEMPTS_S, SESSION_S, Gate
from voice.qa.app import run_web
from voice.qa.users import Viewer

TOKEN = "correct horse battery staple"


@pytest.fixture
def locked(tmp_path: Path) -> TestClient:
    return client_of(tmp_path, TOKEN)


@pytest.mark.parametrize("path", ["/", "/api/calls", "/metrics", "/openapi.json", "/api/live", "/calls/x"])
def test_nothing_without_the_token(locked: TestClient, path: str) -> None:
    reply = locked.get(path)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert locked.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_program_sends_the_token(locked: TestClient) -> None:
    assert locked.get("/api/calls", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_supervisors_need_no_token(locked: TestClient) -> None:
    assert locked.get("/healthz").status_code == 200
    assert locked.get("/readyz").status_code == 503


def test_a_person_signs_in_and_out(locked: TestClient) -> None:
    assert locked.get("/", headers={"Accept": "text/html"}, follow_redirects=False).headers["location"] == "/login"
    assert locked.post("/login", data={"token": "wrong"}).status_code == 403
    reply = locked.post("/login", data={"token": TOKEN}, follow_redirects=False)
    cookie = reply.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert locked.get("/").status_code == 200
    locked.post("/logout")
    assert locked.get("/api/calls").status_code == 401


def test_a_session_ends_and_cannot_be_made_up() -> None:
    gate = Gate(TOKEN)
    cookie = gate.session(1000.0)
    assert gate.viewer_of(cookie, 1000.0 + SESSION_S - 1) == Viewer()
    assert gate.viewer_of(cookie, 1000.0 + SESSION_S + 1) is None
    ends, name, mac = cookie.split(".")
    for forged in (f"{int(ends) + 9999}.{name}.{mac}", f"{ends}.bWFyYQ.{mac}", "", f"²..{mac}", mac, ".", "ü.ü.ü"):
        assert gate.viewer_of(forged, 1000.0) is None
    assert Gate("another").viewer_of(cookie, 1000.0) is None
    assert Gate("").viewer_of(Gate("").session(1000.0), 1000.0) is None


def test_guessing_is_slow_and_slows_nobody_else() -> None:
    gate = Gate(TOKEN)
    for n in range(ATTEMPTS):
        assert not gate.admits("guess", "10.0.0.1", float(n))
    assert not gate.admits(TOKEN, "10.0.0.1", 10.0)
    assert gate.admits(TOKEN, "10.0.0.2", 10.0)
    assert gate.admits(TOKEN, "10.0.0.1", ATTEMPTS_S + 1)


def test_another_name_for_this_machine_is_not_answered(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    for host in ("127.0.0.1:8080", "localhost:8080", "[::1]:8080"):
        assert client.get("/api/calls", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "127.0.0.1.evil.example:8080", ""):
        assert client.get("/api/calls", headers={"Host": host}).status_code == 421


def test_other_sites_change_nothing(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9999"):
        assert client.delete("/api/calls/x", headers={"Origin": origin}).status_code == 403
    assert client.delete("/api/calls/x", headers={"Origin": "http://127.0.0.1:8080"}).status_code == 404


def test_every_answer_carries_the_policy(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    for path in ("/", "/healthz", "/nowhere", "/static/style.css", "/api/calls/x"):
        headers = client.get(path).headers
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert client.get("/api/calls").headers["cache-control"] == "no-store"


def test_no_served_template_has_inline_script_or_style() -> None:
    templates = sorted((Path(__file__).parents[4] / "voice/qa/templates").glob("*.html"))
    served = [p for p in templates if p.name not in ("static.html", "pack.html")]
    assert len(served) >= 6
    for path in served:
        text = path.read_text()
        assert not re.search(r"<style|<script>|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe", text), path.name


async def test_run_web_refuses_the_world_without_a_token(tmp_path: Path) -> None:
    settings = Settings(store={"dir": tmp_path}, web={"bind": "0.0.0.0:28099"})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"web\.token"):
        await run_web(settings, asyncio.Event())


async def test_run_web_tells_a_port_in_use_and_stops_when_told(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    settings = Settings(store={"dir": tmp_path}, web={"bind": f"127.0.0.1:{port}"})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="free the port"):
        await run_web(settings, asyncio.Event())
    taken.close()
    await taken.wait_closed()
    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(run_web(settings, stop), 20)
