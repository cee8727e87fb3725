"""Timing for machines that are not quiet: rivals take turns, and ratios are what counts."""

import time


def best_times(contenders, repeats=5):
    """Least seconds of every contender, a dict of callables, over interleaved repeats."""
    times = {name: [] for name in contenders}
    for run in contenders.values():
        run()  # warm caches, thread pools and allocators
    for _ in range(repeats):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: min(each) for name, each in times.items()}


def print_ratio(label, ours, theirs, bar):
    """One line: the ratio of two times and the bar it should not exceed."""
    ratio = ours / theirs
    verdict = "ok" if ratio <= bar else "MISSED"
    print(f"  {label:<58} {ratio:6.3f}   bar {bar:5.2f}   {verdict}", flush=True)
