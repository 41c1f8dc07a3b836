"""Which modules are not collected for their doctests, where an extra is missing."""

import importlib.util

BENCH = ("httpx", "matplotlib", "rich")

collect_ignore_glob = []
if any(importlib.util.find_spec(name) is None for name in BENCH):
    collect_ignore_glob.append("etag_versioning/benchmark/*")
if importlib.util.find_spec("drf_spectacular") is None:
    collect_ignore_glob.append("etag_versioning/rest_framework/schema.py")
if importlib.util.find_spec("adrf") is None:
    collect_ignore_glob.append("etag_versioning/rest_framework/adrf.py")
