"""Commands on the calls that are kept: check, erase, export, review.

Hears from: `voice.cli`. Tells: `telephony.recovery`, `voice.store`, `voice.qa.pack`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from voice.cli_options import AsJson, Config, StoreDir, store_of

app = typer.Typer()


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

    folder = store_of(config, store)
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

    run(store_of(config, store), call_id)
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

    typer.echo(run(store_of(config, store), call_id, format_), nl=False)


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
    calls = write(store_of(config, store), month, folder)
    typer.echo(f"{folder / 'index.html'}: {calls} calls")
