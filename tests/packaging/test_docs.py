"""The documentation says what is so: generated pages are current, commands and links exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.docs import PAGES

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = sorted(set(re.findall(r"^## warmline (.+)$", (ROOT / "docs/cli.md").read_text("utf-8"), re.M)))


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == PAGES[name]().rstrip() + "\n", "run make docs"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    run = [sys.executable, "-m", "voice.cli", *command.split(), "--help"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"Example: warmline {command}" in " ".join(done.stdout.split())


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)\)", path.read_text("utf-8")):
        if not link.startswith(("http://", "https://", "mailto:")):
            assert (path.parent / link).exists(), f"{path.name} links to {link}"


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_commands_that_the_texts_name_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    text = path.read_text("utf-8")
    for target in set(re.findall(r"`make ([a-z-]+)", text)):
        assert re.search(rf"^{target}:", makefile, re.M), f"{path.name} names make {target}"
    known = {c.split()[0] for c in COMMANDS}
    for command in set(re.findall(r"`warmline ([a-z]+)", text)):
        assert command in known, f"{path.name} names warmline {command}"
