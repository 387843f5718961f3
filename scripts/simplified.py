"""Make src/hongyan/features/search/simplified.txt anew from OpenCC's table of characters (Apache-2.0).

    pip install opencc && python scripts/simplified.py

Two lines: traditional characters, and at the same places the simplified ones they are folded to (docs/decisions/0010).
"""

from pathlib import Path

import opencc

TARGET = Path(__file__).resolve().parents[1] / "src/hongyan/features/search/simplified.txt"
HAN = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x323B0))
MORE = {"著": "着", "妳": "你", "祇": "只", "喫": "吃"}
"""Which of two forms is right depends on the word; to find both, a search takes them for the same."""


def main() -> None:
    han = [chr(code) for begin, end in HAN for code in range(begin, end)]
    simplified = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    pairs = {old: new for old, new in zip(han, simplified, strict=True) if old != new and len(new) == 1} | MORE
    while chained := {old: pairs[new] for old, new in pairs.items() if new in pairs}:
        pairs |= chained
    TARGET.write_text("".join(pairs) + "\n" + "".join(pairs.values()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
