"""A message as Slack's Block Kit: within Slack's limits however wide it is, and nothing in it taken for markup.

Markup in Slack has no escape sign. Words therefore get look-alikes where a sign would format (an asterisk
becomes an asterisk operator); names, conditions and SQL stand in code, where they can be copied as they are.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from monitor.alerts.blocks import Bars, Block, Code, ColumnChange, Facts, Message, Picture, Places, Steps, Text
from monitor.alerts.words import STORY, bar, heading, place
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

BLOCKS_MAX = 50
HEADER_MAX = 150
SECTION_MAX = 3000
FIELD_MAX = 2000
FIELDS_MAX = 10
ALT_MAX = 2000
TEXT_MAX = 3000
POST_MAX = 10_000
"""Characters of all blocks of one post as JSON: Slack refuses from about 12,000, and does not say how it counts."""
POSTS_MAX = 5
ROWS_MAX = 10
"""Lines of one list in a message."""
CODES_MAX = 4
CODE_READ_MAX = 6000
_LINE_MAX = 900
_NAME_MAX = 200
_VALUE_MAX = 300

Json = dict[str, Any]

_LOOKS_LIKE = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u02cb"})
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_EMOJI = re.compile(r":(?=[\w+'-]*[a-z+-][\w+'-]*:)")
_QUOTE = re.compile(r"^(?:>\s*)+")
_FENCE = re.compile("`{3,}")


def render_blocks(message: Message, files: Mapping[int, str]) -> list[Json]:
    """The blocks of the alert itself; its SQL is in `render_thread`.

    Args:
        message: any message.
        files: Slack's id of the file by the picture's place among `message.pictures`; the words that stand for a
            picture take the place of one that has none.
    """
    told = [prose(heading(message), _LINE_MAX), link(message.story_address, STORY)]
    blocks = [_header(message.title or message.table), *_context(" · ".join(part for part in told if part))]
    picture = 0
    for block in message.blocks:
        if isinstance(block, Picture):
            blocks += _picture(block, files.get(picture))
            picture += 1
        else:
            blocks += _render(block, message)
        if len(blocks) > BLOCKS_MAX:
            break
    return _bounded(blocks, message)


def render_thread(message: Message) -> list[list[Json]]:
    """The posts of the thread under the alert: its statements as code, split where one post cannot hold them."""
    blocks: list[Json] = []
    for code in [block for block in message.blocks if isinstance(block, Code)][:CODES_MAX]:
        blocks += _section([f"*{prose(code.caption, _VALUE_MAX)}*" if code.caption.strip() else ""])
        blocks += [_mrkdwn_section(f"```\n{piece}\n```") for piece in code_pieces(code.code)]
    posts: list[list[Json]] = [[]]
    for block in blocks:
        if posts[-1] and not _fits([*posts[-1], block]):
            posts.append([])
        posts[-1].append(block)
    return [post for post in posts if post][:POSTS_MAX]


def render_fallback(message: Message) -> str:
    """The whole message as plain text: for notifications, for screen readers, and where blocks are refused."""
    lines = [message.title, heading(message), f"{STORY}: {message.story_address}" if message.story_address else ""]
    for block in message.blocks[:BLOCKS_MAX]:
        lines += list(_plain(block, message))
    return fit("\n".join(line for line in (clean_text(part, _LINE_MAX) for part in lines) if line), TEXT_MAX)


def prose(text: str, length_max: int) -> str:
    """One line of mrkdwn that shows `text`: no emphasis, mention, link, quote or emoji comes of it.

    >>> prose("dep_time *is* <!channel> _late_ at 05:00:30 :fire:", 80)
    'dep_time ∗is∗ &lt;!channel&gt; ˍlateˍ at 05:00:30 ꞉fire:'
    """  # noqa: RUF002
    line = clean_text(text, length_max).translate(_LOOKS_LIKE)
    line = _QUOTE.sub(lambda quote: "\u203a" * len(quote[0].replace(" ", "")) + " ", line)
    return fit(_EMOJI.sub("\ua789", _UNDERSCORE.sub("\u02cd", line)), length_max)


def code_span(text: str, length_max: int) -> str:
    """One line as code; "" for nothing, since Slack shows an empty span as two backticks.

    >>> code_span("origin < 'L`A'", 60)
    "`origin &lt; 'LˋA'`"
    """  # noqa: RUF002
    line = fit(clean_text(text, length_max).replace("`", "\u02cb"), length_max - 2)
    return f"`{line}`" if line else ""


def link(address: str, words: str) -> str:
    """A link with words of our own; "" without an address.

    >>> link("https://dq.example.com/incidents/INC-17", "The whole story")
    '<https://dq.example.com/incidents/INC-17|The whole story>'
    """
    address = clean_text(address, _LINE_MAX).replace("|", "%7C").replace(" ", "%20")
    return f"<{fit(address, 2 * _LINE_MAX).replace('&gt;', '%3E').replace('&lt;', '%3C')}|{words}>" if address else ""


def fit(text: str, length_max: int) -> str:
    """`text` with Slack's three signs as entities, cut between signs so that the whole has at most `length_max`.

    >>> fit("a<b", 10), fit("<<<<", 10)
    ('a&lt;b', '&lt;&lt;…')
    """
    signs = [_ENTITIES.get(sign, sign) for sign in text[: length_max + 1]]
    if sum(map(length_of, signs)) <= length_max:
        return "".join(signs)
    kept, room = [], length_max - 1
    for sign in signs:
        room -= length_of(sign)
        if room < 0:
            break
        kept.append(sign)
    return "".join(kept).rstrip() + "…"


def length_of(text: str) -> int:
    """Characters as JavaScript counts them: an emoji is two or more."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def _header(title: str) -> Json:
    line = clean_text(title, HEADER_MAX) or "An alert of daywatch"
    while length_of(fit(line, 10 * HEADER_MAX)) > HEADER_MAX:  # as entities or not: nobody says which Slack counts
        line = line[:-2].rstrip() + "…"
    return {"type": "header", "text": {"type": "plain_text", "text": line, "emoji": False}}


def _context(text: str) -> list[Json]:
    return [{"type": "context", "elements": [_mrkdwn(text)]}] if text else []


def _mrkdwn(text: str) -> Json:
    """`verbatim`: addresses become no links and names no mentions."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _mrkdwn_section(text: str) -> Json:
    return {"type": "section", "text": _mrkdwn(text)}


def _section(lines: Iterable[str]) -> list[Json]:
    """Lines as few sections as hold them."""
    texts: list[str] = []
    for line in lines:
        if texts and length_of(texts[-1]) + 1 + length_of(line) <= SECTION_MAX:
            texts[-1] += f"\n{line}"
        elif line:
            texts.append(line)
    return [_mrkdwn_section(text) for text in texts if text.strip()]


def _picture(picture: Picture, file: str | None) -> list[Json]:
    alt = clean_text(picture.alt, ALT_MAX // 2) or "A picture"
    if file is None:
        return _context(f"Picture: {prose(alt, ALT_MAX)}")
    return [{"type": "image", "slack_file": {"id": file}, "alt_text": alt}]


def _render(block: Block, message: Message) -> list[Json]:
    match block:
        case Text(text):
            return _section([prose(text, SECTION_MAX)])
        case Bars(columns):
            return _section([*map(_column, columns[:ROWS_MAX]), *_more(len(columns), "columns")])
        case Places(segments):
            lines = [f"• {code_span(s.where, _LINE_MAX)} {prose(place(s), _VALUE_MAX)}" for s in segments[:ROWS_MAX]]
            return _section(["*Where*", *lines, *_more(len(segments), "places")]) if lines else []
        case Facts():
            return _facts(block)
        case Steps(steps):
            lines = [f"• {_step(message.fill(step))}" for step in steps[:ROWS_MAX] if step.strip()]
            return _section(["*Next*", *lines]) if lines else []
        case _:
            return []


def _column(column: ColumnChange) -> str:
    share = f"{bar(_share(column.share))} {format_number(round(_share(column.share), 2), 'share')} of the change"
    before, after = prose(column.before, _VALUE_MAX), prose(column.after, _VALUE_MAX)
    change = f"{before} → *{after}*" if before and after else before or after
    named = f"{code_span(column.name, _NAME_MAX)} {share}".strip()
    return f"{named} · {change}" if change else named


def _share(share: float) -> float:
    return min(max(share, 0.0), 1.0) if share == share else 0.0  # noqa: PLR0124 - NaN


def _more(count: int, what: str) -> list[str]:
    return [f"and {count - ROWS_MAX:,} more {what}"] if count > ROWS_MAX else []


def _facts(facts: Facts) -> list[Json]:
    """Two columns on a wide screen, one on a narrow one."""
    fields = [
        _mrkdwn(f"*{prose(fact.label, _NAME_MAX)}*\n{prose(fact.value, _VALUE_MAX) or '-'}")
        for fact in facts.facts[:FIELDS_MAX]
        if fact.label.strip()
    ]
    return [{"type": "section", "fields": fields}] if fields else []


def _step(step: str) -> str:
    """Commands between backticks as code, the words around them as they are."""
    parts = step[:_LINE_MAX].split("`")[:ROWS_MAX]
    told = (code_span(part, _VALUE_MAX) if i % 2 else prose(part, _VALUE_MAX) for i, part in enumerate(parts))
    return " ".join(part for part in told if part)


def code_pieces(code: str) -> Iterator[str]:
    """The statement in pieces that a section holds between fences; split at line ends where there are any."""
    kept = "".join(sign for sign in code[:CODE_READ_MAX] if sign in "\n\t" or _is_shown(sign)).strip()
    kept = _FENCE.sub(lambda run: "\u02cb" * len(run[0]), kept)
    if len(code) > CODE_READ_MAX:
        kept += "\n-- cut here: `daywatch explain` prints all of it"
    room = SECTION_MAX - len("```\n\n```")
    piece = ""
    for line in kept.splitlines():
        for part in _parts(line, room):
            if piece and length_of(piece) + 1 + length_of(part) > room:
                yield piece
                piece = part
            else:
                piece = f"{piece}\n{part}" if piece else part
    if piece.strip():
        yield piece


def _parts(line: str, room: int) -> Iterator[str]:
    """An escaped line, in parts where it is longer than `room`."""
    part: list[str] = []
    used = 0
    for sign in line:
        escaped = _ENTITIES.get(sign, sign)
        if used + length_of(escaped) > room:
            yield "".join(part)
            part, used = [], 0
        part.append(escaped)
        used += length_of(escaped)
    yield "".join(part)


def _is_shown(sign: str) -> bool:
    return sign == "\u200d" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _bounded(blocks: Sequence[Json], message: Message) -> list[Json]:
    """As many blocks as one post takes, from the beginning; what is cut is said."""
    kept = list(blocks)
    if len(kept) <= BLOCKS_MAX and _fits(kept):
        return kept
    finding = message.findings[0] if message.findings else message.incident
    cut = _context(f"Cut here: {code_span(f'daywatch explain {finding}', _NAME_MAX)} tells the whole story")
    kept = kept[: BLOCKS_MAX - 1]
    while len(kept) > 1 and not _fits([*kept, *cut]):
        kept.pop()
    return [*kept, *cut]


def _fits(blocks: Sequence[Json]) -> bool:
    return len(blocks) <= BLOCKS_MAX and length_of(json.dumps(blocks, ensure_ascii=False)) <= POST_MAX


def _plain(block: Block, message: Message) -> Iterator[str]:
    """A block in lines of plain text."""
    match block:
        case Text(text):
            yield text
        case Picture(_, alt):
            yield f"Picture: {alt}" if alt.strip() else ""
        case Bars(columns):
            for c in columns[:ROWS_MAX]:
                share = format_number(round(_share(c.share), 2), "share")
                yield f"{c.name} ({share} of the change): {c.before} → {c.after}"
        case Places(segments):
            yield from (f"Where {where.where[:_LINE_MAX]}: {place(where)}" for where in segments[:ROWS_MAX])
        case Facts(facts):
            yield from (f"{fact.label}: {fact.value}" for fact in facts[:FIELDS_MAX])
        case Steps(steps):
            yield from (f"Next: {message.fill(step)}" for step in steps[:ROWS_MAX])
