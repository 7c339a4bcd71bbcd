"""The languages of the service's voices as Home Assistant's language tags.

The service uses ``zh``, ``yue`` or ``en-GB`` and names of dialects. Home Assistant and
its cloud voices use ``zh-CN``, ``zh-HK`` (Cantonese) or ``zh-CN-shaanxi``. The language
without a region comes after its regions.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from homeassistant.util import language as language_util

from ..client import CATALOGUE, Model, Voice


def languages_of_clone(voice_id: str) -> tuple[str, ...]:
    """Return the service's codes of the languages of a voice that is not listed.

    A cloned voice speaks every language that can be hinted to its model. An unknown
    voice is assumed to speak Chinese and English.
    """
    model = _model_of_clone(voice_id)
    return (model.language_hints if model else ()) or ("zh", "en")


def tags_of(voice_id: str) -> tuple[str, ...]:
    """Return the tags of the languages of a voice, its main language first."""
    if voice := CATALOGUE.voice(voice_id):
        return _tags_of(voice)
    return _tags(languages_of_clone(voice_id))


def tags_in(region: str, more_voices: Iterable[str]) -> list[str]:
    """Return the tags of a region's voices and of more voices, each tag once."""
    tags = dict.fromkeys(_tags_in(region))
    for voice in more_voices:
        tags |= dict.fromkeys(tags_of(voice))
    return list(tags)


def default_tag(voice_id: str, language: str, country: str | None) -> str:
    """Return the user's language, or the voice's main one if it lacks that."""
    tags = tags_of(voice_id)
    return next(iter(language_util.matches(language, tags, country)), tags[0])


def fitting_voice(
    voice_id: str,
    tag: str,
    language_voices: Mapping[str, str],
    region: str,
    cloned: Iterable[str] = (),
) -> str:
    """Return the voice for a language.

    The first of these that exists:

    1. The chosen voice, if it speaks the language.
    2. The voice set for the language.
    3. The chosen voice, if it speaks the language with another country's accent.
    4. A system voice that speaks it: if possible of the chosen voice's gender, then
       with it as its main language, then with the chosen voice's model.
    5. A cloned voice that speaks it.
    6. The chosen voice.

    Args:
        voice_id: The chosen voice.
        tag: Home Assistant's language tag.
        language_voices: Voices by the service's language code.
        region: The account's region.
        cloned: The account's cloned voices that are ready.
    """
    if tag in tags_of(voice_id):
        return voice_id
    for language, voice in language_voices.items():
        if tag in _TAGS.get(language, (language,)):
            return voice
    if _ACCENTS.get(tag) in tags_of(voice_id):
        return voice_id
    gender = chosen.gender if (chosen := CATALOGUE.voice(voice_id)) else None
    models = set(CATALOGUE.models_of(voice_id, region))
    voices = CATALOGUE.voices_in(region)
    speaking = [voice for voice in voices if tag in _tags_of(voice)]
    if speaking:
        return min(
            speaking,
            key=lambda voice: (
                voice.gender != gender,
                tag not in _tags(voice.languages[:1]),
                models.isdisjoint(voice.models),
            ),
        ).id
    return next((voice for voice in cloned if tag in tags_of(voice)), voice_id)


def language_hint(voice_id: str, tag: str) -> tuple[str, ...]:
    """Return the language hint that a voice needs, empty if it needs none.

    Cloned voices and those of several languages need one, but not for Chinese and
    English, which the service recognizes, even within one sentence.
    """
    language = tag.partition("-")[0]
    if voice := CATALOGUE.voice(voice_id):
        if len(voice.languages) == 1 or language not in voice.languages:
            return ()
        model: Model | None = CATALOGUE.models[voice.models[0]]
    else:
        model = _model_of_clone(voice_id)
    hinted = model is not None and language in model.language_hints
    return (language,) if hinted and language not in {"zh", "en"} else ()


def _model_of_clone(voice_id: str) -> Model | None:
    return CATALOGUE.models.get(CATALOGUE.model_of_clone(voice_id) or "")


@cache
def _tags_in(region: str) -> tuple[str, ...]:
    voices = CATALOGUE.voices_in(region)
    return tuple(dict.fromkeys(tag for voice in voices for tag in _tags_of(voice)))


@cache
def _tags_of(voice: Voice) -> tuple[str, ...]:
    dialect = _DIALECT_TAGS.get(voice.dialect, ()) if voice.dialect else ()
    return (*dialect, *_tags(voice.languages))


def _tags(languages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            tag for language in languages for tag in _TAGS.get(language, (language,))
        )
    )


_TAGS: dict[str, tuple[str, ...]] = {
    "zh": ("zh-CN", "zh-TW", "zh"),
    "yue": ("zh-HK", "yue"),
    "en": ("en-US", "en-GB", "en"),
    "en-US": ("en-US", "en"),
    "en-GB": ("en-GB", "en"),
    "ja": ("ja-JP", "ja"),
    "ko": ("ko-KR", "ko"),
    "id": ("id-ID", "id"),
}
# Home Assistant chooses the country of a pipeline's language by the house's own
_ACCENTS = {"en-US": "en", "en-GB": "en"}
# Azure's tags, which Home Assistant Cloud uses: a dialect goes by its province
_DIALECT_TAGS: dict[str, tuple[str, ...]] = {
    "northeastern": ("zh-CN-liaoning",),
    "shaanxi": ("zh-CN-shaanxi",),
}
