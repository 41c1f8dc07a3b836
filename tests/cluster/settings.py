"""
Settings of the tests in this folder, and of the applications that they send requests to.

The environment names ports: ``NODE`` is an application's database, a node of Galera. Without it,
``PRIMARY``, ``STANDBY``, ``PGBOUNCER`` and ``NODES`` are those of the tests.
"""

import os

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "etag_versioning",
    "rest_framework",
    "tests.testapp",
]
# What a view raises outside of our own code, as for a COMMIT of ATOMIC_REQUESTS.
MIDDLEWARE = ["etag_versioning.middleware.StaleWriteMiddleware"]
ROOT_URLCONF = "tests.cluster.urls"
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None}
# Many requests lose their race here, and a 503 for each is a line.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {name: {"level": "CRITICAL"} for name in ("etag_versioning", "django.request")},
}
NAME = "etag_cluster"


def postgresql(port):
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": port,
        "NAME": NAME,
        "USER": "postgres",
    }


def mariadb(port):
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": "127.0.0.1",
        "PORT": port,
        "NAME": NAME,
        "USER": "root",
        "OPTIONS": {"connect_timeout": 5},
    }


if "NODE" in os.environ:
    atomic_requests = os.environ.get("ATOMIC_REQUESTS") == "1"
    DATABASES = {"default": mariadb(os.environ["NODE"]) | {"ATOMIC_REQUESTS": atomic_requests}}
else:
    DATABASES = {
        "default": postgresql(os.environ["PRIMARY"]),
        "replica": postgresql(os.environ["STANDBY"]),
        "pooled": postgresql(os.environ["PGBOUNCER"]) | {"DISABLE_SERVER_SIDE_CURSORS": True},
    }
    for number, port in enumerate(os.environ["NODES"].split(","), 1):
        DATABASES[f"node{number}"] = mariadb(port)
        # Reads wait for what other nodes have committed: the tests look at the end.
        options = DATABASES[f"node{number}"]["OPTIONS"]
        options["init_command"] = "SET SESSION wsrep_sync_wait = 1"
    DATABASE_ROUTERS = ["tests.cluster.routers.PrimaryReplicaRouter"]
