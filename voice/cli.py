"""The command ``warmline``. A user's mistake is one line on stderr and exit 2, never a traceback.

Hears from: the person at the terminal. Tells: whatever part was asked for, imported only then.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from telephony.errors import ConfigError, RecordError
from telephony.settings import Settings, load
from voice import cli_store, cli_tools, lifeline
from voice.cli_options import Config, StoreDir
from voice.errors import UserError

app = typer.Typer(
    name="warmline", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Answers phone calls, hears distress, and hands the caller warmly to a human.",
)  # fmt: skip

SCENARIOS = ("distress", "calm", "asks-for-human", "human-busy", "no-human")


def _until_signal(body: Callable[[asyncio.Event], Coroutine[Any, Any, int | None]]) -> int:
    """Runs a long-lived part; SIGTERM and SIGINT set its stop event."""

    async def run() -> int:
        stop = asyncio.Event()
        for sig in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sig, stop.set)
        lifeline.on_end(stop.set)
        return await body(stop) or 0

    return asyncio.run(run())


@app.command(epilog="Example: warmline demo --scenario calm")
def demo(
    scenario: Annotated[str, typer.Option(help="One of: " + ", ".join(SCENARIOS))] = "distress",
    store: Annotated[Path | None, typer.Option(help="Where the call is kept; default: a new folder.")] = None,
    keep: Annotated[bool | None, typer.Option("--keep/--no-keep", help="Keep the replay page up at the end.")] = None,
) -> None:
    """One whole phone call on this machine, over real SIP and RTP."""
    from voice.demo.runner import run_demo, scenarios

    if scenario not in scenarios():
        raise UserError(f"--scenario {scenario}: choose one of {', '.join(scenarios())}")
    keep_web = sys.stdout.isatty() if keep is None else keep

    async def run() -> int:
        task = asyncio.ensure_future(run_demo(scenario, store, Console(), keep_web))
        # SIGTERM takes everything down that was started, as Ctrl-C does
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        raise typer.Exit(asyncio.run(run()))
    except asyncio.CancelledError:
        raise typer.Exit(143) from None


@app.command(epilog="Example: warmline serve --config warmline.toml")
def serve(config: Config = None) -> None:
    """Gateway, workers and web page, supervised. SIGTERM drains."""
    from voice.serve import serve as run

    _log_to_stderr()
    raise typer.Exit(asyncio.run(run(load(config), config)))


@app.command(epilog="Example: warmline gateway --config warmline.toml")
def gateway(config: Config = None) -> None:
    """Only the phone: SIP, RTP, bridge, recorder."""
    from telephony.gateway import run_gateway

    _log_to_stderr()
    settings = load(config)
    raise typer.Exit(_until_signal(lambda stop: run_gateway(settings, stop=stop)))


@app.command(epilog="Example: warmline worker --name worker-1")
def worker(config: Config = None, name: Annotated[str, typer.Option(help="How logs call it.")] = "worker") -> None:
    """Only the agent: recognition, ear, dialogue, speech."""
    from voice.worker import run_worker

    _log_to_stderr()
    settings = load(config)
    raise typer.Exit(_until_signal(lambda stop: run_worker(settings, name=name, stop=stop)))


@app.command(epilog="Example: warmline web --config warmline.toml")
def web(config: Config = None, store: StoreDir = None) -> None:
    """Only the replay pages and the API."""
    from voice.qa.app import run_web

    _log_to_stderr()
    settings = load(config)
    if store is not None:
        settings = settings.model_copy(update={"store": settings.store.model_copy(update={"dir": store})})
    raise typer.Exit(_until_signal(lambda stop: run_web(settings, stop)))


@app.command(epilog="Example: warmline call sip:agent@127.0.0.1:5060 --play question.wav --record answer.wav")
def call(
    uri: Annotated[str, typer.Argument(metavar="SIP-URI", help="Whom to call.")],
    play: Annotated[Path | None, typer.Option(help="Recording to speak (WAV, FLAC).")] = None,
    record: Annotated[Path | None, typer.Option(help="Stereo WAV of both sides (near, far).")] = None,
    dtmf: Annotated[str, typer.Option(help="Keys to press once the recording was played.")] = "",
    seconds: Annotated[float, typer.Option(help="Hang up after this long [s].")] = 60.0,
) -> None:
    """A small telephone: one call, with timings as JSON."""
    from telephony.phone import place_call

    report = asyncio.run(place_call(uri, play=play, record=record, dtmf=dtmf, seconds=seconds))
    typer.echo(json.dumps(report.to_json()))
    raise typer.Exit(0 if report.answered else 1)


app.add_typer(cli_tools.app)
app.add_typer(cli_store.app)


def _log_to_stderr() -> None:
    from voice.logs import to_stderr

    to_stderr()


def main() -> None:
    """Entry point: turns every user's mistake into one line."""
    try:
        app()
    except (ConfigError, UserError, RecordError) as exc:
        print(f"warmline: {exc}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


__all__ = ["Settings", "app", "main"]

if __name__ == "__main__":
    main()
