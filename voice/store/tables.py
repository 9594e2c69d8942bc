"""Tables as CSV that a spreadsheet may open: no cell of a stranger's is run as a formula.

Hears from: `voice.store`, `voice.qa`. Tells: the same.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any


def cell(value: Any) -> Any:
    """The value; text that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value[:1] and value[0] in "=+-@\t\r" else value


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(columns)
    table.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()
