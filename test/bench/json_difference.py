"""json_difference.py: microseconds that a difference takes in Python, for two
documents that are given as the first elements of an array on stdin."""
import json
import sys
import time


def difference(old, new, path=""):
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [path] if old != new else []
    paths = []
    for key in old.keys() | new.keys():
        below = f"{path}.{key}" if path else key
        if key in old and key in new:
            paths += difference(old[key], new[key], below)
        else:
            paths.append(below)
    return paths


old, new, _ = json.load(sys.stdin)
n = 1
while True:
    started = time.perf_counter()
    for _ in range(n):
        difference(old, new)
    took = time.perf_counter() - started
    if took > 0.2:
        print(took * 1e6 / n)
        break
    n *= 2
