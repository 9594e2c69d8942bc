"""The model: inputs standardised, a few small networks averaged; fitted here, written as ONNX.

Hears from: extraction. Tells: evaluation, the shipped folders. scikit-learn and onnx are needed to train only.

Three heads share the inputs: distress (logit), arousal (logit), five classes (logits).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prosody.encoder import WIDTH
from prosody.features import NAMES

OUTPUTS = ("distress", "arousal", "classes")
CLIP = 5.0
"""Standardised inputs are held within +-5, so that no line nobody thought of can carry a score away."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Attributes:
    mean, scale: ``[inputs]`` of the training windows; a missing input takes the mean.
    members: Networks whose outputs are averaged; each a list of (weight ``[in, out]``, bias ``[out]``), ReLU between.
        Columns of the last layer: distress, arousal, five classes.
    """

    mean: Matrix
    scale: Matrix
    members: tuple[tuple[tuple[Matrix, Matrix], ...], ...]

    def logits(self, inputs: Matrix) -> Matrix:
        """``[n, inputs]`` to ``[n, 7]``."""
        filled = np.where(np.isnan(inputs), self.mean, inputs)
        ready = np.clip((filled - self.mean) / self.scale, -CLIP, CLIP)
        total = np.zeros((len(inputs), self.members[0][-1][1].size), np.float32)
        for layers in self.members:
            x = ready
            for index, (weight, bias) in enumerate(layers):
                x = x @ weight + bias
                if index < len(layers) - 1:
                    x = np.maximum(x, 0.0)
            total += x
        return np.asarray(total / len(self.members), np.float32)


def standardisation(inputs: Matrix, weights: NDArray[np.float64]) -> tuple[Matrix, Matrix]:
    """Weighted mean and standard deviation of each input, missing values left out."""
    known = ~np.isnan(inputs)
    w = weights[:, None] * known
    total = w.sum(axis=0)
    mean = np.where(known, inputs, 0.0).T @ weights / total
    second = np.where(known, inputs.astype(np.float64) ** 2, 0.0).T @ weights / total
    return mean.astype(np.float32), np.sqrt(np.maximum(second - mean**2, 1e-10)).astype(np.float32)


def write_onnx(network: Network, path: Path) -> None:
    """Writes the network; inputs ``prosody`` and ``states``, outputs as `OUTPUTS`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []

    def constant(name: str, value: NDArray[np.generic]) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    node("Concat", ["prosody", "states"], "raw", axis=1)
    node("IsNaN", ["raw"], "missing")
    node("Where", ["missing", constant("mean", network.mean[None]), "raw"], "filled")
    node("Sub", ["filled", "mean"], "centred")
    node("Div", ["centred", constant("scale", network.scale[None])], "scaled")
    low, high = constant("low", np.asarray(-CLIP, np.float32)), constant("high", np.asarray(CLIP, np.float32))
    node("Clip", ["scaled", low, high], "ready")
    sums = []
    for m, layers in enumerate(network.members):
        x = "ready"
        for k, (weight, bias) in enumerate(layers):
            name = f"m{m}_l{k}"
            x = node("Gemm", [x, constant(f"{name}_w", weight), constant(f"{name}_b", bias)], f"{name}_y")
            if k < len(layers) - 1:
                x = node("Relu", [x], f"{name}_r")
        sums.append(x)
    node("Mean", sums, "heads")
    classes = network.members[0][-1][1].size - 2
    sizes = constant("sizes", np.asarray([1, 1, classes], np.int64))
    nodes.append(helper.make_node("Split", ["heads", sizes], ["distress_", "arousal_", "classes"], axis=1))
    axis = constant("axis", np.asarray([1], np.int64))
    node("Squeeze", ["distress_", axis], "distress")
    node("Squeeze", ["arousal_", axis], "arousal")
    tensor = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "warmline-ear",
        [
            helper.make_tensor_value_info("prosody", tensor, ["n", len(NAMES)]),
            helper.make_tensor_value_info("states", tensor, ["n", 2 * WIDTH]),
        ],
        [
            helper.make_tensor_value_info("distress", tensor, ["n"]),
            helper.make_tensor_value_info("arousal", tensor, ["n"]),
            helper.make_tensor_value_info("classes", tensor, ["n", classes]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="warmline")
    model.ir_version = 9
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
