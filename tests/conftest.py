import gc
import logging
import threading
from collections import Counter
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.core.management.commands import flush
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.signals import post_migrate
from django.http import HttpRequest


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """
    Write no permissions to the database.

    Each test with ``transaction=True`` ends with a flush, and each flush would write the
    permissions of all models again. That takes longer than most of these tests.
    """
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")


@pytest.fixture(scope="session", autouse=True)
def flush_of_filled_tables():
    """
    Delete rows only from tables that have some, and keep the content types.

    Each test with ``transaction=True`` ends with a flush. Django's own empties the tables of
    all models, and writes the content types again. That takes longer than most of these tests.
    """
    with (
        mock.patch.object(flush, "sql_flush", _delete_from_filled_tables),
        mock.patch.object(flush, "emit_post_migrate_signal"),
    ):
        yield


def _delete_from_filled_tables(style, connection, **options):
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    has_rows = "SELECT '{0}' FROM (SELECT 1) AS one WHERE EXISTS (SELECT 1 FROM {1})"
    with connection.cursor() as cursor:
        quoted = {name: connection.ops.quote_name(name) for name in tables}
        cursor.execute(" UNION ALL ".join(has_rows.format(*pair) for pair in quoted.items()))
        filled = [name for (name,) in cursor.fetchall() if name != "django_content_type"]
    if connection.vendor == "postgresql":
        # All foreign keys of Django's are checked at the COMMIT. TRUNCATE would refuse a table
        # that an empty one refers to.
        return [f"DELETE FROM {quoted[name]}" for name in filled]
    return connection.ops.sql_flush(style, filled)


@pytest.fixture
async def close_connections():
    """Close the connection that coroutines have used, in the thread that opened it."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def race():
    """
    Call functions at the same time, each in a thread with connections of its own.

    Returns what each returned, or the exception that it raised.
    """

    def run(*functions):
        barrier = threading.Barrier(len(functions))
        results = [None] * len(functions)

        def call(number, function):
            try:
                barrier.wait(timeout=30)
                results[number] = function()
            except Exception as error:
                results[number] = error
            finally:
                connections.close_all()

        threads = [
            threading.Thread(target=call, args=(number, function))
            for number, function in enumerate(functions)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in threads)
        return results

    return run


@pytest.fixture
def leaves_nothing():
    """
    Call a function in one new thread after another. The threads must leave no more
    connections, requests and instances behind than there were before.
    """

    def counts():
        gc.collect()
        # By type(): isinstance() would call the functions of lazy objects.
        found = [
            one
            for one in gc.get_objects()
            if issubclass(type(one), BaseDatabaseWrapper | HttpRequest | Model)
        ]
        opened = sum(getattr(one, "connection", None) is not None for one in found)
        return Counter(type(one).__name__ for one in found), opened

    def run(call):
        errors = []

        def in_thread():
            try:
                call()
            except BaseException as error:
                errors.append(error)

        connections["default"].ensure_connection()
        logging.disable()  # A record of a 412 holds its request, and pytest keeps the records.
        before = counts()
        for _ in range(20):
            thread = threading.Thread(target=in_thread)
            thread.start()
            thread.join(timeout=60)
        assert not errors, errors
        assert counts() == before

    yield run
    logging.disable(logging.NOTSET)


@pytest.fixture
def isolation(request):
    """Open the test's connections under another isolation level, and put it back."""
    settings = connection.settings_dict
    options = settings["OPTIONS"]
    connection.close()
    settings["OPTIONS"] = {**options, **ISOLATION[request.param](connection.vendor)}
    yield
    connection.close()
    settings["OPTIONS"] = options


def repeatable_read(vendor):
    if vendor == "postgresql":
        from django.db.backends.postgresql.psycopg_any import IsolationLevel

        return {"isolation_level": IsolationLevel.REPEATABLE_READ}
    if vendor == "mysql":
        return {"isolation_level": "repeatable read"}
    return {"transaction_mode": "DEFERRED"}


def strictest(vendor):
    if vendor == "postgresql":
        from django.db.backends.postgresql.psycopg_any import IsolationLevel

        return {"isolation_level": IsolationLevel.SERIALIZABLE}
    if vendor == "mysql":
        return {
            "isolation_level": "repeatable read",
            "init_command": "SET SESSION innodb_snapshot_isolation = ON",
        }
    return {"transaction_mode": "EXCLUSIVE"}


ISOLATION = {"repeatable": repeatable_read, "strictest": strictest}


@pytest.fixture
def media_root(tmp_path, settings):
    """The folder of the files that a test stores."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def overwriting(settings):
    """A storage in which a file of the same name takes another's place."""
    default = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"allow_overwrite": True},
    }
    settings.STORAGES = {**settings.STORAGES, "default": default}


@pytest.fixture
def attachment(media_root):
    """A row with a stored file. Its model can be imported once Django is set up."""
    from tests.testapp.models import Attachment

    return Attachment.objects.create(name="a", file=ContentFile(b"first", name="a.txt"))
