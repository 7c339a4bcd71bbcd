"""SSML, times of words, and the tags of Qwen-Audio."""

from typing import Any

from ..probe import BEIJING, QWEN_31, QWEN_31_VOICE, characters, expect, probe, tokens
from ..service import Service
from ..sound import longest_pause
from ..talk import refusal, speak, taken

_SSML = "text/ssml.py"
_V1: dict[str, Any] = {"model": "cosyvoice-v1", "voice": "longcheng"}
_QWEN: dict[str, Any] = {"model": QWEN_31, "voice": QWEN_31_VOICE}


def _speak(inside: str) -> str:
    return f"<speak>{inside}</speak>"


@probe("10", "docs", "client/catalogue.json", "ssml-refused", cost=characters(5))
async def markup_is_taken(service: Service) -> str:
    """The voice longanyang speaks SSML."""
    return await taken(service, _speak("好。"), enable_ssml=True)


@probe("10", "docs", "client/options.py", "ssml-plain-refused", cost=characters(5))
async def plain_text_with_ssml_on(service: Service) -> str:
    """Plain text is spoken though enable_ssml is on."""
    return await taken(service, "好。", enable_ssml=True)


@probe(
    "10", "docs", "client/utterance/source.py", "ssml-many-texts", cost=characters(8)
)
async def markup_comes_in_one_text(service: Service) -> str:
    """A second text is refused where enable_ssml is on."""
    error = await refusal(service, _speak("好。"), _speak("好。"), enable_ssml=True)
    return expect("expected 1" in str(error), str(error or "it was taken"))


@probe("10", "docs", _SSML, "ssml-no-breaks", cost=characters(8))
async def breaks_are_heard(service: Service) -> str:
    """A break of 2 s is heard."""
    text = _speak('好。<break time="2s"/>好。')
    spoken = await speak(service, text, enable_ssml=True)
    pause = longest_pause(*spoken.decoded())
    return expect(1.7 < pause < 3.5, f"{pause:.1f} s")


@probe("10", "docs", _SSML, "ssml-one-speak", cost=characters(8))
async def several_documents(service: Service) -> str:
    """Several speak elements may follow each other."""
    return await taken(service, _speak("好。") * 2, enable_ssml=True)


@probe("10", "docs", _SSML, "ssml-no-aliases", cost=characters(40))
async def aliases_are_spoken(service: Service) -> str:
    """The alias of sub is spoken instead of what it stands for."""
    text = _speak('<sub alias="今天明天后天昨天前天">好</sub>。')
    spoken = await speak(service, text, enable_ssml=True)
    return expect(spoken.seconds > 1.3, f"{spoken.seconds:.1f} s of audio")


@probe(
    "10",
    "docs",
    "client/catalogue.json",
    "v1-ssml",
    cost=characters(4, "cosyvoice-v1"),
    regions=(BEIJING,),
)
async def no_markup_of_v1(service: Service) -> str:
    """Voices of cosyvoice-v1 refuse SSML, in words that name it."""
    error = await refusal(service, _speak("好。"), enable_ssml=True, **_V1)
    return expect("SSML" in str(error), str(error or "it was taken"))


@probe(
    "Q",
    "seen",
    "client/catalogue.json",
    "qwen-markup-refused",
    cost=tokens(30, 6),
    regions=(BEIJING,),
)
async def qwen_takes_markup(service: Service) -> str:
    """System voices of Qwen-Audio do not refuse SSML."""
    return await taken(service, _speak("好。"), enable_ssml=True, **_QWEN)


@probe(
    "Q",
    "seen",
    "client/catalogue.json",
    "qwen-markup-spoken",
    cost=tokens(60, 12),
    regions=(BEIJING,),
)
async def qwen_drops_markup(service: Service) -> str:
    """They leave the elements out and speak the rest."""
    plain = await speak(service, "好。", **_QWEN)
    marked = await speak(service, _speak("好。"), enable_ssml=True, **_QWEN)
    share = marked.seconds / plain.seconds
    return expect(share < 1.6, f"{share:.1f} times as long")


@probe(
    "Q",
    "docs",
    "text/tags.py",
    "qwen-tags-spoken",
    cost=tokens(60, 12),
    regions=(BEIJING,),
)
async def qwen_tags_are_not_read(service: Service) -> str:
    """A tag of Qwen-Audio is not read aloud."""
    plain = await speak(service, "好的。", **_QWEN)
    tagged = await speak(service, "[deep and loud shouting]好的。", **_QWEN)
    share = tagged.seconds / plain.seconds
    return expect(share < 2.0, f"{share:.1f} times as long")


@probe("4", "docs", "client/utterance/words.py", "words-nowhere", cost=characters(10))
async def words_have_times(service: Service) -> str:
    """With word_timestamp_enabled sentence-end has the words with their times."""
    spoken = await speak(service, "你好。再见。", word_timestamp_enabled=True)
    texts = ["".join(word["text"] for word in words) for words in spoken.words]
    return expect(len(texts) == 2 and all(texts), str(texts))


@probe("4", "docs", "client/utterance/words.py", "words-by-task", cost=characters(10))
async def words_count_from_their_sentence(service: Service) -> str:
    """The times count from the beginning of the sentence."""
    spoken = await speak(service, "你好。再见。", word_timestamp_enabled=True)
    begins = [words[0]["begin_time"] for words in spoken.words if words]
    ends = [words[-1]["end_time"] for words in spoken.words if words]
    seen = f"begin at {begins} ms, end at {ends} ms"
    return expect(len(begins) == 2 and begins[1] < ends[0], seen)


@probe("4", "docs", "tests/emulator", "words-with-audio", cost=characters(5))
async def words_come_at_the_end(service: Service) -> str:
    """The words come with sentence-end, not with the audio."""
    spoken = await speak(service, "你好。", word_timestamp_enabled=True)
    early = [m.sentence.get("words") for m in spoken.of("sentence-synthesis")]
    return expect(spoken.words[0] and not any(early), f"{early[:1]} with the audio")


@probe("4", "docs", "client/utterance/words.py", "words-in-seconds", cost=characters(5))
async def words_are_in_the_audio(service: Service) -> str:
    """The last word ends about when the audio ends."""
    spoken = await speak(service, "你好。", word_timestamp_enabled=True)
    end = spoken.words[0][-1]["end_time"] / 1000
    seen = f"{end:.2f} s of {spoken.seconds:.2f} s"
    return expect(0.3 * spoken.seconds < end < spoken.seconds + 0.2, seen)


@probe(
    "Q",
    "guess",
    "client/catalogue.json",
    "qwen-word-times",
    cost=tokens(5, 3),
    regions=(BEIJING,),
)
async def qwen_without_times_of_words(service: Service) -> str:
    """System voices of Qwen-Audio give no times of words, and do not refuse them."""
    spoken = await speak(service, "好。", word_timestamp_enabled=True, **_QWEN)
    words = [word for words in spoken.words for word in words]
    return expect(not words, f"{len(words)} words: {words[:1]}")


@probe("4", "docs", "tests/emulator", "words-by-task", cost=characters(10))
async def words_have_places(service: Service) -> str:
    """A word's begin_index is its place in the sentence."""
    spoken = await speak(service, "你好。再见。", word_timestamp_enabled=True)
    places = [word["begin_index"] for words in spoken.words for word in words[:1]]
    return expect(places == [0, 0], f"the first words are at {places}")
