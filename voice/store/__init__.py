"""The calls as files on disk, and an index over them. The files are the truth; the index can be thrown away.

Only ``reviews`` and ``audit`` live nowhere else. Nothing here writes into a call's folder; `retention` removes it.
"""
