"""``warmline audit``: bias and quality gates of the ear.

Hears from: figures. Tells: the operator; a gate that fails makes the command exit 1.
"""

from __future__ import annotations

from dataclasses import replace

from prosody.evaluation.figure import Figure

GATES: tuple[tuple[str, str], ...] = (
    ("tpr_gap_sex", "<= 0.15"),
    ("uar_change_alaw", ">= -0.03"),
    ("uar_change_g722", ">= -0.03"),
    ("uar_change_gsm", ">= -0.05"),
    ("uar_change_opus", ">= -0.05"),
    ("uar_change_wideband", ">= -0.05"),
    ("uar_change_loss_10pct", ">= -0.05"),
    ("uar_change_snr_10db", ">= -0.1"),
    ("coverage_sentences", ">= 0.85"),
    ("cost_per_scored_second", "<= 40"),
)
_ACROSS = "auc_distress_leave_out_"
LANGUAGE_GATE = ">= 0.7"


def audit_figures(model: str = "research", seed: int = 0) -> list[Figure]:
    """Figures with gates looser than the targets: below them, nobody should switch the ear on."""
    from prosody.evaluation.corpora import figures_of_corpora

    gates = dict(GATES)
    out = []
    for one in figures_of_corpora(model, seed):
        short = one.name.split("/", 1)[1]
        gate = LANGUAGE_GATE if short.startswith(_ACROSS) else gates.get(short)
        if gate is not None:
            out.append(replace(one, target=gate, met=_keeps(one.value, gate)))
    return out


def _keeps(value: float | None, gate: str) -> bool:
    sign, bound = gate.split()
    return value is not None and (value >= float(bound) if sign == ">=" else value <= float(bound))
