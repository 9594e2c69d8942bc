"""The agent: hears, judges, answers, hands over; and the pages on which people check it."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("warmline")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
