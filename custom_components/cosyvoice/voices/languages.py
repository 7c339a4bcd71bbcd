"""The languages of the service's voices as Home Assistant's language tags.

The service speaks of ``zh``, ``yue`` or ``en-GB`` and of dialects; Home Assistant
and its cloud voices of ``zh-CN``, ``zh-HK`` (Cantonese) or ``zh-CN-shaanxi``. The bare
language is offered as well, after the regions that it may be heard in.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from homeassistant.util import language as language_util

from ..client import CATALOGUE, Voice

voices_in = cache(CATALOGUE.voices_in)
"""Return the system voices that a region offers, as the catalogue does."""


def tags_of(voice_id: str) -> tuple[str, ...]:
    """Return the tags of what a voice speaks, its main language first.

    A cloned voice speaks every language that can be hinted to its model; one of
    which nothing is known is taken to speak Chinese and English.
    """
    if voice := CATALOGUE.voices.get(voice_id):
        return _tags_of(voice)
    model = CATALOGUE.models.get(CATALOGUE.model_of_clone(voice_id) or "")
    languages = model.language_hints if model else ()
    return _tags(languages or ("zh", "en"))


def tags_in(region: str, own_voices: Iterable[str]) -> list[str]:
    """Return every tag that some voice speaks: the region's or one's own."""
    tags = dict.fromkeys(_tags_in(region))
    for voice in own_voices:
        tags |= dict.fromkeys(tags_of(voice))
    return list(tags)


def default_tag(voice_id: str, language: str, country: str | None) -> str:
    """Return the tag to speak by default: the user's language if the voice has it."""
    tags = tags_of(voice_id)
    return next(iter(language_util.matches(language, tags, country)), tags[0])


def fitting_voice(
    voice_id: str,
    tag: str,
    language_voices: Mapping[str, str],
    region: str,
    own_voices: Iterable[str] = (),
) -> str:
    """Return the voice for a language: the chosen one if it speaks the language.

    Otherwise the one set for the language in ``language_voices`` (by the service's
    language code). Otherwise, of the voices that speak it, the first one in the
    catalogue; preferred are the chosen voice's gender, then a voice whose main
    language it is, then the chosen voice's model. One's own voices come last.
    """
    if tag in tags_of(voice_id):
        return voice_id
    for language, voice in language_voices.items():
        if tag in _TAGS.get(language, (language,)):
            return voice
    gender = chosen.gender if (chosen := CATALOGUE.voices.get(voice_id)) else None
    models = set(CATALOGUE.models_of(voice_id, region))
    speaking = [voice for voice in voices_in(region) if tag in _tags_of(voice)]
    if speaking:
        return min(
            speaking,
            key=lambda voice: (
                voice.gender != gender,
                tag not in _tags(voice.languages[:1]),
                models.isdisjoint(voice.models),
            ),
        ).id
    return next((voice for voice in own_voices if tag in tags_of(voice)), voice_id)


def language_hint(voice_id: str, tag: str) -> tuple[str, ...]:
    """Return the hint that helps a voice with a language, if one does.

    Only cloned voices need one, and only for languages other than the Chinese and
    English, which the service tells apart by itself, also within one sentence.
    """
    if voice_id in CATALOGUE.voices:
        return ()
    language = tag.partition("-")[0]
    model = CATALOGUE.models.get(CATALOGUE.model_of_clone(voice_id) or "")
    hinted = model is not None and language in model.language_hints
    return (language,) if hinted and language not in {"zh", "en"} else ()


@cache
def _tags_in(region: str) -> tuple[str, ...]:
    voices = voices_in(region)
    return tuple(dict.fromkeys(tag for voice in voices for tag in _tags_of(voice)))


@cache
def _tags_of(voice: Voice) -> tuple[str, ...]:
    dialect = _DIALECT_TAGS.get(voice.dialect.key, ()) if voice.dialect else ()
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
# Azure's tags, which Home Assistant Cloud uses: a dialect goes by its province
_DIALECT_TAGS: dict[str, tuple[str, ...]] = {
    "northeastern": ("zh-CN-liaoning",),
    "shaanxi": ("zh-CN-shaanxi",),
}
