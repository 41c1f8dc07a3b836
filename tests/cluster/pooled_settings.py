"""
The suite's settings, with PgBouncer in transaction mode between Django and PostgreSQL. A project
sets DISABLE_SERVER_SIDE_CURSORS for its own ``iterator()``; nothing of ours needs it.
"""

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

for database in DATABASES.values():
    # PgBouncer takes no "options"; synchronous_commit is a matter of speed.
    database["OPTIONS"] = {}
