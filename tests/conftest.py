import importlib.util
import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

# Without DRF, what needs it is left out.
if importlib.util.find_spec("rest_framework") is None:
    collect_ignore = ["rest_framework", "example_project"]
    collect_ignore_glob = ["../etag_versioning/rest_framework/*"]


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
