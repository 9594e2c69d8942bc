"""Configuration of all three processes: one TOML file, every key also ``WARMLINE_SECTION__KEY``.

Hears from: the operator. Tells: everybody. ``docs/settings.md`` is generated from the field descriptions.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from telephony.errors import ConfigError

HostPort = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$")]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Outbound(Section):
    proxy: str = Field("", description="SIP proxy for the human leg; empty = straight to the target.")
    from_: str = Field("", alias="from", description="Address in From of the human leg.")
    user: str = Field("", description="User name for the proxy's challenge.")
    password_file: str = Field("", description="File with the password for it.")


class Sip(Section):
    bind: HostPort = Field("0.0.0.0:5060", description="Address and port for SIP over UDP and TCP.")
    advertise: str = Field("", description="Address written into SDP and Contact behind NAT.")
    trunks: list[str] = Field(
        default_factory=list, description="Networks that may call us, as CIDR; empty = loopback only."
    )
    register_: str = Field("", alias="register", description="sip:user@registrar to register with.")
    password_file: str = Field("", description="File with the password for the registrar.")
    outbound: Outbound = Field(default_factory=Outbound, description="The way out to humans.")
    rtp_ports: str = Field("10000-10999", pattern=r"^\d+-\d+$", description="UDP port range for RTP.")
    max_calls: int = Field(20, ge=1, le=40, description="Callers at once; one more is refused with 486.")

    @field_validator("trunks")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for item in value:
            ipaddress.ip_network(item, strict=False)
        return value


class Target(Section):
    name: str = Field(description="How logs and pages call this human.")
    uri: str = Field(pattern=r"^sips?:\S+@\S+$", description="SIP address to ring.")
    skills: list[str] = Field(default_factory=list, description="Intents this human takes; empty = all.")
    hours: str = Field("Mo-Su 00:00-24:00", description="Opening hours, local time of this machine.")
    trusted: bool = Field(False, description='May be bridged on answer with humans.accept = "answer".')


class Humans(Section):
    targets: list[Target] = Field(default_factory=list, description="Whom to hand a caller to, tried in order.")
    ring_seconds: float = Field(25, gt=0, description="Ringing per target [s].")
    total_seconds: float = Field(75, gt=0, description="Ringing in all before a callback is promised [s].")
    presence_seconds: float = Field(
        0, ge=0, description="Between two OPTIONS to each human's phone [s]; 0 = none, and everybody counts as there."
    )
    queue_seconds: float = Field(
        90, ge=0, le=3600, description="In line for humans who are all with other callers [s]; 0 = a callback at once."
    )
    accept: Literal["key-or-voice", "key", "answer"] = Field("key-or-voice", description="How a human accepts.")
    transfer: Literal["bridge", "refer"] = Field(
        "bridge", description="How the caller is given to the human: joined here, or by REFER with Replaces."
    )
    callback: Literal["ticket", "dial"] = Field(
        "ticket", description="What follows when nobody is free: a ticket for a person, or we dial (human first)."
    )
    callback_route: str = Field(
        "", description='Where callers are dialled, as "sip:{number}@host"; nothing else of it comes from a caller.'
    )
    callback_numbers: list[str] = Field(
        default_factory=list, description='Beginnings of numbers that may be called back, e.g. ["+49", "+1212"].'
    )
    callback_hours: str = Field("", description="When we dial, as in targets[].hours; callback_window says it aloud.")
    callback_attempts: int = Field(5, ge=1, le=20, description="Humans rung in all for one call back.")
    callback_every_minutes: float = Field(
        15, gt=0, description="Before the first attempt of a call back, and between two [min]."
    )
    callback_window: str = Field("today between 2 and 4 pm", description="When a callback is promised, as spoken.")
    crisis_target: str = Field("", description="Name of the target tried first in a crisis.")


class Agent(Section):
    persona: str = Field("default", description="Tone of voice: a name that ships, or a TOML file.")
    playbook: str = Field("default", description="Intents, slots, knowledge: a name that ships, or a TOML file.")
    incidents: str = Field("", description="TOML file of active incidents, read again when it changes.")
    language: Literal["en"] = Field("en", description="Only English for now.")
    voice: str = Field("default", description="Path of a Piper voice (.onnx beside .onnx.json); default: joe.")
    tts: Literal["builtin", "piper"] = Field(
        "builtin", description="Who runs the voice: we, or piper-tts (GPL-3, extra piper), slower, in its own process."
    )
    llm_base_url: str = Field("", description="Any OpenAI-compatible server; empty = the built-in replies.")
    llm_model: str = Field("", description="Model name for that server.")
    llm_choices: bool = Field(
        True, description="Ask it what is meant where the playbook recognises nothing: the caller's words go there."
    )
    llm_api_key_file: str = Field("", description="File with its key.")
    crisis_number: str = Field("988", description="Number said to a caller in crisis.")
    patience: float = Field(
        1.0, ge=0.5, le=3, description="Times the waits at the end of turns; more cuts off fewer callers and is slower."
    )
    captions: bool = Field(False, description="Words of a turn while it is spoken, about once a second, if idle.")


class Ear(Section):
    model: str = Field("open", description="open | research (non-commercial) | a folder with model.onnx + model.yaml.")
    max_false_transfers_per_100_calls: float = Field(
        1.0,
        gt=0,
        le=100,
        description="Calm calls the voice alone may raise (handoffs are fewer), per 100 of 3 min with 90 s of speech.",
    )
    transcriber: str = Field("default", description="A faster-whisper model name or folder.")


class Privacy(Section):
    record: bool = Field(True, description="Keep the call's sound.")
    transcribe: bool = Field(True, description="Keep the words that were said; off: they live in memory only.")
    analyse_emotion: bool = Field(False, description="Measure the caller's voice for distress. Off until you decide.")
    remember: bool = Field(False, description="Ask identified callers whether to remember their matter.")
    remember_days: int = Field(90, ge=1, description="Days until what was remembered is erased.")
    retain_days: int = Field(30, ge=0, description="Days until a call is erased; 0 = never.")


class Store(Section):
    dir: Path = Field(Path("./warmline-data"), description="Call folders and their SQLite index.")
    url: str = Field("", description="postgresql://… (not yet: refused).")
    blobs: str = Field("", description="s3://… (not yet: refused).")


class Web(Section):
    bind: HostPort = Field("127.0.0.1:8080", description="Address and port of the replay pages and the API.")
    token: SecretStr = Field(SecretStr(""), description="Required before binding anything but loopback.")
    token_file: str = Field("", description="File with that token.")
    users_file: str = Field(
        "", description="TOML file of people and their roles (docs/replay.md); they sign in by name."
    )
    public_url: str = Field("", description="Address of the pages as humans reach them; empty = http:// and web.bind.")


class Events(Section):
    webhooks: list[str] = Field(
        default_factory=list, description="Addresses that get CloudEvents 1.0 (docs/integrators.md)."
    )
    secret_file: str = Field(
        "", description="File with the signing secret (whsec_… or any text); needed with webhooks."
    )


class Media(Section):
    bind: str = Field("", description="Carriers' websockets (not yet: refused).")


class Worker(Section):
    link: HostPort = Field("127.0.0.1:5065", description="Loopback address of the gateway's link.")
    count: int = Field(2, ge=1, le=16, description="Worker processes; one is a warm spare.")


class Settings(BaseSettings):
    """The whole configuration. Build it with `load`."""

    model_config = SettingsConfigDict(
        env_prefix="WARMLINE_", env_nested_delimiter="__", extra="forbid", frozen=True, case_sensitive=False
    )

    sip: Sip = Field(default_factory=Sip)
    humans: Humans = Field(default_factory=Humans)
    agent: Agent = Field(default_factory=Agent)
    ear: Ear = Field(default_factory=Ear)
    privacy: Privacy = Field(default_factory=Privacy)
    store: Store = Field(default_factory=Store)
    web: Web = Field(default_factory=Web)
    events: Events = Field(default_factory=Events)
    media: Media = Field(default_factory=Media)
    worker: Worker = Field(default_factory=Worker)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrides the file."""
        return env_settings, init_settings


_NOT_YET = {
    "store.url": "PostgreSQL is not supported yet; remove it and set store.dir",
    "store.blobs": "S3 storage is not supported yet; remove it and set store.dir",
    "media.bind": "carriers' media websockets are not supported yet; remove it and use SIP",
}


def load(path: Path | None = None) -> Settings:
    """Reads the TOML file (``None``: defaults) and the environment.

    Raises:
        ConfigError: File unreadable, unknown key, wrong type, or a feature that does not exist yet.
    """
    table: dict[str, Any] = {}
    if path is not None:
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except OSError as exc:
            raise ConfigError("--config", str(path), f"{exc.strerror}; give the path of a TOML file") from exc
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            raise ConfigError("--config", str(path), f"not TOML: {exc}") from exc
    try:
        settings = Settings(**table)
    except ValidationError as exc:
        raise _config_error(exc) from None
    for key, remedy in _NOT_YET.items():
        section, name = key.split(".")
        if value := getattr(getattr(settings, section), name):
            raise ConfigError(key, value, remedy)
    if settings.humans.callback == "dial":
        _check_dialling(settings.humans)
    if settings.events.webhooks and not settings.events.secret_file:
        raise ConfigError("events.secret_file", "", "events are signed; name a file with the secret")
    model = settings.agent.llm_base_url
    if model and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", model):
        raise ConfigError("agent.llm_base_url", model, 'write it like "http://127.0.0.1:8000/v1"')
    host = settings.web.bind.rsplit(":", 1)[0].strip("[]")
    if not is_loopback(host) and not (web_token(settings) or settings.web.users_file):
        raise ConfigError("web.bind", settings.web.bind, "set web.token before binding anything but loopback")
    return settings


def _check_dialling(humans: Humans) -> None:
    """A number comes from whoever called, so where it may lead is the operator's to say (toll fraud)."""
    if not re.fullmatch(r"sips?:\{number\}@[^\s?{}]+", humans.callback_route):
        raise ConfigError("humans.callback_route", humans.callback_route, 'write it like "sip:{number}@192.0.2.1"')
    if not humans.callback_numbers:
        raise ConfigError("humans.callback_numbers", "", 'say which numbers may be dialled, e.g. ["+49"]')
    if not humans.callback_hours:
        raise ConfigError("humans.callback_hours", "", "say when callers may be rung, e.g. 'Mo-Fr 14:00-16:00'")


def web_token(settings: Settings) -> str:
    """The token the pages ask for; empty = none is needed."""
    if settings.web.token_file:
        return read_secret("web.token_file", settings.web.token_file)
    return settings.web.token.get_secret_value()


def read_secret(key: str, path: str) -> str:
    """First line of a secret's file. Its content is never part of a message."""
    try:
        return Path(path).read_text("utf-8").splitlines()[0].strip()
    except (OSError, IndexError) as exc:
        raise ConfigError(key, path, "no readable secret in this file") from exc


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def split_host_port(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    return host.strip("[]"), int(port)


def _config_error(exc: ValidationError) -> ConfigError:
    first = exc.errors()[0]
    where = re.sub(r"\.(\d+)", r"[\1]", ".".join(str(p) for p in first["loc"]))
    value = "…" if "password" in where or "token" in where or "secret" in where else first.get("input")
    if first["type"] == "extra_forbidden":
        return ConfigError(where, value, "no such key; see docs/settings.md")
    return ConfigError(where, value, first["msg"][0].lower() + first["msg"][1:])
