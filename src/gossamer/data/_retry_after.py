"""Parsing the ``Retry-After`` header of a busy server."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the delay in seconds that a server requests, 0 if it requests none.

    The header has a number of seconds or a date. A date is compared with the server's own ``Date``,
    if there is one, so that a wrong local clock does not matter.

    Examples
    --------
    >>> retry_after({"Retry-After": "7"})
    7.0
    >>> date = "Fri, 31 Dec 1999 23:59:{}0 GMT"
    >>> retry_after({"Retry-After": date.format(5), "Date": date.format(2)})
    30.0
    """
    text = (headers.get("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        # Ten digits are already more than a century; float() fails for too many digits.
        return float(text[:10])
    then = _time(text)
    if then is None:
        return 0.0
    now = _time(headers.get("Date") or "")
    return max(0.0, then - (time.time() if now is None else now))


def _time(text: str) -> float | None:
    """Return the seconds since 1970 of an HTTP date, or None if it is invalid."""
    try:
        return float(mktime_tz(parsedate_tz(text)))
    except (TypeError, ValueError, OverflowError):
        return None
