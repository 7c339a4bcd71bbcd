"""Turns a sentence into pieces of encoded audio, off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
import re
from typing import Any

import numpy as np

from . import signals, tags
from .audio import Encoder, Samples
from .config import EmulatorConfig
from .rules import Speaker
from .text import Passage, count_characters, is_speakable

_WORD = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]|[^\\W_]+(?:['’.][^\\W_]+)*"
)
_CHARACTERS_PER_KANJI = 2
_NORMAL_VOLUME = 50
_SOUND = 0.4
"""Seconds that a sound takes which stands alone."""


@dataclass(frozen=True)
class Word:
    """A word and when it is heard, in seconds from the beginning of its sentence."""

    text: str
    index: int
    begin: float
    end: float


@dataclass(frozen=True)
class Spoken:
    """A sentence's audio.

    Attributes:
        chunks: What to send for each step of the configured chunk length. A chunk may
            be empty where the encoder held audio back.
        durations: Seconds of audio in each chunk.
        seconds: Duration.
        words: Its words.
    """

    chunks: list[bytes]
    durations: list[float]
    seconds: float
    words: list[Word]


class Studio:
    """Speaks in one thread of its own, so that it never holds up the event loop."""

    def __init__(self, config: EmulatorConfig) -> None:
        """Prepare; the thread starts with the first sentence."""
        self._config = config
        self._executor = ThreadPoolExecutor(1, "emulator-studio")

    async def speak(
        self, passage: Passage, speaker: Speaker, encoder: Encoder, *, final: bool
    ) -> Spoken:
        """Return the audio of a passage.

        Args:
            passage: What to say.
            speaker: How to say it.
            encoder: The encoder of the task.
            final: True if nothing follows: the encoder then holds nothing back.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, self._produce, passage, speaker, encoder, final
        )

    async def run[T](self, work: Callable[..., T], *arguments: Any) -> T:
        """Do other work that takes long in the thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, work, *arguments
        )

    def close(self) -> None:
        """Stop the thread."""
        self._executor.shutdown()

    def _produce(
        self, passage: Passage, speaker: Speaker, encoder: Encoder, final: bool
    ) -> Spoken:
        text = tags.spoken(passage.text)
        for old, new in speaker.replacements:
            text = text.replace(old, new)
        rate = speaker.sample_rate
        samples = self._samples(text, passage, speaker)
        loud = np.flatnonzero(samples)
        words = _words(text, (loud[-1] if len(loud) else len(samples)) / rate)
        samples = np.pad(samples, (0, round(passage.pause * rate)))
        if self._config.sentence_audio_limit is not None:
            samples = samples[: round(self._config.sentence_audio_limit * rate)]
        step = max(1, round(self._config.chunk * rate))
        first = step + round(encoder.lead * rate)
        pieces = np.split(samples, range(first, len(samples), step))
        pieces = [piece for piece in pieces if len(piece)]
        chunks = [encoder.encode(piece) for piece in pieces]
        durations = [len(piece) / rate for piece in pieces] or [0.0]
        if final:
            chunks[-1:] = [b"".join((*chunks[-1:], encoder.finish()))]
        return Spoken(chunks, durations, len(samples) / rate, words)

    def _samples(self, text: str, passage: Passage, speaker: Speaker) -> Samples:
        if not is_speakable(text):
            # A sound, such as laughter: a rustle.
            count = round(_SOUND * speaker.sample_rate)
            return np.tile(np.array([1, -1], np.int16), count // 2)
        match self._config.speech:
            case "signal":
                # What is recognised is the text that was sent.
                known = tags.spoken(passage.text)
                return signals.signal(known, speaker.sample_rate)
            case "silence":
                seconds = count_characters(text) * self._config.seconds_per_character
                return np.zeros(round(seconds * speaker.sample_rate), np.int16)
            case "voice":
                return _voice(text, passage, speaker)


def _voice(text: str, passage: Passage, speaker: Speaker) -> Samples:
    # Loading the voices costs time and memory that signals and silence do not need.
    from .voice import speak

    if feeling := tags.mood(passage.text):
        speaker = replace(speaker, instruction=speaker.instruction + feeling)
    volume = speaker.volume if passage.volume is None else passage.volume
    samples = speak(
        text, speaker, passage.rate or speaker.rate, passage.pitch or speaker.pitch
    )
    # Twice the normal volume must not clip.
    louder = samples * (volume / (2 * _NORMAL_VOLUME))
    return louder.astype(np.int16)


def _words(text: str, seconds: float) -> list[Word]:
    """Return the words, with times in proportion to how long they take to say."""
    matches = list(_WORD.finditer(text))
    weights = [
        3.0 if count_characters(match[0]) == _CHARACTERS_PER_KANJI else len(match[0])
        for match in matches
    ]
    total = sum(weights) or 1.0
    ends = np.cumsum([0.0, *weights]) / total * seconds
    return [
        Word(match[0], match.start(), float(ends[number]), float(ends[number + 1]))
        for number, match in enumerate(matches)
        if is_speakable(match[0])
    ]
