"""Numbers and texts as `ewms top` shows them."""

from __future__ import annotations

from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def clean(text: object, limit: int = 500) -> str:
    """A text from elsewhere in one line, without anything that a terminal would obey."""
    letters = str(text)[: limit + 1]
    return shortened("".join(one if one.isprintable() else " " if one.isspace() else "�" for one in letters), limit)


def lines_of(text: object, most: int = 40) -> str:
    """The last lines of a text from elsewhere, each of them clean."""
    lines = str(text).rstrip().splitlines()
    left_out = [f"({len(lines) - most} lines before)"] if len(lines) > most else []
    return "\n".join([*left_out, *(clean(line) for line in lines[-most:])])


def shortened(text: str, limit: int) -> str:
    """The text, cut with a sign that it was."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def count(number: int | None) -> str:
    """With thousands apart; `?` where it is not known."""
    return "?" if number is None else f"{number:,}"


def rate(per_second: float | None) -> str:
    """Events per second."""
    if per_second is None:
        return ""
    if per_second >= 100:
        return f"{per_second:,.0f}/s"
    return f"{per_second:.1f}/s" if per_second >= 1 or per_second == 0 else f"{per_second * _MINUTE:.1f}/min"


def duration(seconds: float | None) -> str:
    """In two units at most; empty where it is not known."""
    if seconds is None:
        return ""
    whole = round(seconds)
    for unit, name, below, lesser in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "m"), (_MINUTE, "m", 1, "s")):
        if whole >= unit:
            return f"{whole // unit}{name} {whole % unit // below:02}{lesser}"
    return f"{whole}s"


def to_go(planned: int, terminal: int, per_second: float | None) -> str:
    """Until what is known so far is done at this rate; empty while that cannot be told."""
    left = planned - terminal
    return duration(left / per_second) if per_second and left > 0 else ""


def share(terminal: int, planned: int) -> str:
    """Done of known, never rounded up to all of it."""
    percent = f" {terminal * 100 // planned}%" if planned else ""
    return f"{terminal:,}/{planned:,}{percent}"


def moment(timestamp: float) -> str:
    """Local date and time."""
    return datetime.fromtimestamp(timestamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def mapping(pairs: dict[str, int]) -> str:
    """Counts by name."""
    return ", ".join(f"{clean(name)} {number:,}" for name, number in pairs.items())
