"""Options that several commands share, and what they mean.

Hears from: the commands. Tells: the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telephony.settings import load
from voice.errors import UserError

Config = Annotated[Path | None, typer.Option("--config", "-c", help="TOML file; see docs/settings.md.")]
StoreDir = Annotated[Path | None, typer.Option("--store", help="Folder of the calls; default: store.dir of --config.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def store_of(config: Path | None, store: Path | None) -> Path:
    """Folder of the calls.

    Raises:
        UserError: There is none.
    """
    folder = store or load(config).store.dir
    if not folder.is_dir():
        raise UserError(f"{folder}: no such store; give --store or store.dir")
    return folder
