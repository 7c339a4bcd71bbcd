"""Messages to a service that differs from its description: ``scripts/soak --variations``.

Where the description is only likely or guessed, the service may do otherwise. For each
such point, and for pairs of them, messages of every kind are spoken one after the other
to one emulated service: whole, streamed, with pauses, after a loss, after an interruption,
several together. Each is heard from the first to the last sentence, whatever the service
does.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
import logging
import random
import time
from typing import Any

import aiohttp

from custom_components.cosyvoice.client import (
    AccessDeniedError,
    AuthenticationError,
    CosyVoiceClient,
    CosyVoiceError,
    Endpoint,
    NotOfferedError,
    SynthesisOptions,
    ThrottledError,
    Utterance,
    VoiceError,
)
from custom_components.cosyvoice.text.sentences import Piece

from .client.speaking import listen, timed, whole, written
from .clock import run
from .emulator import Emulator, EmulatorConfig
from .emulator.differences import differences
from .hearing import problem

SENTENCES = [
    "今天天气不错。",
    "It is 21 degrees outside.",
    "客厅的灯、窗帘和门已经打开！",
    "Gute Nacht; bis morgen.",
    "门没有锁，要我锁上吗？",
]
TEXT = " ".join(SENTENCES)
QWEN = {
    "qwen-audio-3.1-tts-flash": "longanhuan_v3.1",
    "qwen-audio-3.0-tts-flash": "loongjohn",
}
FORMATS = ("mp3", "wav", "opus", "caf")
LOSSES = (
    "drop@before_started",
    "reset@before_audio",
    "drop@mid_sentence,after_sentences=1",
    "internal_error@mid_sentence",
    "close@between_sentences",
    "reset@sentence_end,after_sentences=1",
    "hang@mid_sentence,after_sentences=2",
    "close@before_finished",
)
"""What happens to a task once. The next task continues."""


def _streamed() -> AsyncIterator[Piece]:
    return written(TEXT, pause=0.03)


def _paused() -> AsyncIterator[Piece]:
    one, two, three, *rest = (f"{sentence} " for sentence in SENTENCES)
    return timed(one, 0.5, two, 3.0, three, 12.0, rest[0], 30.0, rest[1])


USES: dict[str, Callable[[], AsyncIterator[Piece]]] = {
    "whole": lambda: whole(TEXT),
    "streamed": _streamed,
    "paused": _paused,
}


@dataclass(frozen=True)
class Variation:
    """A service that differs, and who speaks to it.

    Attributes:
        differ: Names of differences.
        seed: Of what is chosen at random.
    """

    differ: frozenset[str]
    seed: int

    @property
    def name(self) -> str:
        """The differences in words."""
        return "+".join(sorted(self.differ)) or "none"


@dataclass
class Outcome:
    """What became of the messages to one service.

    Attributes:
        spoken: Messages that were heard as a whole.
        problems: What must not happen, in words.
    """

    spoken: int = 0
    problems: list[str] = field(default_factory=list)


REFUSED: dict[str, type[CosyVoiceError]] = {
    "keys-refused": AuthenticationError,
    "no-longanyang": VoiceError,
    "qwen-closed": AccessDeniedError,
    "socket-elsewhere": NotOfferedError,
    "tokens-not-for-sockets": AuthenticationError,
    "tokens-only-open": AuthenticationError,
    "tokens-unknown": NotOfferedError,
    "v3-flash-closed": AccessDeniedError,
}
"""Differences with which nothing can be spoken, and the error that says so."""
LIMITED: dict[str, type[CosyVoiceError]] = {"one-task": ThrottledError}
"""Differences with which simultaneous messages may fail, and their error."""


def variations(seed: int, *, pairs: int = 0) -> Iterator[Variation]:
    """Yield every difference alone, then some pairs of them."""
    chance = random.Random(seed)
    names = [name for name in differences() if name not in REFUSED]
    for name in differences():
        yield Variation(frozenset({name}), seed)
    for number in range(pairs):
        yield Variation(frozenset(chance.sample(names, 2)), seed + number)


async def try_variation(variation: Variation) -> Outcome:
    """Speak to a service that differs."""
    outcome = Outcome()
    chance = random.Random(f"{variation.seed} {variation.name}")
    config = EmulatorConfig(speech="signal", round_trip=0.05, differ=variation.differ)
    async with Emulator(config) as emulator, aiohttp.ClientSession() as session:
        client = CosyVoiceClient(
            session,
            "sk-test",
            Endpoint.create(config.region, emulator.url),
            temporary_keys=any(name.startswith("tokens") for name in variation.differ),
        )
        client.keep_ready(chance.choice([0.0, 600.0]))
        caller = _Caller(client, emulator, variation, chance, outcome)
        try:
            await caller.speak_all()
        finally:
            await client.close()
    return outcome


class _Caller:
    """Speaks in every way to one service."""

    def __init__(
        self,
        client: CosyVoiceClient,
        emulator: Emulator,
        variation: Variation,
        chance: random.Random,
        outcome: Outcome,
    ) -> None:
        self._client = client
        self._emulator = emulator
        self._variation = variation
        self._chance = chance
        self._outcome = outcome

    async def speak_all(self) -> None:
        """Speak in every way, with pauses between."""
        pauses = self._chance.sample([0.0, 1.0, 15.0, 40.0, 58.0, 90.0], 6)
        for use in USES:
            await self._say(use)
            await asyncio.sleep(pauses.pop())
        losses = self._chance.sample(LOSSES, 3)
        for use, loss in zip(USES, losses, strict=True):
            self._emulator.script(loss)
            await self._say(use, loss)
            self._emulator.clear_faults()
            await asyncio.sleep(pauses.pop())
        await self._interrupt()
        await self._say("whole", "after an interruption")
        await asyncio.gather(*(self._say(use, "at once") for use in USES))

    def _speak(self, use: str, **settings: Any) -> Utterance:
        names = self._variation.differ
        voice: dict[str, Any] = {"voice": "longanyang"}
        if any(name.startswith("qwen") for name in names):
            model = "qwen-audio-3.1-tts-flash"
            if any("3.0" in name for name in names):
                model = "qwen-audio-3.0-tts-flash"
            voice = {"model": model, "voice": QWEN[model]}
        options = SynthesisOptions(**voice, **settings)
        return self._client.speak(USES[use](), options.resolve("cn-beijing"))

    async def _say(self, use: str, what: str = "") -> None:
        """Say the text and check what was heard."""
        # Nothing in bare samples tells their rate.
        bare = "sample-rate-unused" in self._variation.differ
        container = self._chance.choice(FORMATS[: 1 if bare else None])
        utterance = self._speak(use, format=container, seed=5, volume=60)
        where = f"{self._variation.name}: {use} {what} as {container}"
        begun = asyncio.get_running_loop().time()
        try:
            audio = await listen(utterance)
        except CosyVoiceError as err:
            expected = tuple(
                error
                for name, error in (REFUSED | LIMITED).items()
                if name in self._variation.differ
            )
            if not isinstance(err, expected):
                self._outcome.problems.append(f"{where}: {err!r}")
            return
        if wrong := self._wrong_bill(utterance):
            self._outcome.problems.append(f"{where}: {wrong}")
        if wrong := problem(audio, container, SENTENCES, utterance, self._emulator):
            self._outcome.problems.append(f"{where}: {wrong}")
        self._outcome.spoken += 1
        if asyncio.get_running_loop().time() - begun > 120:
            self._outcome.problems.append(f"{where}: took too long")

    def _wrong_bill(self, utterance: Utterance) -> str | None:
        """Return what is wrong with the report of the cost, unless it is an estimate."""
        report = utterance.report
        tasks = [task for task in self._emulator.tasks if task.id in report.request_ids]
        billed = [
            sum(getattr(task, kind) for task in tasks)
            for kind in ("characters", "input_tokens", "output_tokens")
        ]
        counted = [report.characters, report.input_tokens, report.output_tokens]
        if counted == billed or report.estimated:
            return None
        return f"{counted} was counted for {billed}"

    async def _interrupt(self) -> None:
        """Leave in the middle of a message."""
        utterance = self._speak("whole", format="mp3")
        with suppress(CosyVoiceError):
            async for _ in utterance:
                break
        await utterance.aclose()


def main() -> None:
    """Try all variations; exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--only", default="", help="part of a difference's name")
    arguments = parser.parse_args()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    print(f"seed {arguments.seed}", flush=True)
    begun = time.monotonic()
    chosen = [
        variation
        for variation in variations(arguments.seed, pairs=arguments.pairs)
        if arguments.only in variation.name
    ]
    spoken = failed = 0
    for variation in chosen:
        outcome = run(try_variation(variation))
        spoken += outcome.spoken
        failed += bool(outcome.problems)
        for wrong in outcome.problems:
            print("PROBLEM", wrong, flush=True)
    seconds = time.monotonic() - begun
    print(f"{spoken} messages to {len(chosen)} variations in {seconds:.0f} s")
    if failed:
        print(f"FAILED: {failed} variations")
        raise SystemExit(1)
    print("PASSED")


if __name__ == "__main__":
    main()
