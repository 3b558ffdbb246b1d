"""The header ``Retry-After`` of a server that is busy."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a server asks to wait before the next request, 0 if it names no time.

    The header holds seconds or a date. A date is compared with the server's own ``Date``, if there
    is one, so that a wrong clock here does not matter.

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
        # More digits than this are longer than a century, and too many are no number of seconds.
        return float(text[:10])
    then = _time(text)
    if then is None:
        return 0.0
    now = _time(headers.get("Date") or "")
    return max(0.0, then - (time.time() if now is None else now))


def _time(text: str) -> float | None:
    """Seconds since 1970 of a date of HTTP, or None if it is none."""
    try:
        return float(mktime_tz(parsedate_tz(text)))
    except (TypeError, ValueError, OverflowError):
        return None
