"""Names of voices and languages, in English or Chinese."""

from collections.abc import Iterable

from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from ..client import CATALOGUE, ClonedVoice, Voice


def in_chinese(hass: HomeAssistant) -> bool:
    """Return True if Home Assistant's language is Chinese."""
    return hass.config.language.startswith("zh")


def language_name(code: str, *, chinese: bool) -> str:
    """Return a language's name, such as "English", or its code if it has none."""
    return _LANGUAGES.get(code, (code, code))[chinese]


def voice_name(voice_id: str, *, chinese: bool) -> str:
    """Return a system voice's short name, or the id of any other voice."""
    if voice := CATALOGUE.voice(voice_id):
        return voice.name_zh if chinese else voice.name
    return voice_id


def voice_label(voice: Voice, *, chinese: bool) -> str:
    """Return one line that describes a system voice.

    It contains both names, so that either can be searched for.
    """
    names = (voice.name_zh, voice.name) if chinese else (voice.name, voice.name_zh)
    description = voice.description_zh if chinese else voice.description
    languages = [language_name(code, chinese=chinese) for code in voice.languages]
    if voice.dialect:
        languages.append(voice.dialect.name_zh if chinese else voice.dialect.name)
    models = ", ".join(model.removeprefix("cosyvoice-") for model in voice.models)
    spoken = ("、" if chinese else ", ").join(languages)
    parts = (" ".join(filter(None, names)), description, spoken, models)
    return " · ".join(filter(None, parts))


def clone_label(clone: ClonedVoice, *, chinese: bool) -> str:
    """Return one line about a cloned voice, with its status."""
    kind = "复刻音色" if chinese else "custom voice"
    state = _STATES.get(clone.status, (clone.status, clone.status))[chinese]
    return f"{clone.id} · {kind} · {state}"


def voice_options(
    region: str,
    clones: Iterable[ClonedVoice],
    *,
    chinese: bool,
    language: str | None = None,
) -> list[SelectOptionDict]:
    """Return the voices to choose from, cloned ones first.

    Args:
        region: The account's region.
        clones: The account's cloned voices.
        chinese: Whether to describe them in Chinese.
        language: The language that system voices must speak.
    """
    own = [
        SelectOptionDict(value=clone.id, label=clone_label(clone, chinese=chinese))
        for clone in clones
    ]
    return own + [
        SelectOptionDict(value=voice.id, label=voice_label(voice, chinese=chinese))
        for voice in CATALOGUE.voices_in(region)
        if language is None or speaks(voice.id, language)
    ]


def voice_selector(options: list[SelectOptionDict]) -> SelectSelector:
    """Return a searchable list of voices that also accepts an id."""
    return SelectSelector(
        SelectSelectorConfig(
            options=options, custom_value=True, mode=SelectSelectorMode.DROPDOWN
        )
    )


def languages_in(region: str) -> list[str]:
    """Return the codes of the languages of a region's voices."""
    return sorted(
        {code for voice in CATALOGUE.voices_in(region) for code in voice.languages}
    )


def speaks(voice_id: str, language: str) -> bool:
    """Return whether a voice may speak a language, as every clone may."""
    voice = CATALOGUE.voice(voice_id)
    return voice is None or language in voice.languages


_LANGUAGES = {
    "de": ("German", "德语"),
    "en": ("English", "英语"),
    "en-GB": ("English (UK)", "英式英语"),
    "en-US": ("English (US)", "美式英语"),
    "fr": ("French", "法语"),
    "id": ("Indonesian", "印尼语"),
    "ja": ("Japanese", "日语"),
    "ko": ("Korean", "韩语"),
    "nan": ("Southern Min", "闽南语"),
    "pt": ("Portuguese", "葡萄牙语"),
    "ru": ("Russian", "俄语"),
    "th": ("Thai", "泰语"),
    "vi": ("Vietnamese", "越南语"),
    "yue": ("Cantonese", "粤语"),
    "zh": ("Chinese", "中文"),
}
_STATES = {
    "OK": ("ready", "可用"),
    "DEPLOYING": ("being prepared", "准备中"),
    "UNDEPLOYED": ("not approved", "未通过审核"),
}
