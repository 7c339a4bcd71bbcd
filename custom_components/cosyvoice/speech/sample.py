"""Short samples of voices, synthesized once and kept in memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager, nullcontext
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..client import (
    CATALOGUE,
    TOKENS_PER_SECOND,
    ClientClosedError,
    ClonedVoice,
    CosyVoiceClient,
    CosyVoiceError,
    SynthesisOptions,
    Utterance,
    UtteranceReport,
    count_characters,
)
from ..const import (
    AUTO,
    CONF_FORMAT,
    CONF_LEAD_IN,
    CONF_SAMPLE_RATE,
    CONF_TRAILING,
    CONF_VOICE,
    DOMAIN,
)
from ..errors import translated_error
from ..settings import complete
from ..usage.ledger import OverBudgetError, UsageLedger
from .request import SETTINGS, create_request

ATTEMPTS: Final = 3
"""How often a sample is synthesized before a person asks again.

Browsers repeat requests that failed.
"""
SLOWEST: Final = 4
"""Billed characters in a second of the slowest speech at the normal rate."""
NO_VOICE: Final = ""
"""Stands in the books for a voice that is not among the account's subentries."""


def sample_options(
    settings: Mapping[str, Any],
    tag: str,
    region: str,
    cloned: Iterable[ClonedVoice] = (),
) -> SynthesisOptions:
    """Return the options to hear a voice with its settings, as MP3.

    Args:
        settings: The settings of the voice.
        tag: Home Assistant's tag of the sample's language, which the voice speaks.
        region: The account's region.
        cloned: The account's cloned voices.

    Raises:
        OptionError: The settings do not fit together.
    """
    audible = {
        name: value
        for name, value in settings.items()
        if name not in {CONF_LEAD_IN, CONF_TRAILING, CONF_SAMPLE_RATE}
    }
    options = {
        SETTINGS: complete(audible | {CONF_FORMAT: AUTO}),
        CONF_VOICE: settings[CONF_VOICE],
    }
    return create_request(options, tag, region, cloned).synthesis


def highest_cost(options: SynthesisOptions, text: str, region: str) -> str:
    """Return what a text costs at most, rounded up, with the currency."""
    price = CATALOGUE.models[options.model].prices[region]
    characters = count_characters(text)
    if price.is_by_tokens:
        seconds = Decimal(characters) / SLOWEST / Decimal(str(options.speech_rate))
        tokens = int(seconds * TOKENS_PER_SECOND) + 1
        cost = price.cost(0, len(text.encode()), tokens)
    else:
        cost = price.cost(characters)
    digit = Decimal(1).scaleb(cost.adjusted() - 1)
    return f"{cost.quantize(digit, ROUND_CEILING):f} {price.currency}"


class SampleBooks:
    """Where samples are booked: in an account's ledger, as soon as there is one."""

    def __init__(self, ledger: UsageLedger | None = None) -> None:
        """Book in a ledger, or note the samples until there is one."""
        self._ledger = ledger
        self._noted: list[UtteranceReport] = []

    def open(self, ledger: UsageLedger) -> None:
        """Book in a ledger from now on, and book the noted samples."""
        self._ledger = ledger
        while self._noted:
            self._record(self._noted.pop(0))

    def check_budget(self) -> None:
        """Call this before every sample.

        Raises:
            OverBudgetError: The account's budget is used up.
        """
        if self._ledger:
            self._ledger.check_budget()

    @asynccontextmanager
    async def booking(
        self, utterance: Utterance, characters: int
    ) -> AsyncIterator[None]:
        """Check the budget, and book an utterance when it has ended.

        Args:
            utterance: The utterance of a sample.
            characters: The billed characters of its text.

        Raises:
            OverBudgetError: The account's budget is used up.
        """
        self.check_budget()

        def counted() -> int:
            return max(utterance.report.sent, characters)

        ledger, model = self._ledger, utterance.report.model
        with ledger.in_flight(model, counted) if ledger else nullcontext():
            try:
                yield
            finally:
                await utterance.aclose()
                self._record(utterance.report)

    def _record(self, report: UtteranceReport) -> None:
        if self._ledger:
            self._ledger.record(report, NO_VOICE)
        else:
            self._noted.append(report)


class SampleAudio:
    """The audio of one text, synthesized when it is first read.

    It is then kept in memory. Those who read it together share one synthesis, which
    is completed when they leave.
    """

    content_type: Final = "audio/mpeg"

    def __init__(
        self,
        hass: HomeAssistant,
        client: CosyVoiceClient,
        options: SynthesisOptions,
        text: str,
        books: SampleBooks,
    ) -> None:
        """Prepare without sending anything.

        Args:
            hass: Home Assistant.
            client: The client of the account.
            options: Resolved options whose format is MP3.
            text: What is spoken: one sentence.
            books: Where the cost is booked.
        """
        self._hass = hass
        self._client = client
        self._options = options
        self._text = text
        self._books = books
        self._attempts = 0
        self._synthesis: _Synthesis | None = None

    @property
    def complete(self) -> bytes | None:
        """The whole audio, None until there is all of it."""
        if self._synthesis and self._synthesis.complete:
            return b"".join(self._synthesis.chunks)
        return None

    @property
    def problem(self) -> HomeAssistantError | None:
        """Why the last attempt failed, or why the budget refuses the next one."""
        if self._synthesis:
            return self._synthesis.error
        try:
            self._books.check_budget()
        except OverBudgetError as err:
            return err
        return None

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the audio while it is synthesized.

        Raises:
            HomeAssistantError: The service failed, or the budget is used up.
        """
        async with aclosing(self._started().follow()) as chunks:
            async for chunk in chunks:
                yield chunk

    def allow_retry(self) -> None:
        """Allow as many attempts as at first."""
        self._attempts = 0

    def close(self) -> None:
        """Stop the synthesis."""
        if self._synthesis:
            self._synthesis.cancel()

    def _started(self) -> _Synthesis:
        current = self._synthesis
        if current and (not current.error or self._attempts >= ATTEMPTS):
            return current
        self._attempts += 1
        self._synthesis = _Synthesis(self._hass, self._spoken())
        return self._synthesis

    async def _spoken(self) -> AsyncGenerator[bytes]:
        utterance = self._client.speak(self._text, self._options)
        async with self._books.booking(utterance, count_characters(self._text)):
            async for chunk in utterance:
                yield chunk


class _Synthesis:
    """One attempt to synthesize a sample.

    Attributes:
        chunks: The audio so far.
        complete: Whether that is all of it.
        error: Why there is no more of it.
    """

    def __init__(self, hass: HomeAssistant, audio: AsyncGenerator[bytes]) -> None:
        self.chunks: list[bytes] = []
        self.complete = False
        self.error: HomeAssistantError | None = None
        self._news = asyncio.Event()
        self._task = hass.async_create_background_task(
            self._read(audio), f"{DOMAIN} sample"
        )

    async def follow(self) -> AsyncGenerator[bytes]:
        """Yield all chunks, those to come included."""
        position = 0
        while True:
            news = self._news
            while position < len(self.chunks):
                yield self.chunks[position]
                position += 1
            if self.error:
                raise self.error
            if self.complete:
                return
            if news is self._news:
                await news.wait()

    def cancel(self) -> None:
        self._task.cancel()

    async def _read(self, audio: AsyncGenerator[bytes]) -> None:
        try:
            async with aclosing(audio) as chunks:
                async for chunk in chunks:
                    self.chunks.append(chunk)
                    self._tell()
            self.complete = True
        except CosyVoiceError as err:
            self.error = translated_error(err)
        except OverBudgetError as err:
            self.error = err
        finally:
            if not self.complete and not self.error:
                stopped = ClientClosedError("The sample was stopped")
                self.error = translated_error(stopped)
            self._tell()

    def _tell(self) -> None:
        """Wake the readers."""
        news, self._news = self._news, asyncio.Event()
        news.set()
