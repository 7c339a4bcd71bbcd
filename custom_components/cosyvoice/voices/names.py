"""Names of voices and the words that describe them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import re
from types import MappingProxyType
from typing import Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.translation import async_get_translations

from ..client import CATALOGUE, ClonedVoice, Model, Voice
from ..const import DOMAIN, VOICE_KIND
from ..localization import PATTERN, localized, pattern_of
from .kinds import ALL_VOICES, VoiceFilter, origin_of

_BEFORE_NUMBER = re.compile(r"^.+?(?= \d+$|$)")


def in_chinese(hass: HomeAssistant) -> bool:
    """Return True if Home Assistant's language is Chinese."""
    return hass.config.language.startswith("zh")


def voice_name(voice_id: str) -> str:
    """Return a system voice's two names, or the id of any other voice.

    It is the same in every language, such as ``Abby``, or a name in English and then
    in Chinese.
    """
    if voice := CATALOGUE.voice(voice_id):
        return " ".join(filter(None, dict.fromkeys((voice.name, voice.name_zh))))
    return voice_id


def unique_names(
    voice_ids: Iterable[str], given: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Return the names of voices by id, each name once.

    Names that are alike are followed by the id.

    Args:
        voice_ids: The voices.
        given: The names that were given to cloned voices, by id.
    """
    names = {
        voice_id: given.get(voice_id) or voice_name(voice_id) for voice_id in voice_ids
    }
    # A given name may look like a name with an id
    while alike := {
        name for name, bearers in Counter(names.values()).items() if bearers > 1
    }:
        names |= {
            voice_id: f"{name} ({voice_id})"
            for voice_id, name in names.items()
            if name in alike
        }
    return names


def voice_title(voice_id: str, *, chinese: bool) -> str:
    """Return the name to give to the device of a voice."""
    if voice := CATALOGUE.voice(voice_id):
        return (chinese and voice.name_zh) or voice.name
    return voice_id


def romanized(title: str) -> str:
    """Return the title of a device in Latin letters where possible.

    The Chinese name of a system voice is replaced by its English one.
    """
    return _BEFORE_NUMBER.sub(lambda found: _ENGLISH.get(found[0], found[0]), title)


@dataclass(frozen=True)
class Words:
    """Words to describe voices with, in Home Assistant's language.

    Attributes:
        chinese: Whether to take the vendor's descriptions in Chinese.
        texts: The translations of the category ``selector``.
        pattern: How the language writes numbers, see `localized`.
    """

    chinese: bool
    texts: Mapping[str, str]
    pattern: str = PATTERN

    @classmethod
    async def load(cls, hass: HomeAssistant) -> Self:
        """Return the words of Home Assistant's language."""
        texts = await async_get_translations(
            hass, hass.config.language, "selector", {DOMAIN}
        )
        return cls(in_chinese(hass), texts, pattern_of(hass))

    def name(self, selector: str, key: str) -> str:
        """Return the name of a key in a list, or the key if it has none."""
        option = f"component.{DOMAIN}.selector.{selector}.options.{key.lower()}"
        return self.texts.get(option, key)

    def number(self, text: str) -> str:
        """Return an amount with the marks of the language."""
        return localized(text, self.pattern)

    def of_voice(self, voice: Voice) -> str:
        """Return one line that describes a system voice."""
        spoken = [self.name("language", code) for code in voice.languages]
        if voice.dialect:
            spoken.append(self.name("dialect", voice.dialect))
        parts = (
            voice_name(voice.id),
            voice.description_zh if self.chinese else voice.description,
            "/".join(dict.fromkeys(spoken)),
            ", ".join(model.removeprefix("cosyvoice-") for model in voice.models),
        )
        return " · ".join(filter(None, parts))

    def of_model(self, model: Model, region: str) -> str:
        """Return one line about what a model costs and what it is good for.

        A phone cuts off its end.
        """
        price = model.prices[region]
        cost = self.number(f"{price.of_an_hour} {price.currency}")
        parts = (
            model.id,
            self.name("model_price", "per_hour").format(cost=cost),
            # The key of a translation has no dots
            self.name("model_purpose", model.id.replace(".", "_")),
        )
        return " · ".join(parts)

    def of_clone(self, clone: ClonedVoice) -> str:
        """Return one line about a cloned voice, with its status."""
        parts = (
            clone.name or clone.id,
            self.name(VOICE_KIND, origin_of(clone)),
            self.name("voice_status", clone.status),
        )
        return " · ".join(parts)


def voice_options(
    region: str,
    clones: Iterable[ClonedVoice],
    words: Words,
    wanted: VoiceFilter = ALL_VOICES,
) -> list[SelectOptionDict]:
    """Return the voices to choose from, cloned ones first.

    Args:
        region: The account's region.
        clones: The account's cloned voices.
        words: The words to describe them with.
        wanted: What narrows the list.
    """
    lines = {
        clone.id: words.of_clone(clone)
        for clone in clones
        if wanted.accepts(clone.id, region)
    } | {
        voice.id: words.of_voice(voice)
        for voice in CATALOGUE.voices_in(region)
        if wanted.accepts(voice.id, region)
    }
    return [
        SelectOptionDict(value=voice_id, label=line) for voice_id, line in lines.items()
    ]


def voice_selector(options: list[SelectOptionDict]) -> SelectSelector:
    """Return a searchable list of voices that also accepts an id."""
    return SelectSelector(
        SelectSelectorConfig(
            options=options, custom_value=True, mode=SelectSelectorMode.DROPDOWN
        )
    )


_ENGLISH = {voice.name_zh: voice.name for voice in CATALOGUE.voices.values()}
