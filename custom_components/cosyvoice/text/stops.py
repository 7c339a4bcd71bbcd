"""Decide whether a stop ends a sentence."""

import re

from .characters import CLAUSE_ENDS, CLOSERS, is_speakable

CONTEXT = 32
"""Characters before a stop that decide what it means."""


def ends_sentence(
    text: str, stop: re.Match[str], begin: int, *, after_quote: bool, paused: bool
) -> bool | None:
    """Return whether a stop ends the sentence, None if later text decides.

    Args:
        text: The text.
        stop: The match of the marks and of what closes after them.
        begin: The index where the sentence begins.
        after_quote: Whether the stop closes a quote. The sentence around it may
            continue.
        paused: Whether the beginning of the next word decides, however short.
    """
    end = stop.end()
    following = text[end : end + 1]
    if following.isalnum():
        if after_quote:
            return False  # “走吧！”他说。
        if following < _FIRST_UNSPACED and not stop[0].strip(".!?"):
            return False  # 3.14, example.com, Yahoo!s
    if "\n" in stop[0] or not (after_quote or _ONLY_DOTS.match(stop[0])):
        return True
    if not following:
        return None
    if following in CLAUSE_ENDS or following == "-":
        return False  # etc., or c.-à-d.
    if (next_word := _NEXT_WORD.match(text, end)) is None:
        return True
    if not (word := next_word[1]):
        return True if next_word.end() < len(text) else None
    if word[0].islower() or (after_quote and _has_no_case(word[0])):
        return False
    if not is_ambiguous(text, stop):
        return True
    if len(word) < _BEGINNING and next_word.end() == len(text) and not paused:
        return None
    if len(word) == 1 and text[next_word.end() : next_word.end() + 1] == ".":
        return False  # The initials of a name.
    return _ends_after(_word_before(text, stop), word, text, stop.start(), begin)


def is_ambiguous(text: str, stop: re.Match[str]) -> bool:
    """Return whether a full stop may belong to the number or word before it."""
    if not stop[0].startswith(".") or stop[0].startswith(".."):
        return False
    word = _word_before(text, stop)
    return (
        word.isdigit()
        or (len(word) == 1 and word < _FIRST_UNSPACED)
        or _is_title(word)
        or word.endswith("str")  # Bahnhofstr.
        or word.lower() in _ABBREVIATIONS
    )


def _ends_after(word: str, following: str, text: str, stop: int, begin: int) -> bool:
    """Return whether a full stop after an ambiguous word ends the sentence."""
    start = stop - len(word)
    before = text[max(0, start - CONTEXT) : start]
    is_first = begin >= 0 and not is_speakable(text[begin:start])
    if word.isdigit():
        return not (
            is_first  # 1. Milk
            or following[0].isdigit()  # 3. 10. 2026
            or following in _MONTHS
            or _BEFORE_ORDINAL.search(before)
        )
    if len(word) == 1:
        if word in "mM" and before.endswith("."):
            return following not in _AFTER_TIMES  # 5 p.m. Then
        if _BEFORE_UNIT.search(before):
            return True  # 20 h. Then
        return not (
            is_first
            or following[0].isdigit()  # p. 12
            or word.islower()
            or word == "M"  # M. Dupont
            or _BEFORE_INITIAL.search(before)
        )
    if word.endswith("str") or word.lower() in _BEFORE_NUMBERS:
        return not following[0].isdigit()
    return not (_is_title(word) or word.lower() in _NEVER_LAST)


def _is_title(word: str) -> bool:
    return word[:1].isupper() and word.lower() in _TITLES


def _word_before(text: str, stop: re.Match[str]) -> str:
    found = _WORD_BEFORE.search(text, max(0, stop.start() - CONTEXT), stop.start())
    return found[0] if found else ""


def _has_no_case(character: str) -> bool:
    return character.isalpha() and character.lower() == character.upper()


_BEGINNING = 3
"""Letters of the next word that decide: enough to recognize a month."""
# Chinese, Japanese and (after a stop) Korean write no space after a sentence.
_FIRST_UNSPACED = "\u2e80"
_ONLY_DOTS = re.compile(rf"[.．…]+[{re.escape(CLOSERS)}\ufe0e\ufe0f]*\Z")
_WORD_BEFORE = re.compile(r"[^\W_]+$")
_NEXT_WORD = re.compile(rf"[ \t\xa0\u3000]+(\S[^\W\d_]{{0,{_BEGINNING - 1}}})?")

# fmt: off
# Before a name, if they begin with a capital: "Ms. Li", but "5 ms. Then".
_TITLES = frozenset({
    "arq", "av", "avda", "capt", "col", "dott", "dr", "dra", "fr", "frl", "ft", "gen",
    "gov", "gral", "hon", "hr", "ing", "jl", "jr", "lic", "lt", "mag", "mlle", "mm",
    "mme", "mr", "mrs", "ms", "mt", "mx", "pres", "prof", "rep", "rev", "sen", "sgt",
    "sig", "sr", "sra", "srta", "st", "sta", "sto", "tp",
})
_NEVER_LAST = frozenset({
    "abt", "allg", "av", "avda", "bspw", "bzgl", "bzw", "cf", "dipl", "ee", "ej", "evtl",
    "exkl", "geb", "gem", "ggf", "inkl", "insb", "lt", "max", "min", "mind", "mio", "mrd",
    "sog", "tsd", "vgl", "vs", "zzgl", "им", "обл", "пл", "ул",
})
_BEFORE_NUMBERS = frozenset({
    "abb", "abs", "approx", "aprox", "apt", "art", "bd", "bldg", "ca", "ch", "env", "ep",
    "eq", "ext", "fig", "hwy", "kap", "no", "nos", "nr", "núm", "pág", "pp", "pt", "rm",
    "rp", "rte", "sec", "ste", "tel", "temp", "vol", "рис", "стр",
    # Months and days of the week
    "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    "mär", "okt", "dez", "janv", "févr", "avr", "juil", "déc",
    "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun",
})
# They end a sentence if a capital follows.
_POSSIBLY_LAST = frozenset({
    "ave", "blvd", "chr", "co", "corp", "dept", "ecc", "etc", "inc", "jh", "lb", "lbs",
    "ltd", "mwst", "oz", "std", "tbsp", "tsp", "usw",
})
# The beginnings of months that follow an ordinal number: "3. Oktober".
_MONTHS = frozenset({
    "Jan", "Jän", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov",
    "Dez",
})
# The beginnings of days and time zones: "5 p.m. Eastern Time".
_AFTER_TIMES = frozenset({
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Eas", "Cen", "Mou", "Pac", "ET",
    "CT", "MT", "PT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "GMT",
    "BST", "CET", "UTC",
})
# fmt: on
_ABBREVIATIONS = _NEVER_LAST | _BEFORE_NUMBERS | _POSSIBLY_LAST
# Words before German ordinal numbers: "der 2. Stock".
_BEFORE_ORDINAL = re.compile(
    r"\b(?:(?<!I )am|vom|zum|zur|bis|ab|den|dem|der|des|die|das|im|jeden|jede|seit) $",
    re.IGNORECASE,
)
_BEFORE_UNIT = re.compile(r"\d\s?$")
# A word with a capital, another initial, "by": "John F. Kennedy", but "plan B. Then".
_BEFORE_INITIAL = re.compile(r"(?:\b[^\W\d_a-z][^\W\d_]* |\. ?|\b(?:by|von|par|por) )$")
