from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from telephony.errors import ConfigError
from telephony.settings import Settings
from tests.browser import make_call
from voice.qa import users
from voice.qa.app import create_app

CALL = "20261124-091203-4f2a9c"
ROLES = {"mara": "reviewer", "kim": "reviewer", "lee": "lead", "ada": "auditor"}
REVIEW = {"verdict": "bad", "comment": "Late.", "answers": {"tone": 2}}


@pytest.fixture(scope="module")
def users_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("users") / "users.toml"
    path.write_text(
        "".join(
            f'[[users]]\nname = "{n}"\nrole = "{r}"\npassword = "{users.hash_password("of " + n)}"\n'
            for n, r in ROLES.items()
        )
    )
    return path


@pytest.fixture
def people(tmp_path: Path, users_file: Path) -> Iterator[dict[str, TestClient]]:
    """Everybody signed in to one server over one store."""
    make_call.distress(tmp_path)
    settings = Settings(store={"dir": tmp_path}, web={"users_file": str(users_file)}, privacy={"retain_days": 0})
    app = create_app(settings)
    app.state.web.index.scan()
    out = {}
    for name in ROLES:
        client = TestClient(app, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)
        reply = client.post("/login", data={"name": name, "password": f"of {name}"}, follow_redirects=False)
        assert reply.status_code == 303
        out[name] = client
    yield out
    app.state.web.index.close()


def test_nobody_gets_in_without_their_own_password(people: dict[str, TestClient]) -> None:
    stranger = TestClient(people["mara"].app, base_url="http://127.0.0.1:8080")
    assert stranger.get("/api/calls").status_code == 401
    for given in ({"name": "mara", "password": "of kim"}, {"name": "nobody", "password": ""}, {"token": ""}, {}):
        assert stranger.post("/login", data=given).status_code == 403
    assert stranger.get("/api/calls", headers={"Authorization": "Bearer "}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "/", {"reviewer", "lead", "auditor"}),
        ("GET", f"/api/calls/{CALL}/audio/caller", {"reviewer", "lead", "auditor"}),
        ("POST", f"/api/calls/{CALL}/reviews", {"reviewer", "lead"}),
        ("GET", f"/api/calls/{CALL}/export", {"lead", "auditor"}),
        ("GET", f"/api/calls/{CALL}/test", {"lead", "auditor"}),
        ("GET", "/api/corrections.zip", {"lead", "auditor"}),
        ("GET", "/api/audit", {"lead", "auditor"}),
        ("GET", "/audit", {"lead", "auditor"}),
        ("POST", "/api/reviews/99/upheld", {"lead"}),
        ("DELETE", "/api/calls/nope", {"lead"}),
    ],
)
def test_what_each_role_may(people: dict[str, TestClient], method: str, path: str, may: set[str]) -> None:
    for name, role in ROLES.items():
        body = {"note": "x"} if "/api/reviews/" in path else REVIEW
        status = people[name].request(method, path, json=body if method == "POST" else None).status_code
        assert (status != 403) == (role in may), (name, status)
        assert status < 500


def test_whoever_is_signed_in_judges_under_that_name(people: dict[str, TestClient]) -> None:
    stored = people["mara"].post(f"/api/calls/{CALL}/reviews", json=REVIEW | {"reviewer": "kim"}).json()
    assert (stored["reviewer"], stored["form"], stored["score"], stored["state"]) == (
        "mara", "call-review/2", 25.0, "draft",
    )  # fmt: skip
    assert len(stored["versions"]["form"]) == 12


def test_the_second_review_is_blind(people: dict[str, TestClient]) -> None:
    url = f"/api/calls/{CALL}/reviews"
    number = people["mara"].post(url, json=REVIEW).json()["id"]
    people["mara"].post(f"/api/reviews/{number}/released", json={})
    assert people["kim"].get(url).json() == []
    assert "Late." not in people["kim"].get(f"/calls/{CALL}").text
    assert len(people["ada"].get(url).json()) == 1
    people["kim"].post(url, json=REVIEW | {"comment": "Mine."})
    assert {r["reviewer"] for r in people["kim"].get(url).json()} == {"mara", "kim"}
    assert {r["reviewer"] for r in people["mara"].get(url).json()} == {"mara"}, "a draft is its author's"


def test_a_dispute_from_release_to_ruling(people: dict[str, TestClient]) -> None:
    url = f"/api/calls/{CALL}/reviews"
    review = people["mara"].post(url, json=REVIEW).json()
    assert review["moves"] == ["released"]
    at = f"/api/reviews/{review['id']}"
    assert people["kim"].post(f"{at}/released", json={}).status_code == 409
    assert people["mara"].post(f"{at}/released", json={}).status_code == 201
    assert people["kim"].post(f"{at}/disputed", json={}).status_code == 409
    people["kim"].post(url, json=REVIEW)
    assert people["kim"].post(f"{at}/disputed", json={"note": "It was in time."}).status_code == 201
    assert people["kim"].post(f"{at}/upheld", json={"note": "No."}).status_code == 403
    assert people["lee"].post(f"{at}/upheld", json={"note": "Heard again."}).json()["actor"] == "lee"
    seen = next(r for r in people["lee"].get(url).json() if r["id"] == review["id"])
    assert [h["state"] for h in seen["history"]] == ["released", "disputed", "upheld"]
    assert seen["moves"] == []


def test_a_fatal_answer_needs_a_word(people: dict[str, TestClient]) -> None:
    url = f"/api/calls/{CALL}/reviews"
    assert people["mara"].post(url, json={"verdict": "bad", "answers": {"truthful": 1}}).status_code == 422
    failed = people["mara"].post(url, json={"verdict": "bad", "answers": {"truthful": 1}, "comment": "Made up."})
    assert (failed.json()["score"], failed.json()["fatal"]) == (0.0, ["truthful"])


def test_every_playback_is_in_the_audit_under_its_name(people: dict[str, TestClient]) -> None:
    url = f"/api/calls/{CALL}/audio/caller"
    people["mara"].get(url, headers={"Range": "bytes=5000-5999"})
    people["mara"].get(url, headers={"Range": "bytes=6000-6999"})
    people["kim"].get(url)
    people["kim"].get(url, headers={"Range": "bytes=0-"})
    played = [x["actor"] for x in people["ada"].get("/api/audit").json() if x["action"] == "played"]
    assert sorted(played) == ["kim", "kim", "mara"]
    assert people["ada"].get("/api/audit", params={"actor": "mara", "call": CALL}).json()[0]["detail"] == "caller"
    page = people["ada"].get("/audit").text
    assert "kim" in page
    assert "signed in" in page


def test_a_changed_password_ends_the_session(people: dict[str, TestClient], tmp_path: Path, users_file: Path) -> None:
    cookie = people["mara"].cookies["warmline"]
    other = users_file.with_name("other.toml")
    other.write_text(
        users_file.read_text().replace(users.read_users(str(users_file))["mara"].password, users.hash_password("new"))
    )
    settings = Settings(store={"dir": tmp_path}, web={"users_file": str(other)})
    client = TestClient(create_app(settings), base_url="http://127.0.0.1:8080", cookies={"warmline": cookie})
    assert client.get("/api/calls").status_code == 401


@pytest.mark.parametrize(
    "text",
    [
        "", "users = 3", "[[users]]\nname = 'x'\nrole = 'lead'", "not toml",
        "[[users]]\nname = 'x'\nrole = 'boss'\npassword = 'scrypt$2$8$1$YQ==$YQ=='",
        "[[users]]\nname = 'x'\nrole = 'lead'\npassword = 'secret'",
        "[[users]]\nname = 'x'\nrole = 'lead'\npassword = 'scrypt$99999999$8$1$YQ==$YQ=='",
        "[[users]]\nname = 'x'\nrole = 'lead'\npassword = 'scrypt$2$8$1$YQ==$YQ=='\n" * 2,
    ],
)  # fmt: skip
def test_a_bad_users_file_is_one_line_without_a_secret(tmp_path: Path, text: str) -> None:
    path = tmp_path / "users.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"web\.users_file") as told:
        users.read_users(str(path))
    assert "secret" not in str(told.value).replace(str(path), "")
    with pytest.raises(ConfigError):
        users.read_users(str(tmp_path / "nope.toml"))


def test_passwords_are_hashed_with_their_own_salt() -> None:
    one, two = users.hash_password("a"), users.hash_password("a")
    assert one != two
    assert users.is_password(one, "a")
    assert not users.is_password(one, "b")
    assert not users.is_password("a", "a")
