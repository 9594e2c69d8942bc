"""Model cards and the evaluation's report: every number in them comes from the figures.

Hears from: figures. Tells: ``MODEL_CARD.md``, ``evaluation.json``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from prosody.evaluation.figure import Figure

_HEAD = """# Model card: Warmline ear, `{name}`

Version `{version}`. Written by `prosody.evaluation.card` from the figures of `warmline eval ear --model {name}`;
do not edit.

**Licence:** {licence}.

**What it does.** From 2 s of telephone speech: arousal, probability of distress (fear, anger or strong sadness), five
acted emotions as a hint, or "cannot tell". Trained on {corpora} ({windows} windows of {speakers} speakers, {copies}
degraded copies of each clip; speakers of `split = test` left out).

**What it does not.** {warning}All training speech is acted by consenting actors; nothing here shows how it does on real
callers. On real emergency calls the published state of the art is 73 % (voice) to 77 % (voice and words) on four
classes. It does not know valence: angry and joyful shouting differ little. It must not be used on people at work (EU AI
Act, Art. 5(1)(f)), nor to decide anything that cannot be undone.

**Inputs.** Every caller through the same {low:.0f}-{high:.0f} Hz band at 8 kHz and one level; {prosody} prosodic
features and pooled states of {encoder}.

**How it was chosen.** Weights, calibration and threshold never saw speakers of `split = test`. Layers and freedom were
first chosen by hand on left-out speakers and corpora of all splits, so the rows *within* and *leave out* flatter a
little; *shipped … test split* is freer of it, but not wholly. Lines, axes and number of networks were chosen on
speakers of train and dev only (`docs/decisions/0025-what-the-ear-was-tried-with.md`, with what did not help).

**Simulated calls.** The rows *calls* take calibration, detector and threshold of this folder as they are (one common
threshold, chosen on speakers of train and dev), on scores of models that saw nothing of the corpus.

**Never the caller's own mean.** Nothing of earlier speech enters a score, so a caller upset from the first word does
not become his own baseline.
"""
_OPEN = "It knows eight German actors and is weak on strangers: see the rows *leave out*. "


def markdown(figures: Sequence[Figure]) -> str:
    """Figures as a table; a dash where there is no value."""
    lines = ["| figure | value | 95 % interval (speakers) | n | target | met |", "|---|---|---|---|---|---|"]
    for f in figures:
        value = "–" if f.value is None else f"{f.value:.4g}{' ' + f.unit if f.unit else ''}"
        interval = f"{f.interval[0]:.3g} – {f.interval[1]:.3g}" if f.interval else ""
        met = {True: "yes", False: "**no**", None: ""}[f.met]
        lines.append(f"| {f.name} | {value} | {interval} | {f.n or ''} | {f.target or ''} | {met} |")
    return "\n".join(lines) + "\n"


def write_card(name: str, folder: Path, seed: int, figures: Sequence[Figure] | None = None) -> None:
    """Writes ``MODEL_CARD.md`` and ``evaluation.json`` beside the model; measures it first if no figures are given."""
    from prosody.emotion import Ear
    from prosody.encoder import WhisperEncoder
    from prosody.evaluation.corpora import figures_of_corpora

    found = list(figures_of_corpora(name, seed, folder, folder) if figures is None else figures)
    ear = Ear.load(folder, WhisperEncoder.load())
    card: dict[str, Any] = yaml.safe_load((folder / "model.yaml").read_text("utf-8"))
    data, front = card["data"], card["front_end"]
    head = _HEAD.format(
        name=name, version=ear.version, licence=card["licence"], corpora=", ".join(data["corpora"]),
        windows=data["windows"], speakers=data["speakers"], copies=data["copies"],
        warning=_OPEN if name == "open" else "", low=front["band_hz"][0], high=front["band_hz"][1],
        prosody=len(card["inputs"]["prosody"]), encoder=card["encoder"]["name"],
    )  # fmt: skip
    rates = "\n".join(
        f"| {row['threshold']} | {row['per_100_calls']} | {row['upper_95']} | {row['per_hour']} |"
        for row in card["detector"]["table"]
    )
    detector = (
        f"\n## Threshold of the detector\n\nChosen on {card['detector']['chosen_on']}; calls of 90 s of calm speech. "
        "Voice alone only says `attend`.\n\n| threshold, nat | false alarms per 100 calls | upper 95 % | per hour |\n"
        f"|---|---|---|---|\n{rates}\n"
    )
    drawn = "![Calibration](reliability.png) ![Detection error](det.png)\n\n" if (folder / "det.png").is_file() else ""
    (folder / "MODEL_CARD.md").write_text(f"{head}\n## Figures\n\n{drawn}{markdown(found)}{detector}", "utf-8")
    rows = json.dumps([asdict(f) for f in found], indent=1)
    (folder / "evaluation.json").write_text(rows + "\n", "utf-8")
