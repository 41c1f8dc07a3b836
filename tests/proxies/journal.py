"""
What reaches the origin behind its proxies: a line of JSON per answer.

Written before the answer is sent, so that whoever has the answer finds its line.
"""

import json
import os
from inspect import iscoroutinefunction

from django.utils.decorators import sync_and_async_middleware

VARIABLE = "PROXIES_JOURNAL"


@sync_and_async_middleware
def keep_journal(get_response):
    """Append each request and its status to the file that the environment names."""
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return note(request, await get_response(request))
    else:

        def middleware(request):
            return note(request, get_response(request))

    return middleware


def note(request, response):
    line = {"method": request.method, "path": request.path, "status": response.status_code}
    with open(os.environ[VARIABLE], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    return response


def read_journal(file, path):
    """The methods and statuses, in order, of all requests for a path."""
    lines = map(json.loads, file.read_text("utf-8").splitlines())
    return [(line["method"], line["status"]) for line in lines if line["path"] == path]
