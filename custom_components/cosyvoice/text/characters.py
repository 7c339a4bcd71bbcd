"""Classes of characters: ends of sentences, clauses, Chinese, no text."""

import re
import unicodedata

SENTENCE_ENDS = "。｡．.!！?？…\n\u061f\u06d4\u0964"
"""Marks that end a sentence, unless they belong to a number or an abbreviation."""

CLAUSE_ENDS = "，、：；,;:\u060c\u061b"
"""Marks that end a clause."""

STOPS = SENTENCE_ENDS + CLAUSE_ENDS + "~～—"
"""Marks that make a pause, so that no other mark is needed after them."""

CLOSERS = "\"'”’»›」』｣)）]］】〕》〉}｝"
"""Quotes and brackets that may follow the mark that ends a sentence."""

EMOJI = (
    "\u2139\u2194-\u2199\u21a9\u21aa\u231a-\u23ff\u24c2\u2500-\u2775\u2794-\u27bf"
    "\u2800-\u28ff\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299\ufffc\ufffd"
    "\U0001f000-\U0001faff\U0001fb00-\U0001fbef"
)
"""Pictures rather than text, as the inside of a regular expression's class: emoji,
dingbats, drawing characters. Signs that are read aloud, such as ``°``, ``℃``, ``㎡``,
``№`` and ``❶``, are not among them."""

KEYCAP = "\u20e3"
"""The key drawn around the digit before it."""


def scrub(text: str) -> str:
    """Return the text without characters that can neither be sent nor spoken.

    Control characters, lone surrogates and noncharacters are dropped, line breaks of
    all kinds become newlines. Scrubbing the parts of a text gives the same as
    scrubbing the whole.
    """
    return _UNSENDABLE.sub("", _LINE_BREAK.sub("\n", text))


def printable(text: str) -> str:
    """Return scrubbed text with one kind of space and without invisible characters.

    Format characters, variation selectors and code points for private use are
    dropped, tabs and no-break spaces become spaces.
    """
    if _UNCOMMON.search(text) is None:
        return text
    text = _INVISIBLE.sub("", scrub(_SPACE.sub(" ", text)))
    return text.replace("\u203c", "!").replace("\u2049", "?")


def is_speakable(text: str) -> bool:
    """Return whether a text has something to pronounce: a letter, a Han or a digit.

    The service refuses a text of punctuation alone.
    """
    return _SPEAKABLE.search(text) is not None


def is_cjk(character: str) -> bool:
    """Return whether a character is, or takes, full-width punctuation: Han, kana."""
    return (
        unicodedata.east_asian_width(character) in "FHW"
        and unicodedata.category(character) != "So"
        and _HANGUL.match(character) is None
    )


_SPEAKABLE = re.compile(r"[^\W_]")
_HANGUL = re.compile(
    "[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc]"
)
_LINE_BREAK = re.compile("[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSENDABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SPACE = re.compile("[\t\xa0\u1680\u2000-\u200a\u202f\u205f]")
_INVISIBLE = re.compile(
    "[\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff"
    "\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)
_UNCOMMON = re.compile(
    f"{_UNSENDABLE.pattern}|{_LINE_BREAK.pattern}|{_SPACE.pattern}"
    f"|{_INVISIBLE.pattern}|[\u203c\u2049]"
)
