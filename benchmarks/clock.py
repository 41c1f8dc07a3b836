"""
Processor time, of this process and of what serves it in the database: the same on
an idle machine and on a busy one, where seconds that pass are not.
"""

import time
from pathlib import Path

from django.db import connection


def processor_clock():
    """A function that returns the seconds so far, with those of this thread's connection."""
    backend = _backend()
    if backend is None:
        return time.process_time

    def clock():
        # Nanoseconds on a processor: the first of its figures.
        return time.process_time() + int(backend.read_bytes().split()[0]) / 1e9

    return clock


def _backend():
    """Where the system counts what a PostgreSQL backend takes; SQLite is in this process."""
    if connection.vendor != "postgresql":
        return None
    connection.ensure_connection()
    file = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    if not file.exists():
        raise SystemExit("The benchmarks need a PostgreSQL on this machine, and Linux.")
    return file
