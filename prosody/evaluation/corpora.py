"""The published figures: the shipped recipes on the shipped corpora, speakers and corpora left out.

Hears from: training. Tells: ``warmline eval ear``, the model cards. Needs the training extra and the corpora.

The table's rows are for the recipe, refitted without the speakers (or the corpus) it is tested on. The shipped weights
never saw ``split = test``; their figures on it stand beside.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from prosody.evaluation import lines, sequential
from prosody.evaluation.clip_table import ClipTable, by_clip
from prosody.evaluation.figure import Figure, figure
from prosody.evaluation.metrics import ece_debiased
from prosody.evaluation.rows import (
    auc_figure,
    calibrated,
    calibration,
    corpora_left_out,
    sexes,
    uar_figure,
    within_corpora,
)
from prosody.training.corpora import ALL
from prosody.training.extraction import clips_of, extract
from prosody.training.fit import Held, Platt, fit, leave_corpora_out, leave_speakers_out
from prosody.training.ship import RECIPES, Recipe
from prosody.training.table import Table, build


def figures_of_corpora(model: str, seed: int, pictures: Path | None = None, folder: Path | None = None) -> list[Figure]:
    """All rows for ``open`` or ``research``; for another folder, its recipe is unknown: give a manifest instead.

    Args:
        model: Whose recipe is refitted.
        seed: Of the fits, the bootstrap and the simulated calls.
        pictures: A folder for ``reliability.png`` and ``det.png``.
        folder: Weights and threshold of the rows *shipped* and *calls*; ``None``: those that ship.

    Raises:
        ModelMissing: The corpora are not there.
        ModelMismatch: A folder without a recipe.
    """
    from prosody.errors import ModelMismatch

    if model not in RECIPES:
        raise ModelMismatch(f"{model} has no recipe to refit: name a manifest with --manifest")
    recipe = RECIPES[model]
    encoder = WhisperEncoder.load()
    ear = Ear.load(folder or model, encoder)
    seen = build(clips_of(recipe.corpora), encoder, copies=recipe.copies, free_only=recipe.free_only, report=_say)
    every = build(clips_of(ALL), encoder, copies=0, free_only=False, report=_say)
    _say(f"{model}: leaving speakers out")
    speakers = leave_speakers_out(seen, seed)
    _say(f"{model}: leaving corpora out")
    corpora = leave_corpora_out(seen, seed) if len(recipe.corpora) > 1 else _all_else(seen, seed)
    within_rows = every.where(np.isin(every.corpus, recipe.corpora))
    within = by_clip(within_rows, speakers.logits(within_rows.inputs, within_rows.speaker))
    strange_rows = every if len(recipe.corpora) > 1 else every.where(~np.isin(every.corpus, recipe.corpora))
    strange_logits = corpora.logits(strange_rows.inputs, strange_rows.corpus)
    strange = by_clip(strange_rows, strange_logits)
    platt = calibration(within)
    if pictures is not None:
        _draw(pictures, recipe.name, within, strange, platt)
    out = (
        within_corpora(recipe, within, seed)
        + corpora_left_out(recipe, strange, seed)
        + calibrated(recipe, within, strange, seed)
    )
    out.append(_single_words(recipe, encoder))
    out += sexes(recipe, strange, seed)
    out += sequential.figures(recipe.name, strange_rows, strange_logits[:, 0], ear.card, seed)
    out += lines.figures(recipe, speakers, encoder, seed, _say)
    return out + _shipped(recipe, every, ear, seed) + lines.cost(recipe.name, encoder, folder)


def _draw(folder: Path, name: str, within: ClipTable, strange: ClipTable, platt: Platt) -> None:
    """Reliability and detection error: unseen speakers of known corpora together, each corpus left out by itself."""
    from prosody.evaluation.pictures import Curve, draw_det, draw_reliability

    folder.mkdir(parents=True, exist_ok=True)
    curves: dict[str, Curve] = {}
    known = within.table.distress >= 0
    curves["unseen speakers"] = (platt.probability(within.logits[known, 0]), within.table.distress[known])
    for corpus in np.unique(strange.table.corpus).tolist():
        here = (strange.table.corpus == corpus) & (strange.table.distress >= 0)
        curves[f"{corpus} left out"] = (platt.probability(strange.logits[here, 0]), strange.table.distress[here])
    draw_reliability(folder / "reliability.png", f"{name}: calibration", curves)
    draw_det(folder / "det.png", f"{name}: detection error", curves)


def _all_else(seen: Table, seed: int) -> Held:
    return Held(networks=(fit(seen, seed),), group=dict.fromkeys(ALL, 0))


def _single_words(recipe: Recipe, encoder: WhisperEncoder) -> Figure:
    """Spoken digits, one a clip: on single words of strangers any score would be a guess, so few may get one."""
    words = clips_of(["fsdd"])["fsdd"]
    windows = extract("matched-fsdd", words, encoder, report=_say)
    answered = np.unique(windows.clip[~windows.abstained]).size / len(words)
    return figure(f"{recipe.name}/coverage_single_words", answered, n=len(words), target="<= 0.3")


def _shipped(recipe: Recipe, every: Table, ear: Ear, seed: int) -> list[Figure]:
    """The weights in the folder on ``split = test``, which they never saw."""
    test = every.where((every.split == "test") & np.isin(every.corpus, recipe.corpora))
    clips = by_clip(test, ear.logits(test.inputs))
    everything = np.ones(len(clips.table), bool)
    platt = Platt(**ear.card["calibration"]["distress"])
    known = clips.answered & (clips.table.distress >= 0)
    error = ece_debiased(platt.probability(clips.logits[known, 0]), clips.table.distress[known])
    return [
        uar_figure(f"{recipe.name}/shipped_uar_5class_test_split", clips, everything, seed),
        auc_figure(f"{recipe.name}/shipped_auc_distress_test_split", clips, everything, seed),
        figure(f"{recipe.name}/shipped_ece_distress_test_split", error, n=int(known.sum())),
    ]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
