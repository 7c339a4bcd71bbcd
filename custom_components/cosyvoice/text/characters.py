"""Classes of characters: what cannot be spoken, what ends a sentence, what is Chinese."""

import re

EMOJI = (
    "\u2139\u2194-\u2199\u21a9\u21aa\u231a-\u23ff\u24c2\u2500-\u2775\u2794-\u27bf"
    "\u2800-\u28ff\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299\ufffc\ufffd"
    "\U0001f000-\U0001faff\U0001fb00-\U0001fbef"
)
"""Pictures rather than text, as the inside of a regular expression's class: emoji,
dingbats, drawing characters. Not in it are the signs that are read aloud, such as
``°``, ``℃``, ``㎡``, ``№`` and ``❶``."""

KEYCAP = "\u20e3"
"""The key drawn around the digit before it."""

CLOSERS = "\"'”’」』）)】》〉]}"
"""What may follow the mark that ends a sentence."""

STOPS = "。．.!！?？…;；:：,，、~～—"
"""What makes a pause by itself, so that no other mark is needed after it."""


def printable(text: str) -> str:
    """Return the text with one kind of space and line break and no unprintable rest.

    Control and format characters, lone surrogates, variation selectors and code
    points for private use are dropped; tabs and no-break spaces become spaces, other
    line breaks become newlines. A carriage return is a line break of its own.
    """
    if _UNCOMMON.search(text) is None:
        return text
    text = _LINE_BREAK.sub("\n", _SPACE.sub(" ", text))
    return _UNPRINTABLE.sub("", text).replace("\u203c", "!").replace("\u2049", "?")


def is_speakable(text: str) -> bool:
    """Return True if there is something to pronounce: a letter, a Han or a digit.

    The service refuses a text of punctuation alone.
    """
    return _SPEAKABLE.search(text) is not None


def is_cjk(character: str) -> bool:
    """Return whether a letter takes full-width punctuation (Han, kana), or is such."""
    return _CJK.match(character) is not None


_SPEAKABLE = re.compile(r"[^\W_]")
_SPACE = re.compile("[\t\xa0\u1680\u2000-\u200a\u202f\u205f]")
_LINE_BREAK = re.compile("[\r\x0b\x0c\x85\u2028\u2029]")
_UNPRINTABLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\uf8ff\ufdd0-\ufdef"
    "\ufe00-\ufe0f\ufeff\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U0010ffff]"
)
_UNCOMMON = re.compile(
    f"{_UNPRINTABLE.pattern}|{_SPACE.pattern}|{_LINE_BREAK.pattern}|[\u203c\u2049]"
)
_CJK = re.compile(
    "[\u3001-\u3011\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff01-\uff9d\U00020000-\U0003347f]"
)
