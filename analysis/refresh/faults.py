"""What can go wrong with a live source: each fault has a name, and each class the exit code of its kind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from analysis.errors import AnalysisError, clipped

HIDDEN = "REDACTED"
NAMED = {"&": "|&amp;", '"': '|&quot;|\\\\"', "/": "|\\\\/", " ": r"|\+", "<": "|&lt;", ">": "|&gt;"}
SECRET_PARAMETERS = re.compile(r"(?i)([?&;](?:api_?key|key|token|access_token)=)[^&\s\"'<>]*")


class RefreshError(AnalysisError):
    """A refresh that accepted nothing.

    Parameters
    ----------
    fault : its name, a few words, such as "soft 404"; the message begins with it.
    rule : what was expected, and what came.
    where : an address, a file, a place in a file.
    remedy : what to do about it.
    """

    code = 1

    def __init__(self, fault: str, rule: str, *, where: object = None, remedy: str | None = None) -> None:
        rule = clipped(rule)
        self.fault, self.rule, self.where, self.remedy = fault, rule, where, remedy
        text = f"{fault}: {where}: {rule}" if where is not None else f"{fault}: {rule}"
        super().__init__(f"{text} Remedy: {remedy}" if remedy else text)


class UsageError(RefreshError):
    """What was asked for cannot be done: a wrong option, a missing key."""

    code = 2


class FetchError(RefreshError):
    """The publisher could not be reached, refused, or broke off, as often as it was tried."""

    code = 3


class QuarantineError(RefreshError):
    """Something came, and is not what was asked, or breaks a check."""

    code = 4


class LockedError(RefreshError):
    """Another refresh of the same source is running."""

    code = 5


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without keys: those named, in any spelling of `spelled`, and any `key=` parameter."""
    for secret in filter(None, secrets):
        text = spelled(secret).sub(HIDDEN, text)
    return SECRET_PARAMETERS.sub(rf"\1{HIDDEN}", text)


def is_told(text: str, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets stands in a text, in any spelling of `spelled`."""
    quoted = any(sign in text for sign in "%&\\+")  # most text has none: the pattern is slow
    return any(
        secret.lower() in text.lower() or (quoted and spelled(secret).search(text))
        for secret in filter(None, secrets)
    )


@lru_cache
def spelled(secret: str) -> re.Pattern[str]:
    """What finds a secret: each sign as it is, quoted for an address (once or more), in HTML or in JSON."""

    def ways(sign: str) -> str:
        number = ord(sign)
        quoted = "".join(f"%(?:25)*{byte:02x}" for byte in sign.encode())
        written = rf"{re.escape(sign)}|{quoted}|&\#0*{number};|&\#x0*{number:x};|\\u{number:04x}"
        return f"(?:{written}{NAMED.get(sign, '')})"

    return re.compile("".join(map(ways, secret)), re.IGNORECASE)
