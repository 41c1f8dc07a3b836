"""The example project's, with a journal of all answers and addresses that expire soon."""

from example_project.settings import *  # noqa: F403
from example_project.settings import MIDDLEWARE

ROOT_URLCONF = "tests.proxies.urls"
MIDDLEWARE = ["tests.proxies.journal.keep_journal", *MIDDLEWARE]
