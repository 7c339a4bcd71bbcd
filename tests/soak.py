"""Many utterances together while everything goes wrong: ``python -m tests.soak N``.

Faults, pauses, round trips and listeners who leave come at random, from a seed that is
printed. Now and then 30 messages come together, and nothing goes wrong. Nothing may be
lost, repeated beyond the rule, or left behind.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass, field
import gc
import logging
from pathlib import Path
import random
import secrets
import time

import aiohttp

from custom_components.cosyvoice.client import (
    CosyVoiceClient,
    CosyVoiceError,
    Endpoint,
    SynthesisOptions,
    Timing,
)
from custom_components.cosyvoice.text.sentences import Piece

from .client.speaking import pieces, whole
from .clock import run
from .emulator import Emulator, EmulatorConfig, Fault, FaultKind, Point
from .hearing import problem

CONCURRENCY = 10
ROUND = 100
"""Utterances after which the emulator forgets the messages."""
BURST = 30
"""Utterances that begin together, without a fault; one of three rounds is such a burst."""
ROUND_TRIPS = (0.0, 0.02, 0.1, 0.4)
FAULT_SHARE = 0.4
LEAVING_SHARE = 0.05
SENTENCES = [
    "今天天气不错。",
    "It is 21 degrees outside.",
    "客厅的灯已经打开！",
    "晚安。",
    "Gute Nacht, bis morgen.",
    "门没有锁，要我锁上吗？",
]
FORMATS = ("mp3", "wav", "opus", "caf")
TIMING = Timing()


@dataclass
class SoakResult:
    """What a soak found.

    Attributes:
        outcomes: How often each outcome or error class came.
        faults: How often each fault happened.
        resumed: Tasks that went on where another one was lost.
        problems: What must not happen, in words.
        memory: Resident memory after each round and in the end, in MiB.
        descriptors: Open file descriptors after each round and in the end.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    problems: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)


async def soak(count: int, seed: int) -> SoakResult:
    """Speak as often as ``count``: ten at a time, or 30 together."""
    chance = random.Random(seed)
    result = SoakResult()
    config = EmulatorConfig(speech="signal")
    async with Emulator(config) as emulator, aiohttp.ClientSession() as session:
        endpoint = Endpoint.create("cn-beijing", emulator.url)
        client = CosyVoiceClient(session, "sk-test", endpoint)
        begun = number = 0
        while begun < count:
            number += 1
            config.round_trip = chance.choice(ROUND_TRIPS)
            is_burst = number % 3 == 2
            ended = min(begun + (BURST if is_burst else ROUND), count)
            if is_burst:
                await _burst(client, emulator, range(begun, ended), chance, result)
            else:
                numbers = iter(range(begun, ended))
                await asyncio.gather(
                    *(
                        _speaker(client, emulator, numbers, chance, result)
                        for _ in range(CONCURRENCY)
                    )
                )
            begun = ended
            result.faults.update(str(fault.kind) for fault in emulator.happened)
            emulator.reset()
            _measure(result)
        await client.close()
        await asyncio.sleep(1)
        _measure(result)
        if client.statistics.connections:
            result.problems.append(f"connections left open: {client.statistics}")
    return result


async def _burst(
    client: CosyVoiceClient,
    emulator: Emulator,
    numbers: Iterable[int],
    chance: random.Random,
    result: SoakResult,
) -> None:
    """Speak together while nothing goes wrong: every message is heard."""
    emulator.clear_faults()
    failed = result.outcomes.total() - result.outcomes["finished"]
    left = result.outcomes["cancelled"]
    await asyncio.gather(
        *(_say(client, emulator, number, chance, result) for number in numbers)
    )
    failed -= result.outcomes.total() - result.outcomes["finished"]
    left -= result.outcomes["cancelled"]
    if failed != left:
        result.problems.append(
            f"{left - failed} of a burst failed at a round trip of"
            f" {emulator.config.round_trip} s: {dict(result.outcomes)}"
        )


async def _speaker(
    client: CosyVoiceClient,
    emulator: Emulator,
    numbers: Iterator[int],
    chance: random.Random,
    result: SoakResult,
) -> None:
    for number in numbers:
        if chance.random() < FAULT_SHARE:
            kind = chance.choice(list(FaultKind))
            points = sorted(Emulator.fault_points(kind) - {Point.HTTP})
            emulator.script(
                Fault(
                    kind,
                    chance.choice(points),
                    after_sentences=chance.randint(0, 2),
                )
            )
        await _say(client, emulator, number, chance, result)
        await asyncio.sleep(chance.choice([0, 0, 1, 30, 70]))


async def _say(
    client: CosyVoiceClient,
    emulator: Emulator,
    number: int,
    chance: random.Random,
    result: SoakResult,
) -> None:
    """Say something and check what was heard."""
    sentences = chance.sample(SENTENCES, chance.randint(1, len(SENTENCES)))
    container = chance.choice(FORMATS)
    options = SynthesisOptions(voice="longanyang", format=container)
    streamed = chance.random() < 0.5
    text = " ".join(sentences)
    writer = _Writer(text, chance)
    utterance = client.speak(
        writer.write() if streamed else whole(text), options.resolve("cn-beijing")
    )
    leaves_after = chance.randint(0, 10) if chance.random() < LEAVING_SHARE else None
    audio = bytearray()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        chunks = 0
        async for chunk in utterance:
            audio += chunk
            chunks += 1
            if chunks == leaves_after:
                await utterance.aclose()
                break
    except CosyVoiceError as err:
        result.outcomes[type(err).__name__] += 1
        if loop.time() - max(begun, writer.at) > TIMING.deadline + TIMING.attempt + 60:
            result.problems.append(f"{number}: {err!r} came late")
        return
    finally:
        result.resumed += utterance.report.resumed
    result.outcomes[utterance.report.outcome] += 1
    if utterance.report.outcome == "finished":
        if wrong := problem(bytes(audio), container, sentences, utterance, emulator):
            result.problems.append(f"{number}: {container}: {wrong}")


class _Writer:
    """Writes a text as a language model does, with pauses.

    Attributes:
        at: Loop time of the last character.
    """

    def __init__(self, text: str, chance: random.Random) -> None:
        self.at = 0.0
        self._text = text
        self._chance = chance

    async def write(self) -> AsyncGenerator[Piece]:
        """Yield the text."""
        chance = self._chance
        for piece in pieces(self._text):
            self.at = asyncio.get_running_loop().time()
            yield piece
            if chance.random() < 0.25:
                await asyncio.sleep(chance.choice([0, 0.02, 0.02, 0.5, 12]))


def _measure(result: SoakResult) -> None:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    result.memory.append(pages * 4096 / 2**20)
    result.descriptors.append(len(list(Path("/proc/self/fd").iterdir())))


def main() -> None:
    """Run a soak and report it; exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=_positive, help="how many utterances")
    parser.add_argument(
        "--seed",
        type=int,
        default=secrets.randbelow(2**32),
        help="repeats the soak that printed it; random by default",
    )
    arguments = parser.parse_args()
    # What the emulator breaks on purpose is no news.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    print(f"seed {arguments.seed}", flush=True)
    begun = time.monotonic()
    result = run(soak(arguments.count, arguments.seed))
    print(f"{arguments.count} utterances in {time.monotonic() - begun:.0f} s")
    print(f"outcomes: {dict(result.outcomes)}")
    print(f"faults: {sum(result.faults.values())} {dict(result.faults)}")
    print(f"tasks that resumed another one: {result.resumed}")
    steps = range(0, len(result.memory), max(1, len(result.memory) // 10))
    print("memory, MiB:", [round(result.memory[step]) for step in steps])
    print("descriptors:", [result.descriptors[step] for step in steps])
    for wrong in result.problems:
        print("PROBLEM", wrong)
    if problems := len(result.problems):
        print(f"FAILED: {problems} problem{'s' * (problems > 1)}")
        raise SystemExit(1)
    print("PASSED")


def _positive(text: str) -> int:
    """Return a number of utterances."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    main()
