"""Cloning a voice from a recording."""

from collections.abc import Mapping
from typing import Any, Final, cast, override

import voluptuous as vol

from homeassistant.const import CONF_LANGUAGE, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    FileSelector,
    FileSelectorConfig,
    MediaSelector,
    MediaSelectorConfig,
    TextSelector,
)

from ..client import CATALOGUE, RecordingError, UploadError
from ..const import CONF_MODEL, DOMAIN
from ..coordinator import CosyVoiceConfigEntry
from ..voices.names import Words
from ..voices.reading import READING_TEXTS
from ..voices.recording import (
    Recording,
    async_delete_upload,
    async_read_media,
    async_read_upload,
)
from .creation import Creation, clone_models
from .fields import dropdown
from .listen import plain

CONF_RECORDING: Final = "recording"
CONF_MEDIA: Final = "media"
CONF_CONSENT: Final = "consent"
ACCEPTED: Final = "audio/*,video/*,.m4a,.ogg,.opus,.webm,.3gp,.amr,.flac,.caf"
"""What a browser's file dialog offers. Phones also offer to record."""


class Cloning(Creation):
    """A voice that is being cloned.

    The converted recording stays in memory: a file can be submitted again after an
    error, though Home Assistant deletes it when it is read.
    """

    step = "clone"
    menu = ["use", "discard"]

    def __init__(
        self, hass: HomeAssistant, entry: CosyVoiceConfigEntry, words: Words
    ) -> None:
        """Begin with an empty form, in the user's language if possible."""
        super().__init__(hass, entry, words)
        self._models = clone_models(self._region)
        self._languages = list(
            dict.fromkeys(code for model in self._models for code in model.clone_hints)
        )
        language = hass.config.language.partition("-")[0]
        self._language = language if language in self._languages else "en"
        self._source = ""
        self._is_upload = False
        self._unread: set[str] = set()
        self._read: dict[str, Recording | RecordingError] = {}
        self._url = ""
        self._show_text()

    @override
    def schema(self) -> vol.Schema:
        languages = {
            code: self._words.name(CONF_LANGUAGE, code) for code in self._languages
        }
        return vol.Schema(
            {
                vol.Required(CONF_NAME): TextSelector(),
                vol.Required(CONF_LANGUAGE, default=self._language): dropdown(
                    languages
                ),
                # Without it, another language shows another text to read
                vol.Optional(CONF_RECORDING): FileSelector(
                    FileSelectorConfig(accept=ACCEPTED)
                ),
                vol.Optional(CONF_MEDIA): MediaSelector(
                    MediaSelectorConfig(accept=["audio/*", "video/*"])
                ),
                vol.Required(
                    CONF_MODEL, default=self._models[0].id
                ): self._model_selector(self._models),
                vol.Required(CONF_CONSENT, default=False): BooleanSelector(),
            }
        )

    @override
    def submit(self, user_input: Mapping[str, Any]) -> bool:
        self.shown, self.errors = {**user_input}, {}
        is_other = user_input[CONF_LANGUAGE] != self._language
        self._language = user_input[CONF_LANGUAGE]
        self._show_text()
        upload = user_input.get(CONF_RECORDING, "")
        media = user_input.get(CONF_MEDIA, {}).get("media_content_id", "")
        self._source = upload or media
        if not self._source and is_other:
            return False
        self._is_upload = bool(upload)
        if upload and upload not in self._read:
            self._unread.add(upload)
        if not self._source:
            self.errors[CONF_RECORDING] = "recording_required"
        if not self.name:
            self.errors[CONF_NAME] = "name_required"
        if not user_input[CONF_CONSENT]:
            self.errors[CONF_CONSENT] = "consent_required"
        model = user_input[CONF_MODEL]
        if self._language not in CATALOGUE.models[model].clone_hints:
            self.errors[CONF_LANGUAGE] = "clone_language"
            self.placeholders |= {"model": model, "language": self._language_name}
        return not self.errors

    @override
    def start(self) -> None:
        self._identify(self._source, self._language, self.shown[CONF_MODEL])
        self._start(
            ("checking", self._check),
            ("sending", self._send),
            ("preparing", self._make),
        )

    @callback
    @override
    def close(self) -> None:
        """Also delete the files that were not read."""
        super().close()
        for upload in self._unread:
            self._hass.async_create_background_task(
                async_delete_upload(self._hass, upload), f"{DOMAIN} unused upload"
            )

    @override
    async def _async_create(self) -> str:
        try:
            return await self._clone()
        except UploadError:
            # The service does not find it, which a new upload mends
            await self._send()
            return await self._clone()

    async def _check(self) -> None:
        """Read the file, unless it was read before."""
        source = self._source
        found = self._read.get(source)
        if found is None:
            read = async_read_upload if self._is_upload else async_read_media
            self._unread.discard(source)
            try:
                found = await read(self._hass, source)
            except RecordingError as err:
                found = err
            self._read[source] = found
        if isinstance(found, RecordingError):
            raise found

    async def _send(self) -> None:
        self._url = await self._enrolment.upload(self._recording.wav, self.on_progress)

    async def _clone(self) -> str:
        return await self._enrolment.clone(
            self._url,
            model=self.shown[CONF_MODEL],
            prefix=self._prefix,
            language=self._language,
            seconds=self._recording.seconds,
        )

    @property
    def _recording(self) -> Recording:
        return cast(Recording, self._read[self._source])

    @property
    def _language_name(self) -> str:
        return self._words.name(CONF_LANGUAGE, self._language)

    def _show_text(self) -> None:
        self.placeholders = {
            "text": plain(READING_TEXTS[self._language]),
            "region": self._words.name("region", self._region),
        }
