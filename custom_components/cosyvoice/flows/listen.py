"""Listening to a voice in a dialog before it is used."""

from collections.abc import Collection, Mapping
from html import escape
import re
from typing import Any, Final, Self

from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..account import create_client
from ..client import ClonedVoice, CosyVoiceClient, SynthesisOptions
from ..const import CONF_VOICE, DOMAIN
from ..errors import async_text_of
from ..localization import localized, pattern_of
from ..speech.sample import SampleAudio, SampleBooks, highest_cost, sample_options
from ..usage.ledger import async_get_ledger
from ..voices.names import voice_name
from ..voices.samples import sample_text
from .audio_view import FinishedAudio, ServedAudio, is_published, publish, withdraw


class Sample:
    """A sample of a voice that a person can play in a dialog.

    Attributes:
        url: The path of the audio on Home Assistant's server. It needs no log-in and
            is valid until `close`.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        audio: ServedAudio,
        *,
        name: str,
        text: str,
        cost: str | None = None,
    ) -> None:
        """Serve audio.

        Args:
            hass: Home Assistant.
            audio: The audio.
            name: The name of the voice.
            text: What it speaks.
            cost: What it costs at most, with the currency, None for nothing.
        """
        self.url = publish(hass, audio)
        self._hass = hass
        self._audio = audio
        self._name = name
        self._text = text
        self._cost = cost

    @classmethod
    def of_voice(
        cls,
        hass: HomeAssistant,
        client: CosyVoiceClient,
        options: SynthesisOptions,
        text: str,
        books: SampleBooks,
        *,
        name: str | None = None,
    ) -> Self:
        """Serve a sample that is synthesized when it is first requested.

        Args:
            hass: Home Assistant.
            client: The client of the account.
            options: Resolved options for MP3, as `sample_options` returns them.
            text: The sentence to speak.
            books: Where the cost is booked, and the budget that may refuse it.
            name: The name of the voice, None for the one it has in lists.
        """
        return cls(
            hass,
            SampleAudio(hass, client, options, text, books),
            name=name or voice_name(options.voice),
            text=text,
            cost=highest_cost(options, text, client.region),
        )

    @classmethod
    def of_audio(
        cls,
        hass: HomeAssistant,
        data: bytes,
        content_type: str,
        *,
        name: str,
        text: str,
    ) -> Self:
        """Serve audio that exists, such as the preview of a designed voice."""
        return cls(hass, FinishedAudio(data, content_type), name=name, text=text)

    @property
    def is_open(self) -> bool:
        """Whether the address is valid: only the newest samples of all flows are."""
        return is_published(self._hass, self.url)

    async def async_placeholders(self) -> dict[str, str]:
        """Return the placeholders of the step ``listen``.

        They are ``voice``, ``text``, ``sample`` (a player, a link and a note on the
        cost, or on why it cannot be played) and ``sample_url``. A sample that failed
        can then be played again.
        """
        problem = self._audio.problem
        self._audio.allow_retry()
        prefix = f"component.{DOMAIN}.common."
        texts = await async_get_translations(
            self._hass, self._hass.config.language, "common", {DOMAIN}
        )
        source = escape(self.url)
        parts = [f'<audio controls preload="none" src="{source}"></audio>']
        if problem:
            reason = plain(await async_text_of(self._hass, problem))
            parts.append(texts[f"{prefix}sample_failed"].format(reason=reason))
        elif self._cost and self._audio.complete is None:
            cost = localized(self._cost, pattern_of(self._hass))
            parts.append(texts[f"{prefix}sample_cost"].format(cost=cost))
        # The frontend would open a link within its own pages
        link = escape(texts[f"{prefix}sample_link"])
        parts.append(f'<a href="{source}" target="_blank">{link}</a>')
        return {
            "voice": plain(self._name),
            "text": plain(self._text),
            "sample": "\n\n".join(parts),
            "sample_url": self.url,
        }

    def close(self) -> None:
        """Stop the synthesis and give up the address."""
        withdraw(self._hass, self.url)


class Audition:
    """The voices that a person listens to in one flow, one at a time.

    Attributes:
        client: The client that speaks.
    """

    def __init__(
        self, hass: HomeAssistant, client: CosyVoiceClient, books: SampleBooks
    ) -> None:
        """Begin with no sample.

        Args:
            hass: Home Assistant.
            client: The client of the account.
            books: Where the cost is booked, and the budget that may refuse it.
        """
        self._hass = hass
        self.client = client
        self._books = books
        self._heard: tuple[SynthesisOptions, str] | None = None
        self._sample: Sample | None = None

    async def async_placeholders(
        self, settings: Mapping[str, Any], cloned: Collection[ClonedVoice]
    ) -> dict[str, str]:
        """Return the placeholders of the step ``listen`` for a voice.

        A voice whose settings did not change keeps its sample.

        Args:
            settings: Checked settings of the voice.
            cloned: The account's cloned voices.
        """
        config = self._hass.config
        tag, text = sample_text(settings[CONF_VOICE], config.language, config.country)
        options = sample_options(settings, tag, self.client.region, cloned)
        sample = self._sample
        if sample is None or not sample.is_open or self._heard != (options, text):
            self.close()
            named = {voice.id: voice.name for voice in cloned}
            sample = self._sample = Sample.of_voice(
                self._hass,
                self.client,
                options,
                text,
                self._books,
                name=named.get(options.voice),
            )
            self._heard = options, text
        return await sample.async_placeholders()

    def close(self) -> None:
        """Give up the sample."""
        if self._sample:
            self._sample.close()


class FirstAudition(Audition):
    """The voices that a person listens to before their account has an entry."""

    def __init__(self, hass: HomeAssistant, data: Mapping[str, Any]) -> None:
        """Begin with no sample.

        Args:
            hass: Home Assistant.
            data: Valid data of the account.
        """
        super().__init__(hass, create_client(hass, data), SampleBooks())
        self._key = data[CONF_API_KEY]

    async def async_end(self) -> None:
        """Give up the sample, and book all samples if there is an entry now."""
        self.close()
        await self.client.close()
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            if entry.data.get(CONF_API_KEY) == self._key:
                ledger = async_get_ledger(self._hass, entry)
                await ledger.async_load()
                self._books.open(ledger)


def plain(text: str) -> str:
    """Return a text as the frontend's Markdown shows it unchanged."""
    return _MARKUP.sub(r"\\\g<0>", escape(text, quote=False))


_MARKUP: Final = re.compile(r"[\\`*_\[\]~|#]")
