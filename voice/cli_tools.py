"""Commands that need no running system: score recordings, measure, calibrate, check an installation.

Hears from: `voice.cli`. Tells: `voice.scoring`, `voice.evaluation`, `voice.playbooks`, `voice.doctor`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from telephony.settings import load
from voice.cli_options import AsJson, Config
from voice.errors import UserError

app = typer.Typer()
ear = typer.Typer(no_args_is_help=True, help="Work on the ear's model. Example: warmline ear calibrate labels.csv")
playbook = typer.Typer(no_args_is_help=True, help="Work on playbooks. Example: warmline playbook check mine.toml")
app.add_typer(ear, name="ear")
app.add_typer(playbook, name="playbook")


@app.command(epilog="Example: warmline score call.wav --format json")
def score(
    files: Annotated[list[Path], typer.Argument(help="Recordings (WAV, FLAC); 2 channels: the first is the caller.")],
    format_: Annotated[str, typer.Option("--format", help="json, vcon or html")] = "json",
    config: Config = None,
) -> None:
    """Scores recordings with the code that runs live: same input and versions, same numbers.

    A call's own caller.flac is heard as far as the live ears were allowed; a colleague's human.flac is refused.
    """
    from voice.scoring import score_files

    if format_ not in ("json", "vcon", "html"):
        raise UserError(f"--format {format_}: choose json, vcon or html")
    for text in score_files(files, format_, load(config)):
        typer.echo(text)


@app.command("eval", epilog="Example: warmline eval ear --model research --json")
def evaluate(
    what: Annotated[str, typer.Argument(help="ear, transcription, turns, latency, dialogue, danger or handoff")],
    manifest: Annotated[Path | None, typer.Option(help="Own data: docs/ear.md; danger: a list, + and -.")] = None,
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


@app.command(epilog="Example: warmline doctor")
def doctor(config: Config = None) -> None:
    """Says what this machine lacks, each line with a remedy. Exit 1 if something is missing."""
    from voice.doctor import examine

    findings = examine(load(config))
    for f in findings:
        typer.echo(f"{'ok     ' if f.ok else 'missing'} {f.what}" + ("" if f.ok else f": {f.remedy}"))
    raise typer.Exit(0 if all(f.ok for f in findings) else 1)


@app.command(epilog="Example: warmline password")
def password() -> None:
    """Hashes a password for web.users_file. Asks for it, or reads one line from a pipe."""
    from voice.qa.users import hash_password

    given = typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(given) < 8:
        raise UserError("password: at least 8 characters")
    typer.echo(hash_password(given))
