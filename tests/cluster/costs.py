"""
What each read and write costs on PostgreSQL: the statements of the views of this folder, the
locks among them, and the round trips with BEGIN and COMMIT::

    python -m tests.cluster.costs
"""

import asyncio
import json
import os
from contextlib import ExitStack

import django

from . import servers

PATHS = {
    "plain": "/plain/people/{}/",
    "async": "/async/people/{}/",
    "DRF": "/api/people/{}/",
    "adrf": "/async-api/people/{}/",
    "DRF, touches": "/api/leaves/{}/",
}
TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


def main():
    with ExitStack() as stack:
        primary, standby = stack.enter_context(servers.postgresql())
        os.environ.update(
            PRIMARY=str(primary),
            STANDBY=str(standby),
            PGBOUNCER="0",
            NODES="0",
            DJANGO_SETTINGS_MODULE="tests.cluster.settings",
        )
        django.setup()
        from django.conf import settings
        from django.db import connections
        from django.test.utils import setup_test_environment

        setup_test_environment()
        settings.DATABASE_ROUTERS = []
        from .applications import create_database

        create_database("default", "postgres")
        print(f"{'':24}{'':14}statements  of these, write or lock  round trips")
        for way, path in PATHS.items():
            for request in REQUESTS:
                measure(way, path, request, "touches" in way)
        connections.close_all()


REQUESTS = ["GET, 200", "GET, 304", "PATCH, 200", "PATCH, 412", "DELETE, 204"]


def measure(way, path, request, touches):
    row, content = make_row(touches)
    method, status = request.split(", ")
    url = path.format(row.pk)
    tag = send(way, "GET", url)[0]["ETag"]
    headers = {"GET": {"if_none_match": tag}}.get(method, {"if_match": tag})
    if request == "GET, 200":
        headers = {}
    if status == "412":
        headers = {"if_match": '"other"'}
    answer, queries = send(way, method, url, content if method == "PATCH" else None, **headers)
    assert answer.status_code == int(status), (request, answer.status_code, answer.content)
    statements = [sql for sql in queries if not sql.startswith(TRANSACTION)]
    locking = [
        sql
        for sql in statements
        if sql.startswith(("UPDATE", "INSERT", "DELETE")) or "FOR UPDATE" in sql
    ]
    print(f"{way:24}{request:14}{len(statements):10}{len(locking):25}{len(queries):13}")


def make_row(touches):
    from tests.testapp.models import Book, Leaf, Person, Shelf

    if not touches:
        return Person.objects.create(name="a"), {"days": 1}
    shelf = Shelf.objects.create(name="a")
    book = Book.objects.create(name="a", shelf=shelf)
    return Leaf.objects.create(name=str(book.pk), book=book), {"number": 1}


def send(way, method, url, body=None, **headers):
    """The answer, and the SQL of the request."""
    from asgiref.sync import sync_to_async
    from django.db import connection, connections
    from django.test import AsyncClient, Client
    from django.test.utils import CaptureQueriesContext

    arguments = (method, url, "" if body is None else json.dumps(body))
    given = {"content_type": "application/json", "headers": headers}
    if way not in ("async", "adrf"):
        with CaptureQueriesContext(connection) as captured:
            answer = Client().generic(*arguments, **given)
        return answer, [query["sql"] for query in captured]

    async def in_loop():
        # The statements run in the thread of sync_to_async(), on its connection.
        captured = await sync_to_async(lambda: CaptureQueriesContext(connection).__enter__())()
        answer = await AsyncClient().generic(*arguments, **given)
        queries = await sync_to_async(lambda: [query["sql"] for query in captured])()
        await sync_to_async(connections.close_all)()
        return answer, queries

    return asyncio.run(in_loop())


if __name__ == "__main__":
    main()
