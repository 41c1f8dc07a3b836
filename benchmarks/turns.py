"""
Subjects take turns, and ratios are those of neighbouring turns: what slows the
machine down for a while slows both.
"""

import gc
import statistics

WARM_UP = 5


def take_turns(subjects, turns):
    """
    Seconds that each subject took, turn by turn.

    Args:
        subjects: functions that return seconds, by name.
        turns: how often each one is measured.
    """
    names = list(subjects)
    took = {name: [] for name in names}
    gc.collect()
    gc.disable()
    try:
        for turn in range(-WARM_UP, turns):
            # Another one begins each time, so that nobody always finds a warm cache.
            first = turn % len(names)
            for name in [*names[first:], *names[:first]]:
                seconds = subjects[name]()
                if turn >= 0:
                    took[name].append(seconds)
            if turn % 20 == 0:
                gc.collect()
    finally:
        gc.enable()
    return took


def ratio(seconds, others):
    """The median of the ratios of neighbouring turns."""
    return statistics.median(a / b for a, b in zip(seconds, others, strict=True))


def paired(subject, other, turns):
    """How many times as long as ``other`` a subject takes, where only the two take turns."""
    took = take_turns({"subject": subject, "other": other}, turns)
    return ratio(took["subject"], took["other"])
