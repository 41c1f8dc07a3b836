from example_project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.race.urls"
