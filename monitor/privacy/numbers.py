"""Numbers as people write them: 1,234, 0.37, 12.5%."""

from __future__ import annotations

import math

INFINITE = {math.inf: "infinite", -math.inf: "minus infinite"}


def format_number(value: float | None, unit: str = "") -> str:
    """A number with three significant digits, whole numbers in full below a trillion.

    Args:
        value: the number; None and NaN are told as `unknown`.
        unit: `share` writes a share of 0..1 as percent, any other text is put behind the number.

    >>> format_number(1234), format_number(0.3711), format_number(0.125, "share"), format_number(0.41, "nats")
    ('1,234', '0.371', '12.5%', '0.41 nats')
    >>> format_number(0.99996, "share"), format_number(1e-7, "share"), format_number(None)
    ('over 99.9%', 'under 0.001%', 'unknown')
    """
    if value is None or math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return INFINITE[float(value)]
    if unit == "share":
        return _format_share(float(value))
    text = _format_plain(float(value))
    return f"{text} {unit}" if unit else text


def _format_share(share: float) -> str:
    if 0.999 < share < 1:
        return "over 99.9%"
    if 0 < abs(share) < 0.00001:
        return "under 0.001%" if share > 0 else "about 0%"
    if abs(share) >= 100:
        return f"{_format_plain(share)} times"
    return f"{_trim(100 * share)}%"


def _format_plain(value: float) -> str:
    size = abs(value)
    if size >= 1e12 or 0 < size < 1e-4:
        return f"{value:.2e}"
    if value == int(value) or size >= 1000:
        return f"{round(value):,}"
    return _trim(value)


def _trim(value: float) -> str:
    """Three significant digits, without trailing zeros or an exponent."""
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_range(low: float | None, high: float | None, unit: str = "") -> str:
    """Two bounds as one text: `1.2% to 3.4%`, `at most 12 rows`, "" where there is none.

    >>> format_range(0.012, 0.034, "share"), format_range(None, 12, "rows")
    ('1.2% to 3.4%', 'at most 12 rows')
    """
    low, high = _known(low), _known(high)
    if low is not None and low == high:
        return format_number(low, unit)
    if low is not None and high is not None:
        return f"{format_number(low, 'share' if unit == 'share' else '')} to {format_number(high, unit)}"
    if high is not None:
        return f"at most {format_number(high, unit)}"
    return f"at least {format_number(low, unit)}" if low is not None else ""


def _known(bound: float | None) -> float | None:
    return bound if bound is not None and math.isfinite(bound) else None
