"""What ends a sentence, and what is one."""

from ..probe import UntoldError, characters, expect, probe
from ..service import Service
from ..talk import connected, speak

_CUT = 33.44
_SOURCE = "client/utterance/matching.py"


async def _sentences(service: Service, *texts: str) -> list[str]:
    return [text.strip() for text in (await speak(service, *texts)).sentences]


async def _ends(service: Service, first: str, second: str) -> str:
    """Check that a sentence ends after the first of two texts."""
    found = await _sentences(service, first + second)
    return expect(found == [first.strip(), second.strip()], str(found))


@probe("4", "docs", "text/stops.py", "question-ends-none", cost=characters(10))
async def question_mark_ends(service: Service) -> str:
    """A question mark ends a sentence."""
    return await _ends(service, "好吗？", "好。")


@probe("4", "guess", _SOURCE, "semicolon-ends-none", cost=characters(10))
async def semicolon_ends(service: Service) -> str:
    """A semicolon ends a sentence."""
    return await _ends(service, "你好；", "再见。")


@probe("4", "guess", _SOURCE, "newline-ends-none", cost=characters(12))
async def line_ends(service: Service) -> str:
    """The end of a line ends a sentence."""
    return await _ends(service, "第一\n", "第二")


@probe("4", "docs", "text/stops.py", "stop-ends-none", cost=characters(20))
async def full_stop_ends(service: Service) -> str:
    """A full stop and a blank end a sentence."""
    return await _ends(service, "Come in. ", "Sit down.")


@probe("4", "docs", "text/sentences.py", "comma-ends", cost=characters(10))
async def comma_ends_none(service: Service) -> str:
    """A comma ends no sentence."""
    found = await _sentences(service, "你好，再见。")
    return expect(found == ["你好，再见。"], str(found))


@probe(
    "4",
    "docs",
    "client/utterance/sender.py",
    "pieces-are-sentences",
    cost=characters(12),
)
async def pieces_are_joined(service: Service) -> str:
    """A sentence that comes in several texts is one sentence."""
    found = await _sentences(service, "今天", "很", "好。")
    return expect(found == ["今天很好。"], str(found))


@probe("4", "docs", "client/utterance/flushing.py", "comma-ends", cost=characters(5))
async def incomplete_sentence_waits(service: Service) -> str:
    """Text without a stop waits for more, also after a comma."""
    async with connected(service) as talk:
        await talk.start()
        await talk.text("你好，再见")
        came = [message.kind for message in await talk.quiet()]
        return expect(not came, f"{came[:3]} came")


@probe(
    "4", "seen", "text/sentences.py", "cut-at-33-s", cost=characters(200), seconds=60
)
async def long_sentence_is_whole(service: Service) -> str:
    """The audio of a long sentence is not cut off at 33.44 s."""
    text = "从前有一座山山上有一座庙庙里有一个老和尚在讲故事" * 4 + "。"
    seconds = (await speak(service, text, rate=0.5)).seconds
    if seconds < _CUT - 0.1:
        raise UntoldError(f"it takes no longer than {seconds:.2f} s")
    return expect(abs(seconds - _CUT) > 0.1, f"{seconds:.2f} s of audio")
