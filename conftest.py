"""Which modules are not collected for their doctests, where an extra is missing."""

import importlib.util

BENCH = ("httpx", "matplotlib", "rich")

if any(importlib.util.find_spec(name) is None for name in BENCH):
    collect_ignore_glob = ["etag_versioning/benchmark/*"]
