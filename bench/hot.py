"""Add up the stacks of `py-spy record --format raw` by function: who is on top.

python bench/hot.py STACKS [LINES]
"""

import re
import sys
from collections import Counter
from pathlib import Path

_LINE = re.compile(r":\d+\)$")


def added_up(stacks: str) -> tuple[int, Counter[str], Counter[str]]:
    """Samples in all; samples by function in its own lines; samples by function with what it calls (recursion counted once)."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    samples = 0
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        calls = [_LINE.sub(")", call) for call in stack.split(";")]
        samples += int(count)
        own[calls[-1]] += int(count)
        for call in set(calls):
            total[call] += int(count)
    return samples, own, total


def main() -> None:
    samples, own, total = added_up(Path(sys.argv[1]).read_text())
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    for title, counts in (("self", own), ("total", total)):
        print(f"{title:>7}  function ({samples} samples)")
        for call, count in counts.most_common(lines):
            print(f"{count / samples:7.1%}  {call}")
        print()


if __name__ == "__main__":
    main()
