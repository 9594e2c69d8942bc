"""A pipe that ends when whoever supervises is gone, however it went: the kernel closes it even after SIGKILL.

The gateway's end is held by the supervisor alone; the end of workers and pages by the supervisor and the gateway. So a
gateway without a supervisor drains, and the others stay as long as it has calls.

Hears from: `voice.serve`. Tells: the parts.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

VARIABLE = "WARMLINE_LIFELINE"
"""File descriptor to read from, in the environment of a part."""


class Lifelines:
    """The supervisor's ends. Keep it as long as the parts shall live."""

    def __init__(self) -> None:
        self._gateway = os.pipe()
        self._others = os.pipe()

    def of(self, name: str) -> tuple[dict[str, str], tuple[int, ...]]:
        """What a part gets: environment, and file descriptors to hand on."""
        if name == "gateway":
            return {VARIABLE: str(self._gateway[0])}, (self._gateway[0], self._others[1])
        return {VARIABLE: str(self._others[0])}, (self._others[0],)

    def close(self) -> None:
        for fd in (*self._gateway, *self._others):
            os.close(fd)


def on_end(then: Callable[[], None]) -> None:
    """Calls ``then`` once, on the running loop, when nobody supervises this process any more; never if nobody does."""
    given = os.environ.pop(VARIABLE, "")
    if not given.isdigit():
        return
    fd, loop = int(given), asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(fd)
        os.close(fd)
        then()

    os.set_inheritable(fd, False)
    loop.add_reader(fd, ended)
