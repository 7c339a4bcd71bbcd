"""Which events come, in which order, with what in them."""

from ..probe import (
    BEIJING,
    QWEN_30,
    QWEN_30_VOICE,
    QWEN_31,
    QWEN_31_VOICE,
    characters,
    expect,
    probe,
    tokens,
)
from ..service import Service
from ..talk import connected, speak

_TWO = "你好。再见。"
_COST = characters(10)


@probe("4", "docs", "client/wire/protocol.py", "events-old", cost=_COST)
async def results_have_types(service: Service) -> str:
    """Every result-generated has a type."""
    spoken = await speak(service, _TWO)
    kinds = sorted({*spoken.kinds})
    return expect("result-generated" not in kinds, ", ".join(kinds))


@probe("4", "docs", "client/utterance/progress.py", "no-sentence-begin", cost=_COST)
async def sentences_begin(service: Service) -> str:
    """The first audio of a sentence comes after its sentence-begin."""
    spoken = await speak(service, _TWO)
    kinds = [kind for kind in spoken.kinds if kind in ("sentence-begin", "audio")]
    begun = spoken.kinds.count("sentence-begin")
    return expect(kinds[0] == "sentence-begin" and begun == 2, f"{begun}: {kinds[:3]}")


@probe("4", "docs", "tests/emulator", "no-sentence-synthesis", cost=_COST)
async def audio_is_announced(service: Service) -> str:
    """Every binary frame follows a sentence-synthesis."""
    spoken = await speak(service, _TWO)
    pairs = zip(spoken.kinds, spoken.kinds[1:], strict=False)
    before = {first for first, second in pairs if second == "audio"}
    return expect(before == {"sentence-synthesis"}, f"after {sorted(before)}")


@probe("4", "docs", "tests/emulator", "two-frames", cost=_COST)
async def one_frame_each(service: Service) -> str:
    """Exactly one binary frame follows a sentence-synthesis."""
    spoken = await speak(service, _TWO)
    announced = spoken.kinds.count("sentence-synthesis")
    frames = spoken.kinds.count("audio")
    return expect(announced == frames, f"{announced} events, {frames} frames")


@probe("4", "docs", "client/utterance/progress.py", "no-sentence-end", cost=_COST)
async def sentences_end(service: Service) -> str:
    """A sentence ends with sentence-end after its last audio."""
    spoken = await speak(service, _TWO)
    kinds = [kind for kind in spoken.kinds if kind in ("sentence-end", "audio")]
    ended = spoken.kinds.count("sentence-end")
    return expect(kinds[-1] == "sentence-end" and ended == 2, f"{ended}: {kinds[-3:]}")


@probe("4", "docs", "client/utterance/matching.py", "begin-without-text", cost=_COST)
async def begin_has_the_text(service: Service) -> str:
    """sentence-begin has the sentence as it was sent."""
    spoken = await speak(service, _TWO)
    texts = [m.output.get("original_text") for m in spoken.of("sentence-begin")]
    return expect(texts == ["你好。", "再见。"], str(texts))


@probe("4", "docs", "client/wire/protocol.py", "end-without-text", cost=_COST)
async def end_has_the_text(service: Service) -> str:
    """sentence-end has the sentence as well, at least that of the first."""
    spoken = await speak(service, _TWO)
    texts = [m.output.get("original_text") for m in spoken.of("sentence-end")]
    return expect(texts[:1] == ["你好。"], str(texts))


@probe("4", "docs", "tests/emulator", "index-from-one", cost=_COST)
async def sentences_count_from_0(service: Service) -> str:
    """Sentences are numbered from 0 in each task."""
    spoken = await speak(service, _TWO)
    indexes = [m.sentence.get("index") for m in spoken.of("sentence-begin")]
    return expect(indexes == [0, 1], str(indexes))


@probe(
    "4", "docs", "client/wire/protocol.py", "finished-without-id", cost=characters(3)
)
async def events_name_their_task(service: Service) -> str:
    """Every event has the id of its task, also the last one."""
    async with connected(service) as talk:
        await talk.start()
        await talk.text("好。")
        await talk.finish()
        await talk.until("task-finished")
        ids = {m.body["header"].get("task_id") for m in talk.messages if m.body}
        return expect(ids == {talk.task}, f"{len(ids)} ids")


@probe("4", "seen", "client/wire/protocol.py", "usage-nowhere", cost=_COST)
async def usage_is_given(service: Service) -> str:
    """Some event has the usage, with its characters."""
    spoken = await speak(service, _TWO)
    return expect(spoken.counted, str(spoken.usages))


@probe("4", "seen", "client/utterance/progress.py", "usage-finished", cost=_COST)
async def usage_with_each_sentence(service: Service) -> str:
    """Each sentence-end has the usage."""
    spoken = await speak(service, _TWO)
    found = [m.payload.get("usage") for m in spoken.of("sentence-end")]
    return expect(len(found) == 2 and all(found), str(found))


@probe("4", "seen", "tests/emulator", "usage-both", cost=_COST)
async def usage_not_at_the_end(service: Service) -> str:
    """task-finished of CosyVoice has no usage."""
    spoken = await speak(service, _TWO)
    payload = spoken.messages[-1].payload
    return expect(not payload.get("usage"), str(payload))


@probe("4", "docs", "client/wire/protocol.py", "usage-single", cost=_COST)
async def usage_adds_up(service: Service) -> str:
    """Each usage counts from the beginning of the task."""
    spoken = await speak(service, _TWO)
    found = [usage.get("characters", 0) for usage in spoken.usages]
    return expect(found == sorted(found) and found[-1] == 10, str(found))


@probe("4", "seen", "client/utterance/flushing.py", "last-at-once", cost=characters(5))
async def last_sentence_is_held(service: Service) -> str:
    """The last sentence waits for finish-task though it has a stop."""
    async with connected(service) as talk:
        await talk.start()
        await talk.text("你好。")
        came = [message.kind for message in await talk.quiet()]
        return expect(not came, f"{came[:3]} came")


@probe("4", "docs", "client/utterance/sender.py", "all-held", cost=_COST)
async def complete_sentence_is_spoken(service: Service) -> str:
    """A sentence is spoken as soon as text follows it."""
    async with connected(service) as talk:
        await talk.start()
        await talk.text("你好。")
        await talk.text("再见。")
        await talk.until("audio")
        return "audio came before finish-task"


@probe("4", "docs", "client/wire/connection.py", "failed-stays-open")
async def failure_closes(service: Service) -> str:
    """The service closes the connection after task-failed."""
    async with connected(service) as talk:
        await talk.begin("no-such-model")
        await talk.until("task-failed")
        message = await talk.until("close")
        return f"closed with {message.body['code']} {message.body['reason']!r}"


@probe("4", "docs", "client/errors.py", "failed-without-code")
async def failure_has_a_code(service: Service) -> str:
    """task-failed has an error_code and an error_message."""
    async with connected(service) as talk:
        await talk.begin("no-such-model")
        message = await talk.until("task-failed")
        header = message.body["header"]
        good = header.get("error_code") and header.get("error_message")
        return expect(good, str(sorted(header)))


@probe(
    "Q",
    "docs",
    "client/wire/protocol.py",
    "qwen-finish-without-usage",
    cost=characters(10, QWEN_30),
)
async def qwen_repeats_the_usage(service: Service) -> str:
    """task-finished of Qwen-Audio has the usage again."""
    spoken = await speak(service, "Good day.", model=QWEN_30, voice=QWEN_30_VOICE)
    payload = spoken.messages[-1].payload
    return expect(payload.get("usage"), str(payload))


@probe(
    "Q",
    "docs",
    "client/catalogue.json",
    "qwen-3.0-tokens",
    cost=characters(10, QWEN_30),
)
async def qwen_30_counts_characters(service: Service) -> str:
    """qwen-audio-3.0-tts-flash counts characters."""
    spoken = await speak(service, "Good day.", model=QWEN_30, voice=QWEN_30_VOICE)
    return expect(spoken.counted == 9, str(spoken.usage))


@probe(
    "Q",
    "docs",
    "client/catalogue.json",
    "qwen-3.1-characters",
    cost=tokens(10, 4),
    regions=(BEIJING,),
)
async def qwen_31_counts_tokens(service: Service) -> str:
    """qwen-audio-3.1-tts-flash counts tokens of text, of audio, and both."""
    spoken = await speak(service, "你好。", model=QWEN_31, voice=QWEN_31_VOICE)
    usage = spoken.usage
    names = ("input_tokens", "output_tokens", "total_tokens")
    return expect(all(name in usage for name in names), str(usage))


@probe(
    "Q",
    "seen",
    "client/catalogue.json",
    "qwen-tokens-25",
    cost=tokens(10, 4),
    regions=(BEIJING,),
)
async def qwen_tokens_of_a_second(service: Service) -> str:
    """A second of audio is 12.5 tokens."""
    spoken = await speak(service, "你好，再见。", model=QWEN_31, voice=QWEN_31_VOICE)
    rate = spoken.usage.get("output_tokens", 0) / spoken.seconds
    return expect(11.0 < rate < 14.0, f"{rate:.1f} a second")


@probe(
    "Q",
    "seen",
    "client/catalogue.json",
    "qwen-text-tokens-2",
    cost=tokens(40, 6),
    regions=(BEIJING,),
)
async def qwen_tokens_of_text(service: Service) -> str:
    """A character of Chinese is about one token."""
    text = "今天天气很好，我们去散步。"
    spoken = await speak(service, text, model=QWEN_31, voice=QWEN_31_VOICE)
    share = spoken.usage.get("input_tokens", 0) / len(text)
    return expect(0.7 < share < 1.5, f"{share:.2f} for each character")
