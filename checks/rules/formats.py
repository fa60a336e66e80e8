"""Named formats of texts: expressions that all engines read alike, and check digits in plain SQL."""

from __future__ import annotations

import string
from collections.abc import Callable

from checks.rules.codes import COUNTRIES, COUNTRIES_3, CURRENCIES, LANGUAGES
from checks.rules.words import Words

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"({_OCTET}[.]){{3}}{_OCTET}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_IPV6 = "|".join(
    [f"({_GROUP}:){{7}}{_GROUP}", f"({_GROUP}:){{1,7}}:"]
    + [f"({_GROUP}:){{1,{7 - n}}}(:{_GROUP}){{1,{n}}}" for n in range(1, 7)]
    + [f":((:{_GROUP}){{1,7}}|:)", f"::([Ff]{{4}}:)?{_IPV4}"]
)
_LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
_DATE = (
    "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    f"|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"({_LABEL}[.])+[A-Za-z][A-Za-z0-9-]{{0,61}}[A-Za-z0-9]"


def _any(codes: str) -> str:
    return codes.replace(" ", "|")


FORMATS: dict[str, str] = {
    "email": rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_HOST}$",
    "url": r"^[A-Za-z][A-Za-z0-9+.-]*://[^ /?#]+([/?#][^ ]*)?$",
    "hostname": f"^{_HOST}$",
    "uuid": "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
    "ipv4": f"^{_IPV4}$",
    "ipv6": f"^({_IPV6})$",
    "ip": f"^({_IPV4}|{_IPV6})$",
    "cidr": f"^({_IPV4}/([0-9]|[12][0-9]|3[0-2])|({_IPV6})/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))$",
    "mac": "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$",
    "phone": r"^[+][1-9][0-9]{6,14}$",
    "iban": "^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$",
    "card": "^[0-9]{12,19}$",
    "ean": "^([0-9]{8}|[0-9]{12,14})$",
    "country": f"^({_any(COUNTRIES)})$",
    "country_3": f"^({_any(COUNTRIES_3)})$",
    "currency": f"^({_any(CURRENCIES)})$",
    "language": f"^({_any(LANGUAGES)})$",
    "date": f"^{_DATE}$",
    "time": f"^{_TIME}$",
    "timestamp": f"^{_DATE}[ T]{_TIME}(Z|[+-]([01][0-9]):?[0-5][0-9])?$",
    "integer": "^[+-]?[0-9]+$",
    "decimal": "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$",
    "number": "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$",
    "boolean": "^([Tt]rue|TRUE|[Ff]alse|FALSE|[tfTFyYnN01]|[Yy]es|YES|[Nn]o|NO)$",
    "hex": "^(0[xX])?[0-9A-Fa-f]+$",
    "base64": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    "md5": "^[0-9A-Fa-f]{32}$",
    "sha256": "^[0-9A-Fa-f]{64}$",
    "slug": "^[a-z0-9]+(-[a-z0-9]+)*$",
    "ascii": "^[ -~]*$",
}
"""By name, the expression that a text of the format matches; some have check digits besides."""

POSTAL_CODES: dict[str, str] = {
    "AT": "[1-9][0-9]{3}",
    "AU": "[0-9]{4}",
    "BE": "[1-9][0-9]{3}",
    "BR": "[0-9]{5}-?[0-9]{3}",
    "CA": "[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z] ?[0-9][ABCEGHJ-NPRSTV-Z][0-9]",
    "CH": "[1-9][0-9]{3}",
    "CZ": "[0-9]{3} ?[0-9]{2}",
    "DE": "[0-9]{5}",
    "DK": "[0-9]{4}",
    "ES": "(0[1-9]|[1-4][0-9]|5[0-2])[0-9]{3}",
    "FI": "[0-9]{5}",
    "FR": "(0[1-9]|[1-8][0-9]|9[0-8])[0-9]{3}",
    "GB": "([A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|GIR ?0AA)",
    "IE": "[A-Z][0-9][0-9W] ?[A-Z0-9]{4}",
    "IN": "[1-9][0-9]{2} ?[0-9]{3}",
    "IT": "[0-9]{5}",
    "JP": "[0-9]{3}-?[0-9]{4}",
    "KR": "[0-9]{5}",
    "MX": "[0-9]{5}",
    "NL": "[1-9][0-9]{3} ?[A-Z]{2}",
    "NO": "[0-9]{4}",
    "PL": "[0-9]{2}-[0-9]{3}",
    "PT": "[0-9]{4}-[0-9]{3}",
    "SE": "[0-9]{3} ?[0-9]{2}",
    "US": "[0-9]{5}(-[0-9]{4})?",
}
"""By country, the expression of its postal codes."""

_CARD_DIGITS = 19
_IBAN_DIGITS = 68
_STEP = 7


def breaks(words: Words, text: str, name: str, country: str | None = None) -> str:
    """The condition that a text is not of a format; NULL where the text is."""
    pattern = f"^{POSTAL_CODES[country]}$" if country else FORMATS[name]
    shaped = words.matches(text, pattern)
    if name not in _CHECK_DIGITS:
        return f"NOT ({shaped})"
    # Digits are computed with only where the shape is right, which makes the casts safe.
    return f"CASE WHEN {shaped} THEN {_CHECK_DIGITS[name](text)} ELSE {text} IS NOT NULL END"


def _luhn(text: str) -> str:
    """The sum of the digits, every other one from the right doubled, is no multiple of 10."""
    padded = f"LPAD({text}, {_CARD_DIGITS}, '0')"
    parts = []
    for place in range(1, _CARD_DIGITS + 1):
        digit = f"SUBSTR({padded}, {place}, 1)"
        doubled = (_CARD_DIGITS - place) % 2 == 1
        # Nine's remainder of the double is the sum of its digits, but for 9 itself; a table says it at once.
        value = f"SUBSTR('0246813579', CAST({digit} AS INTEGER) + 1, 1)" if doubled else digit
        parts.append(f"CAST({value} AS INTEGER)")
    return f"({' + '.join(parts)}) % 10 <> 0"


def _gtin(text: str) -> str:
    """The sum of the digits, every other one from the right threefold, is no multiple of 10."""
    padded = f"LPAD({text}, 14, '0')"
    parts = [f"{3 if place % 2 else 1} * CAST(SUBSTR({padded}, {place}, 1) AS INTEGER)" for place in range(1, 15)]
    return f"({' + '.join(parts)}) % 10 <> 0"


def _mod_97(text: str) -> str:
    """The country and check digits moved to the end, letters as numbers, leave another remainder of 97 than 1."""
    digits = f"(SUBSTR({text}, 5) || SUBSTR({text}, 1, 4))"
    for number, letter in enumerate(string.ascii_uppercase, start=10):
        digits = f"REPLACE({digits}, '{letter}', '{number}')"
    padded = f"LPAD({digits}, {_IBAN_DIGITS + 2}, '0')"
    remainder = "0"
    for place in range(1, _IBAN_DIGITS + 2, _STEP):
        # The remainder so far, moved left by seven digits, and the next seven.
        remainder = f"(({remainder}) * 10000000 + CAST(SUBSTR({padded}, {place}, {_STEP}) AS INTEGER)) % 97"
    return f"{remainder} <> 1"


_CHECK_DIGITS: dict[str, Callable[[str], str]] = {"card": _luhn, "ean": _gtin, "iban": _mod_97}
