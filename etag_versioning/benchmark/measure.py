"""
Rounds of requests. All kinds of all addresses take turns in each round, in an
order that changes, so that what slows the machine down slows all of them, and
ratios hold where absolute times do not.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from .figures import Kind, Series
from .targets import Target

__all__ = ["Plan", "measure"]

# Requests of each kind before anything is measured.
_WARM_UP: Final = 20
# With several clients, how many requests each one makes in a turn.
_TURN: Final = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How a run goes.

    Args:
        iterations: how many requests of each kind to measure; rounded up to whole rounds.
        concurrency: how many clients ask at once.

    >>> plan = Plan(iterations=200, concurrency=8)
    >>> plan.turn, plan.rounds, plan.warm_up
    (40, 5, 1)
    """

    iterations: int
    concurrency: int

    @property
    def turn(self) -> int:
        """How many requests of one kind are made before the next kind's turn."""
        return 1 if self.concurrency == 1 else self.concurrency * _TURN

    @property
    def rounds(self) -> int:
        """How many turns each kind has."""
        return math.ceil(self.iterations / self.turn)

    @property
    def warm_up(self) -> int:
        """How many rounds before these are not measured."""
        return math.ceil(min(_WARM_UP, self.iterations) / self.turn)

    def requests(self, targets: Sequence[Target]) -> int:
        """How many requests the run makes in all."""
        turns = sum(len(target.kinds) for target in targets)
        return turns * (self.warm_up + self.rounds) * self.turn


def measure(
    targets: Sequence[Target],
    plan: Plan,
    advance: Callable[[int], None],
) -> list[dict[Kind, Series]]:
    """
    Measure addresses in one run.

    Args:
        targets: the addresses.
        plan: how many requests to make, and how.
        advance: called with the number of requests that were made since.

    Returns:
        For each address, a series for each kind of request.

    Raises:
        BenchmarkError: an address cannot be measured any more.
    """
    measured: list[dict[Kind, Series]] = [
        {kind: Series() for kind in target.kinds} for target in targets
    ]
    turns = [
        (target, kind, series[kind])
        for target, series in zip(targets, measured, strict=True)
        for kind in target.kinds
    ]
    # Seeded: two runs differ in what they measure, not in how.
    order = random.Random(0)
    with _clients(plan.concurrency) as ask_all:
        for number in range(-plan.warm_up, plan.rounds):
            for target, kind, series in order.sample(turns, k=len(turns)):
                target.settle()
                turn = ask_all(target, kind, plan.turn)
                if number >= 0:
                    series.exchanges += turn.exchanges
                    series.seconds += turn.seconds
                advance(plan.turn)
    return measured


@contextmanager
def _clients(concurrency: int) -> Iterator[Callable[[Target, Kind, int], Series]]:
    """So many clients; one asks in this thread, which owns the project's connections."""
    if concurrency == 1:
        yield _ask_one_by_one
        return
    with ThreadPoolExecutor(concurrency) as threads:

        def ask_at_once(target: Target, kind: Kind, times: int) -> Series:
            started = time.perf_counter()
            exchanges = list(threads.map(target.ask, [kind] * times))
            return Series(exchanges, time.perf_counter() - started)

        yield ask_at_once


def _ask_one_by_one(target: Target, kind: Kind, times: int) -> Series:
    """What the client does between two requests is its own time, and not the server's."""
    exchanges = [target.ask(kind) for _ in range(times)]
    return Series(exchanges, sum(each.seconds for each in exchanges))
