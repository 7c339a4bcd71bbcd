"""The tags of Qwen-Audio in a text, such as ``[laughing]``.

A tag that comes whole in one continue-task is replaced by one character of the private
use area, so that the text can be cut into sentences; one that is torn is read aloud.
"""

import functools
import re

from .catalogue import data

_FIRST_CONTROL, _FIRST_SOUND = 0xF100, 0xF180
_MARK = re.compile("[\uf100-\uf1ff]")
_SOUND_MARK = re.compile("[\uf180-\uf1ff]")


def mark(text: str) -> str:
    """Return the text with a mark for each tag."""
    marks = _marks()
    return _tags().sub(lambda match: marks[match[0]], text)


def written(text: str) -> str:
    """Return the text with its tags, as it was sent."""
    tags = {mark: tag for tag, mark in _marks().items()}
    return _MARK.sub(lambda match: tags[match[0]], text)


def spoken(text: str) -> str:
    """Return the text without its tags."""
    return _MARK.sub("", text)


def mood(text: str) -> str:
    """Return the last control tag of the text, or an empty string."""
    tags = [tag for tag in data()["tags"]["control"] if _marks()[tag] in text]
    return max(tags, key=lambda tag: text.rindex(_marks()[tag]), default="")


def has_sound(text: str) -> bool:
    """Return True if a mark in the text makes a sound."""
    return bool(_SOUND_MARK.search(text))


@functools.cache
def _marks() -> dict[str, str]:
    tags = data()["tags"]
    return {
        **{tag: chr(_FIRST_CONTROL + n) for n, tag in enumerate(tags["control"])},
        **{tag: chr(_FIRST_SOUND + n) for n, tag in enumerate(tags["sound"])},
    }


@functools.cache
def _tags() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, _marks())))
