"""The suite's settings, as a project has them behind PgBouncer in transaction mode."""

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

for database in DATABASES.values():
    database["DISABLE_SERVER_SIDE_CURSORS"] = True
    # PgBouncer takes no "options"; synchronous_commit is a matter of speed.
    database["OPTIONS"] = {}
