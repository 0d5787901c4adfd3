"""Numbers in sentences: every figure that prose states is turned into words here, never typed."""

from __future__ import annotations

import datetime
import math
from fractions import Fraction

import pandas as pd

from analysis.errors import RenderError

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
FRACTIONS = {
    Fraction(1, 20): "one in twenty",
    Fraction(1, 10): "a tenth",
    Fraction(1, 5): "a fifth",
    Fraction(1, 4): "a quarter",
    Fraction(1, 3): "a third",
    Fraction(2, 5): "two fifths",
    Fraction(1, 2): "half",
    Fraction(3, 5): "three fifths",
    Fraction(2, 3): "two thirds",
    Fraction(3, 4): "three quarters",
    Fraction(4, 5): "four fifths",
    Fraction(9, 10): "nine tenths",
    Fraction(19, 20): "nineteen in twenty",
}


def count(number: float) -> str:
    """A whole number with thousands separated.

    >>> count(3144)
    '3,144'
    """
    return f"{int(number):,}"


def how_many(number: float) -> str:
    """A count as a sentence has it: "none" for zero.

    >>> how_many(0), how_many(36)
    ('none', '36')
    """
    return count(number) if number else "none"


def claim(text: str, holds: bool) -> str:
    """A sentence that rests on numbers, as long as they bear it.

    Raises
    ------
    RenderError : they no longer do, so that the sentence has to be written anew.

    >>> claim("The vote goes with listing.", True)
    'The vote goes with listing.'
    """
    if not holds:
        raise RenderError(f"The numbers no longer bear the sentence {text!r}. Write it anew.")
    return text


def dollars(amount: float) -> str:
    """An amount as a sentence has it, to three digits; whole dollars below a million.

    >>> dollars(65_100_000_000), dollars(210_386_343), dollars(-1_234.5), dollars(0)
    ('65.1 billion US dollars', '210 million US dollars', '-1,234 US dollars', '0 US dollars')
    """
    for unit, name in ((1e9, "billion"), (1e6, "million")):
        if abs(amount) >= unit:
            digits = max(0, 2 - int(math.log10(abs(amount) / unit)))
            return f"{amount / unit:,.{digits}f} {name} US dollars"
    return f"{amount:,.0f} US dollars"


def percent(share: float, digits: int = 0) -> str:
    """A share in percent.

    >>> percent(0.1234), percent(0.1234, 1)
    ('12 %', '12.3 %')
    """
    return f"{100 * share:.{digits}f} %"


def day(date: object) -> str:
    """A day in words, whatever the machine's language.

    >>> day("2025-05-31")
    '31 May 2025'
    """
    parts = datetime.date.fromisoformat(str(date))
    return f"{parts.day} {MONTHS[parts.month - 1]} {parts.year}"


def fraction(part: float, whole: float) -> str:
    """A share as the nearest plain fraction, saying on which side of it the share lies.

    Within half a percentage point it is "about"; else "more than" or "less than". What is not none is never
    called none, and what is not all never all.

    >>> fraction(1, 3), fraction(293, 408), fraction(99, 300), fraction(0, 9), fraction(9, 9)
    ('a third', 'less than three quarters', 'about a third', 'none', 'all')
    >>> fraction(1, 100), fraction(99, 100), fraction(51, 100), fraction(494, 1000)
    ('less than one in twenty', 'more than nineteen in twenty', 'more than half', 'less than half')
    """
    share = Fraction(int(part), int(whole))
    if share in (0, 1):
        return "all" if share else "none"
    nearest = min(FRACTIONS, key=lambda known: abs(share - known))
    if share == nearest:
        return FRACTIONS[nearest]
    if abs(share - nearest) <= Fraction(1, 200):
        return f"about {FRACTIONS[nearest]}"
    return f"{'more' if share > nearest else 'less'} than {FRACTIONS[nearest]}"


def file_size(size: int) -> str:
    """A file's size in the unit that a reader expects, thousands of bytes.

    >>> file_size(244), file_size(253977), file_size(8848166)
    ('1 kB', '254 kB', '8.8 MB')
    """
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(round(size / 1e3), 1)} kB"


def of_hundred(per_100: float) -> str:
    """How many of 100, to the whole number; what rounds to none or all says so.

    >>> of_hundred(54.46), of_hundred(0.3), of_hundred(0), of_hundred(99.8)
    ('about 54', 'fewer than 1', 'none', 'more than 99')
    """
    if per_100 == 0 or per_100 == 100:
        return "none" if per_100 == 0 else "all"
    if per_100 < 0.5:
        return "fewer than 1"
    return "more than 99" if per_100 > 99.5 else f"about {per_100:.0f}"


def limits(low: float, high: float) -> str:
    """An interval of numbers out of 100, to the whole number.

    >>> limits(30.83, 76.24)
    '31 to 76'
    """
    return f"{low:.0f} to {high:.0f}"


def frequency(row: pd.Series) -> str:
    """A natural frequency with its interval from `per_100`, `conf_low`, `conf_high`.

    >>> frequency(pd.Series({"per_100": 54.46, "conf_low": 30.83, "conf_high": 76.24}))
    'about 54 (range 31 to 76)'
    """
    return f"{of_hundred(row['per_100'])} (range {limits(row['conf_low'], row['conf_high'])})"


def points(effect: pd.Series) -> str:
    """A change of probability in percentage points with its interval.

    >>> points(pd.Series({"estimate": 0.0731, "conf_low": 0.0359, "conf_high": 0.1102}))
    '+7.3 (3.6 to 11.0)'
    """
    estimate, low, high = (100 * effect[name] for name in ("estimate", "conf_low", "conf_high"))
    return f"{estimate:+.1f} ({low:.1f} to {high:.1f})"


def direction(effect: pd.Series) -> str:
    """Whether an interval lies above zero, below it, or on both sides.

    >>> direction(pd.Series({"conf_low": -0.1, "conf_high": 0.2}))
    'no difference that can be told from chance'
    """
    if effect["conf_low"] > 0:
        return "more often listed"
    if effect["conf_high"] < 0:
        return "less often listed"
    return "no difference that can be told from chance"
