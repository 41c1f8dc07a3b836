"""Nine writers at once, and what they got."""

import collections
import itertools
import threading

import httpx

WRITERS = 9


def at_once(addresses, work):
    """
    Call ``work(http, number, answers)`` in nine threads, three for each address.

    Returns:
        The answers to all writes, as (status, reason, method).
    """
    answers, errors = [], []

    def run(number):
        address = addresses[number % len(addresses)]
        try:
            with httpx.Client(base_url=address, timeout=300) as http:
                work(http, number, answers)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)  # A slow machine is no failure.
    assert not any(thread.is_alive() for thread in threads)
    assert not errors, errors[:3]
    return answers


def note(answers, answer):
    """Keep what is asserted about an answer to a write."""
    if answer.status_code == 503:
        assert answer.headers["Retry-After"] == "1"
    reason = answer.json()["reason"] if answer.status_code in (409, 412, 503) else None
    answers.append((answer.status_code, reason, answer.request.method))
    return answer.status_code


def statuses(answers):
    return collections.Counter(status for status, _, _ in answers)


def count(path, method, goal):
    """A writer that adds one, until all writers together have done so ``goal`` times."""
    successes = itertools.count(1)
    done = threading.Event()

    def work(http, number, answers):
        while not done.is_set():
            got = http.get(path)
            assert got.status_code == 200, got.text[:300]
            body = {"name": "a", "days": got.json()["days"] + 1}
            answer = http.request(
                method, path, json=body, headers={"If-Match": got.headers["ETag"]}
            )
            if note(answers, answer) == 200 and next(successes) >= goal:
                done.set()

    return work
