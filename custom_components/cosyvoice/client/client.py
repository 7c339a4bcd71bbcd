"""The client: one account at the CosyVoice service."""

import asyncio
from collections.abc import AsyncIterable
from contextlib import suppress
from weakref import WeakSet

import aiohttp

from .account import AccountApi, ClonedVoice
from .audio.silence import NO_SILENCE, Silence
from .catalogue import CATALOGUE
from .enrolment import EnrolmentApi
from .errors import (
    AuthenticationError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    NotOfferedError,
    ProxyError,
    RequestError,
)
from .options import SynthesisOptions
from .timing import Timing
from .utterance.flushing import Flushing
from .utterance.source import Piece
from .utterance.utterance import Utterance
from .wire.connection import Connection
from .wire.endpoint import Endpoint, Route, request_headers
from .wire.http import HttpApi
from .wire.keys import TemporaryKeys
from .wire.pool import Pool
from .wire.slots import PoolStatistics
from .wire.task import TaskSettings

_UNEXPLAINED = ("HTTP 400", "HTTP 401", "HTTP 403")
"""Codes of a refused handshake whose cause is not known."""


class CosyVoiceClient:
    """Speaks through one account, many utterances in parallel if need be.

    Attributes:
        temporary_keys: Whether connections are opened with temporary keys.
        enrolment: Creates and deletes custom voices.
    """

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
        """Prepare without sending anything.

        Args:
            session: Is used, and left open.
            api_key: The account's key; it belongs to the endpoint's region.
            endpoint: Where the service is.
            workspace_id: The workspace that is billed; the default one if None.
            temporary_keys: Speak with short-lived keys; the account's key then never
                reaches the speech socket.
            timing: Time limits that differ from the usual ones.
        """
        self._session = session
        self._api_key = api_key
        self._endpoint = endpoint
        self._workspace_id = workspace_id
        self._sockets = Route(endpoint.websocket_urls, repeatable=True)
        self._timing = timing or Timing()
        http = HttpApi(session, endpoint, api_key, workspace_id)
        self._account = AccountApi(http)
        self.enrolment = EnrolmentApi(
            session, endpoint, http, self._account, self._timing
        )
        self.temporary_keys = temporary_keys
        self._keys = TemporaryKeys(self._account.temporary_key, self._timing.http)
        self._pool = Pool(self._open_connection, self._timing)
        self._flushing = Flushing()
        self._utterances: WeakSet[Utterance] = WeakSet()

    @property
    def region(self) -> str:
        """Id of the region that the account belongs to."""
        return self._endpoint.region

    @property
    def speech_urls(self) -> tuple[str, ...]:
        """Addresses of the speech socket, in the order in which they are tried."""
        return self._sockets.urls

    @property
    def statistics(self) -> PoolStatistics:
        """Figures about connections and warm-ups."""
        return self._pool.statistics

    async def check_key(self) -> None:
        """Check free of charge that the service accepts the key.

        Raises:
            AuthenticationError: The service refuses the key.
            CosyVoiceConnectionError: The service cannot be reached.
            CosyVoiceError: Any other refusal.
        """
        try:
            async with asyncio.timeout(self._timing.connect):
                connection = await self._open_connection()
        except TimeoutError as err:
            raise CosyVoiceTimeoutError("The service did not answer in time") from err
        if not self._pool.accepted(connection):
            await connection.close()

    async def list_voices(self) -> tuple[ClonedVoice, ...]:
        """Return the voices that the account has cloned or designed.

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
            silence: What to put before and after the speech (all but opus).
            fill_pauses: Give silence to a listener who is about to run out of audio
                (all but opus).
        """
        utterance = Utterance(
            self._pool,
            self._flushing,
            _task_settings(options, self.region),
            text,
            options,
            self._timing,
            silence=silence,
            fill_pauses=fill_pauses,
        )
        self._utterances.add(utterance)
        return utterance

    def warm_up(self, options: SynthesisOptions) -> None:
        """Prepare in the background, free of charge, to speak with these options."""
        self._pool.warm_up(_task_settings(options, self.region))

    def keep_ready(self, seconds: float) -> None:
        """Keep a connection ready for some time after speech, free of charge.

        Args:
            seconds: The time; 0 for never, as in the beginning, ``math.inf`` for always.
        """
        self._pool.keep_ready(seconds)

    async def close(self) -> None:
        """Close all connections.

        Utterances under way raise a ClientClosedError; nothing is opened afterwards.
        """
        for utterance in tuple(self._utterances):
            utterance.end()
        await self._pool.close()
        await self._keys.close()

    async def _open_connection(self) -> Connection:
        refused: CosyVoiceError
        try:
            return await self._authenticated()
        except (AuthenticationError, ProxyError, RequestError) as err:
            if err.code not in _UNEXPLAINED:
                raise
            refused = err
        # A refused handshake has no reason. An HTTP request returns it.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.http):
                refused = await self._cause() or refused
        raise refused

    async def _cause(self) -> CosyVoiceError | None:
        """Return why the account is refused, or None if that stays unknown."""
        try:
            await self._account.check()
        except NotOfferedError:
            return None
        except CosyVoiceError as err:
            return None if err.retryable else err
        return None

    async def _authenticated(self) -> Connection:
        if not self.temporary_keys:
            return await self._connect(self._api_key)
        token = await self._keys.token()
        try:
            return await self._connect(token)
        except AuthenticationError, ProxyError:
            # It may end before its time, as after a computer has slept.
            self._keys.forget(token)
        return await self._connect(await self._keys.token())

    async def _connect(self, key: str) -> Connection:
        headers = request_headers(key, self._workspace_id)

        async def connect(url: str) -> Connection:
            return await Connection.open(
                self._session, url, headers, self._timing.close
            )

        return await self._sockets.request(connect)


def _task_settings(options: SynthesisOptions, region: str) -> TaskSettings:
    model = CATALOGUE.models[options.model]
    return TaskSettings(
        model.id,
        options.parameters(),
        model.starts_per_second,
        cancellable=region in model.cancellable_in,
        by_tokens=model.prices[region].is_by_tokens,
        tags=model.tags,
    )
