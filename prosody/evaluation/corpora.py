"""The published figures: the shipped recipes on the shipped corpora, speakers and corpora left out.

Hears from: training. Tells: ``warmline eval ear``, the model cards. Needs the training extra and the corpora.

The table's rows are for the recipe, refitted without the speakers (or the corpus) it is tested on. The shipped weights
never saw ``split = test``; their figures on it stand beside.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from prosody.evaluation import lines, sequential
from prosody.evaluation.figure import Figure, figure
from prosody.evaluation.metrics import auc, ece, ece_debiased, speaker_interval, tpr_at_fpr, uar
from prosody.training.corpora import ALL
from prosody.training.extraction import clips_of
from prosody.training.fit import Held, Platt, fit, fit_platt, leave_corpora_out, leave_speakers_out, refit_platt
from prosody.training.ship import RECIPES, Recipe
from prosody.training.table import Table, build

UAR_TARGETS = {"emodb": 0.80, "ravdess": 0.75, "nemo": 0.64}
AUC_TARGETS = {"emodb": 0.91, "ravdess": 0.80, "nemo": 0.80}
JOYFUL = ("happiness", "surprise")
CALMER = ("neutral", "calm")
LOW = ("sadness", "boredom", "disgust")
REFIT_CLIPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTable:
    """One row per clip, scores averaged over its windows; the columns of `Table`.

    Attributes:
        logits: ``[n, 7]``.
        answered: The ear would score at least one of the clip's windows.
    """

    table: Table
    logits: NDArray[np.float32]
    answered: NDArray[np.bool_]


def by_clip(table: Table, logits: NDArray[np.float32]) -> ClipTable:
    """Averages the windows of each clip."""
    _, first, inverse = np.unique(table.clip, return_index=True, return_inverse=True)
    count = np.bincount(inverse)
    mean = np.stack([np.bincount(inverse, column) / count for column in logits.T], axis=1)
    answered = np.bincount(inverse, ~table.abstained) > 0
    mask = np.zeros(len(table), bool)
    mask[first] = True
    order = np.argsort(np.argsort(first))
    rows = np.empty_like(first)
    rows[order] = np.arange(len(first))
    return ClipTable(table=table.where(mask), logits=mean[rows].astype(np.float32), answered=answered[rows])


def figures_of_corpora(model: str, seed: int, pictures: Path | None = None) -> list[Figure]:
    """All rows for ``open`` or ``research``; for another folder, its recipe is unknown: give a manifest instead.

    ``pictures``: a folder for ``reliability.png`` and ``det.png``.

    Raises:
        ModelMissing: The corpora are not there.
        ModelMismatch: A folder without a recipe.
    """
    from prosody.errors import ModelMismatch

    if model not in RECIPES:
        raise ModelMismatch(f"{model} has no recipe to refit: name a manifest with --manifest")
    recipe = RECIPES[model]
    encoder = WhisperEncoder.load()
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
    platt = _calibration(within)
    if pictures is not None:
        _draw(pictures, recipe.name, within, strange, platt)
    out = _within(recipe, within, seed) + _across(recipe, strange, seed) + _calibrated(recipe, within, strange, seed)
    out += _sexes(recipe, strange, seed)
    out += sequential.figures(recipe.name, strange_rows, strange_logits[:, 0], platt, seed)
    out += lines.figures(recipe, speakers, encoder, seed, _say)
    return out + _shipped(recipe, every, encoder, seed) + lines.cost(recipe.name, encoder)


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


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _calibration(clips: ClipTable) -> Platt:
    use = clips.table.distress >= 0
    return fit_platt(clips.logits[use, 0], clips.table.distress[use])


def _auc_figure(name: str, clips: ClipTable, mask: NDArray[np.bool_], seed: int, target: str | None = None) -> Figure:
    rows = np.flatnonzero(mask & (clips.table.distress >= 0))
    scores, truth = clips.logits[rows, 0], clips.table.distress[rows]
    spread = speaker_interval(lambda i: auc(scores[i], truth[i]), clips.table.speaker[rows], seed)
    return figure(name, auc(scores, truth), interval=spread, n=len(rows), target=target)


def _uar_figure(name: str, clips: ClipTable, mask: NDArray[np.bool_], seed: int, target: str | None = None) -> Figure:
    rows = np.flatnonzero(mask & (clips.table.five >= 0))
    guess, truth = clips.logits[rows, 2:].argmax(axis=1), clips.table.five[rows]
    spread = speaker_interval(lambda i: uar(guess[i], truth[i]), clips.table.speaker[rows], seed)
    return figure(name, uar(guess, truth), interval=spread, n=len(rows), target=target)


def _within(recipe: Recipe, clips: ClipTable, seed: int) -> list[Figure]:
    """Speakers left out, corpus known."""
    out = []
    for corpus in recipe.corpora:
        here = clips.table.corpus == corpus
        goal = f">= {UAR_TARGETS[corpus]}" if recipe.name == "research" else None
        out.append(_uar_figure(f"{recipe.name}/uar_5class_within_{corpus}", clips, here, seed, goal))
        out.append(_auc_figure(f"{recipe.name}/auc_distress_within_{corpus}", clips, here, seed))
    sentences = clips.answered
    out.append(figure(f"{recipe.name}/coverage_sentences", float(sentences.mean()), n=len(sentences), target=">= 0.9"))
    return out


def _across(recipe: Recipe, clips: ClipTable, seed: int) -> list[Figure]:
    """The whole corpus left out: strangers, another language, other microphones."""
    out, joyful = [], []
    strict = recipe.name == "research"
    for corpus in sorted(set(clips.table.corpus.tolist()), key=ALL.index):
        here = clips.table.corpus == corpus
        goal = f">= {AUC_TARGETS[corpus]}" if strict else None
        out.append(_auc_figure(f"{recipe.name}/auc_distress_leave_out_{corpus}", clips, here, seed, goal))
        out.append(_uar_figure(f"{recipe.name}/uar_5class_leave_out_{corpus}", clips, here, seed))
        for label, kinds in (("calm", CALMER), ("joyful", JOYFUL), ("low", LOW)):
            against = here & ((clips.table.distress == 1) | np.isin(clips.table.emotion, kinds))
            one = _auc_figure(f"{recipe.name}/auc_distress_against_{label}_leave_out_{corpus}", clips, against, seed)
            out.append(one)
            if label == "joyful" and one.value is not None:
                joyful.append(one.value)
    goal = ">= 0.72" if strict else None
    out.append(
        figure(f"{recipe.name}/auc_distress_against_joyful_mean", float(np.mean(joyful)), n=len(joyful), target=goal)
    )
    return out


def _calibrated(recipe: Recipe, within: ClipTable, strange: ClipTable, seed: int) -> list[Figure]:
    """Calibration error of unseen speakers, and of an unseen corpus before and after 60 labelled clips."""
    rows = np.flatnonzero(within.table.distress >= 0)
    logits, truth = within.logits[rows, 0], within.table.distress[rows]
    people = within.table.speaker[rows]
    names = np.unique(people)
    p = np.zeros(len(rows))
    for name in names:
        mine = people == name
        p[mine] = fit_platt(logits[~mine], truth[~mine]).probability(logits[mine])
    spread = speaker_interval(lambda i: ece_debiased(p[i], truth[i]), people, seed)
    strict = recipe.name == "research"
    out = [
        figure(
            f"{recipe.name}/ece_distress_within", ece_debiased(p, truth), interval=spread, n=len(rows),
            target="<= 0.03" if strict else None,
        )
    ]  # fmt: skip
    out.append(figure(f"{recipe.name}/ece_plain_distress_within", ece(p, truth), n=len(rows)))
    raw, refitted, plain, count = [], [], [], 0
    platt = _calibration(within)
    rng = np.random.default_rng(seed)
    for corpus in np.unique(strange.table.corpus).tolist():
        here = np.flatnonzero((strange.table.corpus == corpus) & (strange.table.distress >= 0))
        x, y = strange.logits[here, 0], strange.table.distress[here]
        count += len(here)
        raw.append(ece_debiased(platt.probability(x), y))
        draws = []
        for _ in range(40):
            chosen = rng.permutation(len(here))
            few, rest = chosen[:REFIT_CLIPS], chosen[REFIT_CLIPS:]
            again = refit_platt(platt, x[few], y[few]).probability(x[rest])
            draws.append((ece_debiased(again, y[rest]), ece(again, y[rest])))
        refitted.append(float(np.mean([d for d, _ in draws])))
        plain.append(float(np.mean([d for _, d in draws])))
    out.append(figure(f"{recipe.name}/ece_plain_distress_after_60_clips", float(np.mean(plain)), n=count))
    out.append(figure(f"{recipe.name}/ece_distress_leave_corpus_out", float(np.mean(raw)), n=count))
    out.append(
        figure(
            f"{recipe.name}/ece_distress_after_60_clips", float(np.mean(refitted)), n=count,
            target="<= 0.05" if strict else None,
        )
    )  # fmt: skip
    return out


def _sexes(recipe: Recipe, clips: ClipTable, seed: int) -> list[Figure]:
    """Share of distress found in women and in men at one threshold, 5 % false positives over everyone."""
    rows = np.flatnonzero(clips.table.distress >= 0)
    corpus = clips.table.corpus[rows]
    truth, sex = clips.table.distress[rows], clips.table.sex[rows]
    scores = clips.logits[rows, 0].astype(np.float64)
    for name in np.unique(corpus):
        # Each corpus at its own 5 %: pooled raw scores would compare corpora, not sexes.
        here = corpus == name
        scores[here] -= tpr_at_fpr(scores[here], truth[here])[0]

    def rate(index: NDArray[np.intp], which: str) -> float:
        mine = (truth[index] == 1) & (sex[index] == which)
        return float(np.mean(scores[index][mine] > 0.0)) if mine.any() else float("nan")

    def gap(index: NDArray[np.intp]) -> float:
        return abs(rate(index, "f") - rate(index, "m"))

    everyone = np.arange(len(rows))
    spread = speaker_interval(gap, clips.table.speaker[rows], seed)
    goal = "<= 0.08" if recipe.name == "research" else None
    return [
        figure(f"{recipe.name}/tpr_at_5pct_women", rate(everyone, "f"), n=int(((truth == 1) & (sex == "f")).sum())),
        figure(f"{recipe.name}/tpr_at_5pct_men", rate(everyone, "m"), n=int(((truth == 1) & (sex == "m")).sum())),
        figure(f"{recipe.name}/tpr_gap_sex", gap(everyone), interval=spread, n=len(rows), target=goal),
    ]


def _shipped(recipe: Recipe, every: Table, encoder: WhisperEncoder, seed: int) -> list[Figure]:
    """The weights in the folder on ``split = test``, which they never saw."""
    ear = Ear.load(recipe.name, encoder)
    test = every.where((every.split == "test") & np.isin(every.corpus, recipe.corpora))
    clips = by_clip(test, ear.logits(test.inputs))
    everything = np.ones(len(clips.table), bool)
    platt = Platt(**ear.card["calibration"]["distress"])
    known = clips.answered & (clips.table.distress >= 0)
    error = ece_debiased(platt.probability(clips.logits[known, 0]), clips.table.distress[known])
    return [
        _uar_figure(f"{recipe.name}/shipped_uar_5class_test_split", clips, everything, seed),
        _auc_figure(f"{recipe.name}/shipped_auc_distress_test_split", clips, everything, seed),
        figure(f"{recipe.name}/shipped_ece_distress_test_split", error, n=int(known.sum())),
    ]
