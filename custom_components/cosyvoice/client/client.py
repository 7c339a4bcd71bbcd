"""The client: one account at the CosyVoice service."""

import asyncio
from collections.abc import AsyncIterable
import logging
import time

import aiohttp

from .account import AccountApi, ClonedVoice, TemporaryKey
from .audio.silence import NO_SILENCE, Silence
from .catalogue import CATALOGUE
from .errors import AuthenticationError, CosyVoiceError, CosyVoiceTimeoutError
from .options import SynthesisOptions
from .timing import Timing
from .utterance.flushing import Flushing
from .utterance.source import Piece
from .utterance.utterance import Utterance
from .wire.connection import Connection
from .wire.endpoint import Endpoint, request_headers
from .wire.pool import Pool, PoolStatistics, TaskSettings

_LOGGER = logging.getLogger(__name__)

TEMPORARY_KEY_LIFE = 1800
"""Seconds that a temporary key is asked for; the service's longest (Model Studio,
temporary API keys)."""

TEMPORARY_KEY_MARGIN = 60
"""Seconds before its end at which a temporary key is replaced."""


class CosyVoiceClient:
    """Speaks through one account; safe to use for many utterances at once."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        api_key: str,
        endpoint: Endpoint,
        *,
        workspace_id: str | None = None,
        temporary_keys: bool = False,
        timing: Timing | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            session: Is used, and left open.
            api_key: The account's key; it belongs to the endpoint's region.
            endpoint: Where the service is.
            workspace_id: The workspace that is billed; the default one if None.
            temporary_keys: Speak with short-lived keys, so that the account's own
                key is sent to the key endpoint alone.
            timing: Time limits that differ from the usual ones.
        """
        self._session = session
        self._api_key = api_key
        self._endpoint = endpoint
        self._workspace_id = workspace_id
        self._temporary_keys = temporary_keys
        self._temporary_key: TemporaryKey | None = None
        self._temporary_key_until = 0.0
        self._key_lock = asyncio.Lock()
        self._timing = timing or Timing()
        self._account = AccountApi(session, endpoint, api_key, workspace_id)
        self._pool = Pool(self._open_connection, self._timing)
        self._flushing = Flushing()

    @property
    def region(self) -> str:
        """Id of the region that the account belongs to."""
        return self._endpoint.region

    @property
    def statistics(self) -> PoolStatistics:
        """Figures about connections and warm-ups."""
        return self._pool.statistics

    async def check_key(self) -> None:
        """Check that the service is there and takes the key; free of charge.

        Raises:
            AuthenticationError: The service refuses the key.
            CosyVoiceConnectionError: The service cannot be reached.
            CosyVoiceError: Any other refusal.
        """
        try:
            async with asyncio.timeout(self._timing.attempt):
                connection = await self._open_connection()
        except TimeoutError as err:
            raise CosyVoiceTimeoutError("The service did not answer in time") from err
        await connection.close()

    async def list_voices(self) -> tuple[ClonedVoice, ...]:
        """Return the account's own voices.

        Raises:
            CosyVoiceError: They could not be read.
        """
        return await self._account.list_voices()

    def speak(
        self,
        text: str | AsyncIterable[Piece],
        options: SynthesisOptions,
        *,
        silence: Silence = NO_SILENCE,
        fill_pauses: bool = False,
    ) -> Utterance:
        """Return the audio of a text, as an asynchronous iterable.

        Args:
            text: One sentence, or the pieces of a text that is still being written.
            options: Resolved options, see :meth:`SynthesisOptions.resolve`.
            silence: What to put before and after the speech (pcm, wav and caf).
            fill_pauses: Give silence to a listener who is about to run out of audio
                (pcm, wav and caf).
        """
        return Utterance(
            self._pool,
            self._flushing,
            _task_settings(options),
            text,
            options,
            self._timing,
            silence=silence,
            fill_pauses=fill_pauses,
        )

    def warm_up(self, options: SynthesisOptions) -> None:
        """Expect to speak soon with these options; free of charge, in background."""
        self._pool.warm_up(_task_settings(options))

    async def close(self) -> None:
        """Close all connections; utterances under way fail."""
        await self._pool.close()

    async def _open_connection(self) -> Connection:
        key = await self._key()
        try:
            return await self._connect(key)
        except AuthenticationError:
            if key == self._api_key:
                raise
        # A temporary key may end before its time, as after a computer has slept.
        if self._temporary_key is not None and self._temporary_key.token == key:
            self._temporary_key = None
        return await self._connect(await self._key())

    async def _connect(self, key: str) -> Connection:
        headers = request_headers(key, self._workspace_id)
        return await Connection.open(
            self._session, self._endpoint.websocket_url, headers, self._timing.close
        )

    async def _key(self) -> str:
        """Return the key to speak with."""
        if not self._temporary_keys:
            return self._api_key
        loop = asyncio.get_running_loop()
        async with self._key_lock:
            if self._temporary_key is None or loop.time() >= self._temporary_key_until:
                try:
                    key = await self._account.temporary_key(TEMPORARY_KEY_LIFE)
                except CosyVoiceError as err:
                    if not err.retryable:
                        raise
                    _LOGGER.warning(
                        "No temporary key could be had, speaking with the account's"
                        " own key instead: %s",
                        err,
                    )
                    return self._api_key
                life = key.expires_at - time.time()
                if not 0 < life < TEMPORARY_KEY_LIFE:  # The clocks differ.
                    life = TEMPORARY_KEY_LIFE
                margin = min(TEMPORARY_KEY_MARGIN, life / 2)
                self._temporary_key = key
                self._temporary_key_until = loop.time() + life - margin
            return self._temporary_key.token


def _task_settings(options: SynthesisOptions) -> TaskSettings:
    model = CATALOGUE.models[options.model]
    return TaskSettings(model.id, options.parameters(), model.starts_per_second)
