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
from voice import lifeline
from voice.errors import UserError

app = typer.Typer(
    name="warmline", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Answers phone calls, hears distress, and hands the caller warmly to a human.",
)  # fmt: skip
ear = typer.Typer(no_args_is_help=True, help="Work on the ear's model. Example: warmline ear calibrate labels.csv")
playbook = typer.Typer(no_args_is_help=True, help="Work on playbooks. Example: warmline playbook check mine.toml")
app.add_typer(ear, name="ear")
app.add_typer(playbook, name="playbook")

Config = Annotated[Path | None, typer.Option("--config", "-c", help="TOML file; see docs/settings.md.")]
StoreDir = Annotated[Path | None, typer.Option("--store", help="Folder of the calls; default: store.dir of --config.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

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


def _store(config: Path | None, store: Path | None) -> Path:
    folder = store or load(config).store.dir
    if not folder.is_dir():
        raise UserError(f"{folder}: no such store; give --store or store.dir")
    return folder


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


@app.command(epilog="Example: warmline score call.wav --format json")
def score(
    files: Annotated[list[Path], typer.Argument(help="Recordings (WAV, FLAC); 2 channels: the first is the caller.")],
    format_: Annotated[str, typer.Option("--format", help="json, vcon or html")] = "json",
    config: Config = None,
) -> None:
    """Scores recordings with the code that runs live: same input and versions, same numbers."""
    from voice.scoring import score_files

    if format_ not in ("json", "vcon", "html"):
        raise UserError(f"--format {format_}: choose json, vcon or html")
    for text in score_files(files, format_, load(config)):
        typer.echo(text)


@app.command("eval", epilog="Example: warmline eval ear --model research --json")
def evaluate(
    what: Annotated[str, typer.Argument(help="ear, transcription, turns, latency, dialogue or handoff")],
    manifest: Annotated[Path | None, typer.Option(help="Own data; columns: docs/ear.md.")] = None,
    model: Annotated[str, typer.Option(help="open, research or a model folder.")] = "",
    calls: Annotated[int, typer.Option(help="Calls at once (latency) or in all (handoff).")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn.")] = 0,
    report: Annotated[Path | None, typer.Option(help="Folder for pictures and pages, where there are any.")] = None,
    results: Annotated[
        Path | None, typer.Option(help="handoff: a line for each call; the same seed goes on where they stop.")
    ] = None,
    minutes: Annotated[
        float,
        typer.Option(help="handoff: begin no call that would end later; latency: callers call again until then."),
    ] = 0.0,
    briefings: Annotated[
        bool, typer.Option("--briefings", help="handoff: what humans are told in scripted calls; no phones.")
    ] = False,
    peer: Annotated[bool, typer.Option("--peer", help="latency: plain pipecat beside it (the extra bench).")] = False,
    as_json: AsJson = False,
) -> None:
    """Reproduces the published figures."""
    from voice.evaluation.figures import evaluate as run

    typer.echo(
        run(
            what,
            manifest=manifest,
            model=model,
            calls=calls,
            seed=seed,
            report=report,
            as_json=as_json,
            results=results,
            minutes=minutes,
            briefings=briefings,
            peer=peer,
        )
    )


@app.command(epilog="Example: warmline audit --model research --report audit")
def audit(
    model: Annotated[str, typer.Option(help="open, research or a model folder.")] = "open",
    manifest: Annotated[Path | None, typer.Option(help="Own labelled clips; else the test split.")] = None,
    report: Annotated[Path, typer.Option(help="Folder for audit.md and its pictures.")] = Path("audit"),
    seed: Annotated[int, typer.Option(help="Seed of intervals and noise.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Bias and quality report of the ear, dated: sex, age, language, codec, noise, loss. Exit 1 where a gate fails."""
    from voice.evaluation.figures import audit as run

    text, passed = run(model=model, manifest=manifest, seed=seed, folder=report, as_json=as_json)
    typer.echo(text)
    typer.echo(f"report: {report / 'audit.md'}", err=True)
    raise typer.Exit(0 if passed else 1)


@app.command(epilog="Example: warmline verify --store ./warmline-data --repair")
def verify(
    config: Config = None,
    store: StoreDir = None,
    repair: Annotated[bool, typer.Option(help="Finish what a killed gateway left.")] = False,
    as_json: AsJson = False,
) -> None:
    """Checks every call folder: order, hash chain, sound as long as the call. Exit 1 on a problem."""
    from telephony.recovery import repair as run_repair
    from telephony.recovery import verify as run_verify

    folder = _store(config, store)
    if repair:
        for call_id in run_repair(folder):
            typer.echo(f"repaired {call_id}", err=True)
    problems = run_verify(folder)
    if as_json:
        typer.echo(json.dumps([{"call": p.call, "problem": p.text} for p in problems]))
    else:
        for p in problems:
            typer.echo(f"{p.call}: {p.text}")
        typer.echo(f"{len(problems)} problems in {folder}", err=True)
    raise typer.Exit(1 if problems else 0)


@app.command(epilog="Example: warmline erase 20261124-101500-ab12cd --store ./warmline-data")
def erase(call_id: Annotated[str, typer.Argument()], config: Config = None, store: StoreDir = None) -> None:
    """Erases one call: sound, facts, index."""
    from voice.store.retention import erase as run

    run(_store(config, store), call_id)
    typer.echo(f"erased {call_id}")


@app.command(epilog="Example: warmline export 20261124-101500-ab12cd --format csv")
def export(
    call_id: Annotated[str, typer.Argument()],
    format_: Annotated[str, typer.Option("--format", help="vcon, jsonl or csv")] = "jsonl",
    config: Config = None,
    store: StoreDir = None,
) -> None:
    """Writes one call to stdout."""
    from voice.store.export import export as run

    typer.echo(run(_store(config, store), call_id, format_), nl=False)


@app.command("review-pack", epilog="Example: warmline review-pack --month 2026-11 --store ./warmline-data")
def review_pack(
    month: Annotated[str, typer.Option(help="Year and month, UTC.")],
    out: Annotated[Path | None, typer.Option(help="New folder; default: review-pack-MONTH here.")] = None,
    config: Config = None,
    store: StoreDir = None,
) -> None:
    """One month of calls, reviews and agreement as a page to print and CSV files."""
    from voice.qa.pack import write

    folder = out or Path(f"review-pack-{month}")
    calls = write(_store(config, store), month, folder)
    typer.echo(f"{folder / 'index.html'}: {calls} calls")


@app.command(epilog="Example: warmline password")
def password() -> None:
    """Hashes a password for web.users_file. Asks for it, or reads one line from a pipe."""
    from voice.qa.users import hash_password

    given = typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(given) < 8:
        raise UserError("password: at least 8 characters")
    typer.echo(hash_password(given))


@app.command(epilog="Example: warmline doctor")
def doctor(config: Config = None) -> None:
    """Says what this machine lacks, each line with a remedy. Exit 1 if something is missing."""
    from voice.doctor import examine

    findings = examine(load(config))
    for f in findings:
        typer.echo(f"{'ok     ' if f.ok else 'missing'} {f.what}" + ("" if f.ok else f": {f.remedy}"))
    raise typer.Exit(0 if all(f.ok for f in findings) else 1)


@ear.command(epilog="Example: warmline ear calibrate labels.csv --model research --out my-ear")
def calibrate(
    labels: Annotated[Path, typer.Argument(help="CSV of at least 60 labelled snippets: path, distress.")],
    out: Annotated[Path, typer.Option(help="Folder for the refitted model.")],
    model: Annotated[str, typer.Option(help="open, research or a model folder.")] = "open",
) -> None:
    """Refits the calibration of a model to your own callers."""
    from voice.evaluation.figures import calibrate as run

    typer.echo(run(labels, model, out))


@playbook.command("check", epilog="Example: warmline playbook check mine.toml")
def playbook_check(
    name: Annotated[str, typer.Argument(help="A TOML file or a shipped name.")],
    incidents: Annotated[Path | None, typer.Option(help="File of active incidents for this playbook.")] = None,
    persona: Annotated[str, typer.Option(help="Tone of voice it is to be said in: a shipped name or a file.")] = "",
) -> None:
    """Reads a playbook and says what is wrong with it."""
    from voice.playbooks import check as check_playbook
    from voice.playbooks import load as load_playbook
    from voice.playbooks import personas
    from voice.playbooks.incidents import check as check_incidents

    book = load_playbook(name)
    faults = check_playbook(name) + (check_incidents(incidents, book) if incidents else [])
    faults += personas.check(persona, book) if persona else []
    if faults:
        raise UserError("; ".join(faults))
    typer.echo(f"{name}: {len(book.intents)} intents, no errors")


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
