"""A gallery in the media browser, where every voice can be heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self, override

from homeassistant.components.media_player import (
    BrowseError,
    MediaClass,
    SearchMedia,
    SearchMediaQuery,
)
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
    async_resolve_media,
)
from homeassistant.const import CONF_LANGUAGE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized

from .const import DOMAIN, VOICE_KIND
from .coordinator import CosyVoiceConfigEntry
from .errors import async_text_of
from .speech.fallback import without_fallback
from .speech.gallery import sample_source
from .voices.kinds import ALL_VOICES, KINDS, YOURS, VoiceFilter, kinds_in, languages_in
from .voices.names import Words, voice_options
from .voices.pictures import LANGUAGES, picture, picture_of

MOST_RESULTS: Final = 100
"""Voices that a search finds at most."""
SEARCHABLE: Final = hasattr(MediaSource, "async_search_media")
"""Whether this Home Assistant searches in media sources."""


async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
    """Return the gallery."""
    return VoiceGallery(hass)


class VoiceGallery(MediaSource):
    """The voices of all loaded accounts: by account, language and kind.

    The first level is left out where there is one account.
    """

    name = "CosyVoice"

    def __init__(self, hass: HomeAssistant) -> None:
        super().__init__(DOMAIN)
        self._hass = hass

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Return a sample of the voice whose id ends an identifier.

        Raises:
            Unauthorized: The user must not spend money.
            Unresolvable: The voice cannot speak, or the budget is used up.
        """
        entry, path = self._find(item)
        if entry is None or not path:
            raise Unresolvable(
                translation_domain=DOMAIN,
                translation_key="not_in_gallery",
                translation_placeholders={"identifier": item.identifier},
            )
        try:
            source = sample_source(self._hass, entry, path[-1])
        except Unauthorized:
            raise
        except HomeAssistantError as err:
            raise Unresolvable(
                await async_text_of(self._hass, err),
                translation_domain=err.translation_domain,
                translation_key=err.translation_key,
                translation_placeholders=err.translation_placeholders,
            ) from err
        with without_fallback():
            return await async_resolve_media(
                self._hass, source, item.target_media_player
            )

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """Return a folder of the gallery.

        Raises:
            BrowseError: There is no such folder.
        """
        entry, path = self._find(item)
        if entry:
            folder = (await _Account.load(self._hass, entry)).browse(path)
        else:
            accounts = [
                _media_folder(each.entry_id, each.title) for each in self._loaded
            ]
            folder = None if path else _media_folder("", "CosyVoice", children=accounts)
        if folder is None:
            raise BrowseError(
                translation_domain=DOMAIN,
                translation_key="not_in_gallery",
                translation_placeholders={"identifier": item.identifier},
            )
        return folder

    async def async_search_media(
        self, item: MediaSourceItem, query: SearchMediaQuery
    ) -> SearchMedia:
        """Return the voices whose line in the gallery has all words of a query."""
        entry, _ = self._find(item)
        found: list[BrowseMediaSource] = []
        for each in [entry] if entry else self._loaded:
            account = await _Account.load(self._hass, each)
            found += account.search(query.search_query)
        return SearchMedia(result=found[:MOST_RESULTS])

    @property
    def _loaded(self) -> list[CosyVoiceConfigEntry]:
        return self._hass.config_entries.async_loaded_entries(DOMAIN)

    def _find(
        self, item: MediaSourceItem
    ) -> tuple[CosyVoiceConfigEntry | None, list[str]]:
        """Return the account of an item, and the path within the account.

        A path may leave out the only account.
        """
        path = item.identifier.split("/") if item.identifier else []
        for entry in self._loaded:
            if path[:1] == [entry.entry_id]:
                return entry, path[1:]
        return (self._loaded[0] if len(self._loaded) == 1 else None), path


@dataclass(frozen=True)
class _Account:
    """The part of the gallery that has an account's voices.

    The account's cloned and designed voices stand beside the languages, since they
    speak several.
    """

    entry: CosyVoiceConfigEntry
    words: Words
    language: str

    @classmethod
    async def load(cls, hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> Self:
        """Prepare, and read the cloned voices if that was not done."""
        await entry.runtime_data.voices.async_read_once()
        return cls(entry, await Words.load(hass), hass.config.language)

    def browse(self, path: Sequence[str]) -> BrowseMediaSource | None:
        """Return the folder at a path, None if there is none."""
        match path:
            case []:
                children = [self._folder([name]) for name in self._first_level()]
            case [language] if language in languages_in(self._region):
                children = [
                    self._folder([language, kind])
                    for kind in kinds_in(self._region)
                    if self._voices(path, VoiceFilter(language=language, kind=kind))
                ]
            case [language, kind]:
                wanted = VoiceFilter(language=language, kind=kind)
                children = self._voices(path, wanted)
            case [kind]:
                children = self._voices(path, VoiceFilter(kind=kind))
            case _:
                children = []
        return self._folder(path, children) if children else None

    def search(self, query: str) -> list[BrowseMediaSource]:
        """Return the voices whose lines have all words of a query."""
        words = query.casefold().split()
        return [
            voice
            for voice in self._voices([], ALL_VOICES)
            if all(word in voice.title.casefold() for word in words)
        ]

    @property
    def _region(self) -> str:
        return self.entry.runtime_data.client.region

    def _first_level(self) -> list[str]:
        """Return the custom voices, if any, and the languages, the listener's first."""
        listener = self.language.partition("-")[0]
        codes = sorted(
            languages_in(self._region),
            key=lambda code: (code.partition("-")[0] != listener, self._name(code)),
        )
        return [YOURS, *codes] if self.entry.runtime_data.voices.data else codes

    def _name(self, step: str) -> str:
        """Return the name of a language or kind."""
        selector = VOICE_KIND if step in KINDS else CONF_LANGUAGE
        return self.words.name(selector, step)

    def _folder(
        self, path: Sequence[str], children: list[BrowseMediaSource] | None = None
    ) -> BrowseMediaSource:
        identifier = "/".join([self.entry.entry_id, *path])
        if not path:
            return _media_folder(identifier, self.entry.title, None, children)
        image = path[-1] if path[-1] in KINDS else LANGUAGES
        return _media_folder(identifier, self._name(path[-1]), picture(image), children)

    def _voices(
        self, path: Sequence[str], wanted: VoiceFilter
    ) -> list[BrowseMediaSource]:
        """Return the voices that fit, with a reason in the title if one cannot speak."""
        runtime = self.entry.runtime_data
        clones = runtime.voices.data.values()
        return [
            BrowseMediaSource(
                domain=DOMAIN,
                identifier="/".join([self.entry.entry_id, *path, option["value"]]),
                media_class=MediaClass.MUSIC,
                media_content_type="audio/mpeg",
                title=option["label"],
                can_play=runtime.voices.problem(option["value"]) is None,
                can_expand=False,
                thumbnail=picture_of(option["value"]),
            )
            for option in voice_options(self._region, clones, self.words, wanted)
        ]


def _media_folder(
    identifier: str,
    title: str,
    thumbnail: str | None = None,
    children: list[BrowseMediaSource] | None = None,
) -> BrowseMediaSource:
    """Return a folder, which shows children that can be played as a list."""
    voices = children is not None and any(child.can_play for child in children)
    folder = BrowseMediaSource(
        domain=DOMAIN,
        identifier=identifier,
        media_class=MediaClass.DIRECTORY,
        media_content_type="",
        title=title,
        can_play=False,
        can_expand=True,
        children=children,
        children_media_class=MediaClass.MUSIC if voices else MediaClass.DIRECTORY,
        thumbnail=thumbnail,
    )
    folder.can_search = SEARCHABLE
    return folder
