"""Characters as the service counts and pronounces them."""

import re


def count_characters(text: str, *, ssml: bool = False) -> int:
    """Return how many characters the service bills and limits a text by.

    A Han ideograph (Chinese, kanji, hanja) counts 2, any other character 1, spaces
    and punctuation included; the tags of SSML count nothing. Source: Model Studio's
    CosyVoice documentation.
    """
    if ssml:
        text = _TAG.sub("", text)
    return 2 * len(text) - len(_HAN.sub("", text))


def has_han(text: str) -> bool:
    """Return whether a text has a Han ideograph."""
    return _HAN.search(text) is not None


def is_speakable(text: str, start: int = 0) -> bool:
    """Return True if the text has a letter or a digit to pronounce.

    The service refuses a text of punctuation alone.
    """
    return _SPEAKABLE.search(text, start) is not None


# A quoted attribute may hold a ">".
_TAG = re.compile(r"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003347f]+")
_SPEAKABLE = re.compile(r"[^\W_]")
