"""The tags of Qwen-Audio: ``[laughing]``, ``[very slowly]``."""

import re

from .characters import CLOSERS, STOPS

# fmt: off
CONTROL_TAGS = (
    "sad", "amazed", "deep and loud shouting", "trembling", "angry", "excited",
    "sarcastic", "curious", "like dracula", "bored", "tired", "scornful", "shouting",
    "asmr", "panicked", "mischievously", "empathetic", "whispers", "reluctantly",
    "crying", "serious", "very slowly", "very fast",
)
"""Tags for the manner of the speech after them."""

SOUND_TAGS = (
    "gasp", "sighing", "clears throat", "giggles", "laughing", "cough", "snorts",
)
"""Tags for a sound in their place."""
# fmt: on

TAGS = tuple(f"[{tag}]" for tag in CONTROL_TAGS + SOUND_TAGS)
"""All tags as they are written."""

_STAND_INS = {tag: chr(0xF0000 + number) for number, tag in enumerate(TAGS)}
_TAG_OF = {ord(stand_in): tag for tag, stand_in in _STAND_INS.items()}
_SOUNDS = frozenset(_STAND_INS[f"[{tag}]"] for tag in SOUND_TAGS)
_PREFIXES = frozenset(tag[:end] for tag in TAGS for end in range(1, len(tag)))
_TAG = re.compile("|".join(map(re.escape, TAGS)))
_TAG_AFTER_SPACE = re.compile(f" ?(?:{_TAG.pattern})")
_NO_SPACE_BEFORE = frozenset(f"{STOPS}{CLOSERS}")


class TagFilter:
    """Finds the tags in a text that arrives in chunks.

    They are left out without a gap, or replaced by one character each, which is never
    cut, and which :func:`with_tags` turns into the tag again. Other text in brackets
    is kept. Filtering the chunks gives the same as filtering the whole.
    """

    def __init__(self, *, keep: bool) -> None:
        """Begin with an empty text.

        Args:
            keep: Whether to keep the tags.
        """
        self._keep = keep
        self._waiting = ""
        self._last = ""  # The last character that was returned.
        self._left_out = False  # A tag was left out after it.
        self._spaced = False  # There was a space before that tag.

    def push(self, chunk: str) -> str:
        """Add a chunk of any length.

        Return the text that is decided.
        """
        text = self._waiting + _strip_stand_ins(chunk)
        end = len(text)
        start = text.rfind("[")
        if start >= 0 and text[start:] in _PREFIXES:
            end = start
        if not self._keep and text[:end].endswith(" "):
            end -= 1
        self._waiting = text[end:]
        return self._filter(text[:end])

    def pause(self) -> str:
        """Return the text that waits, unless it may begin a tag: the text pauses."""
        return "" if "[" in self._waiting else self.finish()

    def finish(self) -> str:
        """Return the rest: the text is complete."""
        text, self._waiting = self._waiting, ""
        return self._filter(text)

    def _filter(self, text: str) -> str:
        if self._keep:
            return _TAG.sub(lambda tag: _STAND_INS[tag[0]], text)
        if "[" not in text:
            return self._joined(text)
        parts = []
        at = 0
        for tag in _TAG_AFTER_SPACE.finditer(text):
            parts.append(self._joined(text[at : tag.start()]))
            self._left_out = True
            self._spaced |= tag[0].startswith(" ")
            at = tag.end()
        parts.append(self._joined(text[at:]))
        return "".join(parts)

    def _joined(self, text: str) -> str:
        """Return a text with or without a space in place of the tags before it."""
        if not text:
            return ""
        if self._left_out:
            if self._last in ("", " ", "\n", "("):
                text = text.removeprefix(" ")
            elif self._spaced and text[0] != " " and text[0] not in _NO_SPACE_BEFORE:
                text = f" {text}"
            self._left_out = self._spaced = False
        self._last = text[-1:] or self._last
        return text


def with_tags(text: str) -> str:
    """Return a filtered text with its tags as they are written."""
    return text.translate(_TAG_OF)


def has_sound(text: str) -> bool:
    """Return whether a filtered text has a tag for a sound."""
    return not _SOUNDS.isdisjoint(text)


def without_tags(text: str) -> str:
    """Return a text without tags."""
    tags = TagFilter(keep=False)
    return tags.push(text) + tags.finish()


def filtered_length(text: str) -> int:
    """Return the length of a text with tags before :func:`with_tags`."""
    return len(_TAG.sub("_", text))


def _strip_stand_ins(text: str) -> str:
    return text if text.isascii() else _ANY_STAND_IN.sub("", text)


_ANY_STAND_IN = re.compile(f"[{''.join(_STAND_INS.values())}]")
