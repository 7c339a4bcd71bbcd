"""Custom voices: cloned from a recording, or designed from a description.

Source: Model Studio, "Voice cloning / design HTTP API".
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
import math
import secrets
from typing import Any, Final

from aiohttp import ClientSession

from .account import (
    CUSTOMIZATION,
    DEPLOYING,
    DESIGNED_PREFIX,
    ENROLMENT,
    NOT_APPROVED,
    AccountApi,
    customization,
)
from .catalogue import CATALOGUE
from .counting import has_han
from .errors import (
    ContentError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    CosyVoiceTimeoutError,
    ProtocolError,
    RecordingContentError,
    ServiceError,
    ThrottledError,
    TooManyVoicesError,
    VoiceError,
    VoiceNotApprovedError,
)
from .timing import Timing
from .wire.endpoint import Endpoint
from .wire.http import HttpApi
from .wire.upload import Permission, upload

ATTEMPTS: Final = 3
"""How often a request is made that can be repeated without harm."""

LONGEST_PROMPT: Final = 30.0
"""Seconds of a recording that the service uses at most."""

UNCERTAIN: Final = (CosyVoiceConnectionError, ServiceError)
"""Errors after which a voice may exist although its creation was not confirmed."""

_RESOLVE: Final = {"X-DashScope-OssResourceResolve": "enable"}
_TOO_MANY: Final = "Throttling.AllocationQuota"


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignedVoice:
    """A voice that was designed.

    Attributes:
        id: The voice's id.
        preview: The sample text, spoken by the voice, as a whole file; None if the
            answer with it was lost.
        preview_format: ``mp3``, ``wav`` or ``pcm``.
    """

    id: str
    preview: bytes | None = None
    preview_format: str = "mp3"


class EnrolmentApi:
    """Creates and deletes custom voices, none of which costs anything.

    A voice is created under a prefix from :func:`new_prefix`, by which it is found
    again if the service's answer is lost. It is never created twice.
    """

    def __init__(
        self,
        session: ClientSession,
        endpoint: Endpoint,
        http: HttpApi,
        account: AccountApi,
        timing: Timing,
    ) -> None:
        self._session = session
        self._endpoint = endpoint
        self._http = http
        self._account = account
        self._timing = timing

    async def upload(
        self, recording: bytes, on_progress: Callable[[float], None] = lambda _: None
    ) -> str:
        """Upload a recording and return its address for :meth:`clone`.

        A broken upload is repeated with a new permission.

        Args:
            recording: A WAV file.
            on_progress: Is called with the share of the file that was sent, 0 to 1.

        Raises:
            RecordingTooLargeError: The file is larger than the service accepts.
            UploadError: The recording did not reach the service.
            CosyVoiceError: The account may not upload, or the service failed.
        """

        async def once() -> str:
            answer = await self._http.get(
                "/uploads", params={"action": "getPolicy", "model": ENROLMENT}
            )
            return await upload(
                self._session,
                Permission.from_answer(answer.get("data"), self._endpoint.http_url),
                f"{secrets.token_hex(8)}.wav",
                recording,
                limit,
                on_progress,
            )

        limit = self._timing.upload
        return await self._repeat(once, limit)

    async def clone(
        self,
        url: str,
        *,
        model: str,
        prefix: str,
        language: str | None = None,
        seconds: float = 10.0,
    ) -> str:
        """Return the id of a new voice that sounds like a recording.

        Args:
            url: Address of the recording, from :meth:`upload`.
            model: The one model that can speak with the voice.
            prefix: A prefix from :func:`new_prefix`.
            language: The recording's language, one of the model's ``clone_hints``.
            seconds: Length of the recording.

        Raises:
            RecordingError: The service cannot use the recording.
            RecordingContentError: The service refuses the recording.
            UploadError: The service does not find the recording; upload it again.
            TooManyVoicesError: The account is full.
            CosyVoiceError: The voice was not created. After a
                :class:`CosyVoiceTimeoutError` it may appear later.
        """
        try:
            return await self._cloned(url, model, prefix, language, seconds)
        except ContentError as err:
            raise RecordingContentError(
                err.message, code=err.code, request_id=err.request_id
            ) from None

    async def _cloned(
        self, url: str, model: str, prefix: str, language: str | None, seconds: float
    ) -> str:
        known = CATALOGUE.models[model]
        optional = {
            "language_hints": [language] if language else [],
            "max_prompt_audio_length": min(max(seconds, 3.0), LONGEST_PROMPT),
            "enable_preprocess": True,
        }
        output = await self._create(
            {
                "target_model": model,
                "prefix": prefix,
                "url": url,
                **{
                    name: value
                    for name, value in optional.items()
                    if name in known.clone_parameters and value
                },
            }
        )
        return str(output["voice_id"])

    async def design(
        self, description: str, sample_text: str, *, model: str, prefix: str
    ) -> DesignedVoice:
        """Return a new voice that fits a description.

        The same description gives another voice each time.

        Args:
            description: 1 to 500 characters, in Chinese or English.
            sample_text: 15 to 200 characters for the preview, in Chinese or English.
            model: The one model that can speak with the voice.
            prefix: A prefix from :func:`new_prefix`.

        Raises:
            ContentError: The service refuses the description or the text.
            TooManyVoicesError: The account is full.
            CosyVoiceError: The voice was not created. After a
                :class:`CosyVoiceTimeoutError` it may appear later.
        """
        output = await self._create(
            {
                "target_model": model,
                "prefix": prefix,
                "voice_prompt": description,
                "preview_text": sample_text,
                "language_hints": ["zh" if has_han(sample_text) else "en"],
            },
            {"sample_rate": 24_000, "response_format": "mp3"},
        )
        preview = output.get("preview_audio")
        facts = preview if isinstance(preview, dict) else {}
        with suppress(binascii.Error, ValueError, TypeError):
            audio = base64.b64decode(facts.get("data", ""), validate=True)
            form = str(facts.get("response_format", "mp3"))
            return DesignedVoice(
                id=output["voice_id"], preview=audio or None, preview_format=form
            )
        return DesignedVoice(id=output["voice_id"])

    async def status(self, voice_id: str) -> str:
        """Return the status of a voice, see :class:`ClonedVoice`.

        Raises:
            VoiceError: There is no such voice.
            CosyVoiceError: The request failed otherwise.
        """
        answer = await self._http.post(
            CUSTOMIZATION, body=customization("query_voice", voice_id=voice_id)
        )
        status = _output(answer).get("status")
        if not isinstance(status, str):
            raise ProtocolError("The answer holds no status")
        return status.upper()

    async def wait_until_ready(
        self, voice_id: str, on_progress: Callable[[float], None] = lambda _: None
    ) -> bool:
        """Return True once a new voice can speak, False if that takes too long.

        Args:
            voice_id: The voice.
            on_progress: Is called with the share of the time that is allowed, 0 to 1.

        Raises:
            VoiceNotApprovedError: The review refused the voice, which was deleted.
            VoiceError: The voice does not exist, nor appears within ``Timing.look_up``.
        """
        loop = asyncio.get_running_loop()
        start = loop.time()
        while (passed := loop.time() - start) <= self._timing.ready:
            on_progress(passed / self._timing.ready)
            status = DEPLOYING
            try:
                status = await self.status(voice_id)
            except CosyVoiceError as err:
                is_new = isinstance(err, VoiceError) and passed < self._timing.look_up
                if not err.retryable and not is_new:
                    raise
            if status == NOT_APPROVED:
                with suppress(CosyVoiceError):
                    await self.delete(voice_id)
                raise VoiceNotApprovedError("The review did not approve the voice")
            if status != DEPLOYING:
                return True
            await asyncio.sleep(self._timing.poll)
        return False

    async def delete(self, voice_id: str) -> None:
        """Delete a voice for good, if it exists.

        Raises:
            CosyVoiceError: It could not be deleted.
        """

        async def once() -> None:
            with suppress(VoiceError):
                await self._http.post(
                    CUSTOMIZATION, body=customization("delete_voice", voice_id=voice_id)
                )

        await self._repeat(once)

    async def find(self, prefix: str) -> tuple[str, ...]:
        """Return the ids of the voices that were created with a prefix.

        Raises:
            CosyVoiceError: The list could not be read.
        """
        voices = await self._account.list_voices(prefix)
        return tuple(voice.id for voice in voices if prefix_of(voice.id) == prefix)

    async def _create(
        self, values: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Create one voice and return the output, which has at least its id."""
        prefix = values["prefix"]
        body = customization("create_voice", **values)
        if parameters:
            body["parameters"] = parameters
        failures: list[CosyVoiceError] = []
        while len(failures) < 2:
            output: dict[str, Any] | None
            try:
                output = await self._created(body)
            except UNCERTAIN as err:
                failures.append(err)
                output = await self._look_up(prefix, err)
            if output:
                if failures:
                    await self._delete_others(prefix, output["voice_id"])
                return output
            if isinstance(failures[-1], CosyVoiceTimeoutError):
                break
        raise failures[-1]

    async def _created(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request that creates a voice."""
        try:
            answer = await self._http.post(
                CUSTOMIZATION, body=body, headers=_RESOLVE, limit=self._timing.create
            )
        except ThrottledError as err:
            if err.code != _TOO_MANY:
                raise
            raise TooManyVoicesError(
                err.message, code=err.code, request_id=err.request_id
            ) from None
        output = _output(answer)
        if not isinstance(output.get("voice_id"), str):
            raise ProtocolError("The answer holds no voice")
        return output

    async def _look_up(
        self, prefix: str, failure: CosyVoiceError
    ) -> dict[str, Any] | None:
        """Return the voice whose creation was not confirmed, None if there is none.

        After a time-out, the service may still be creating it.

        Raises:
            CosyVoiceError: The failure, as whether the voice exists stays unknown.
        """
        loop = asyncio.get_running_loop()
        patience = isinstance(failure, CosyVoiceTimeoutError) * self._timing.look_up
        deadline = loop.time() + patience
        while True:
            try:
                found = await self._repeat(lambda: self.find(prefix))
            except CosyVoiceError:
                raise failure from None
            if found or loop.time() >= deadline:
                break
            await asyncio.sleep(self._timing.poll)
        return {"voice_id": found[0]} if found else None

    async def _delete_others(self, prefix: str, voice_id: str) -> None:
        """Delete voices that unconfirmed requests have created besides a voice."""
        with suppress(CosyVoiceError):
            for other in await self.find(prefix):
                if other != voice_id:
                    await self.delete(other)

    async def _repeat[T](
        self, action: Callable[[], Awaitable[T]], limit: float = math.inf
    ) -> T:
        """Return the result of an action that can be repeated without harm.

        Args:
            action: The action.
            limit: Seconds after which it is not repeated.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + limit
        for attempt in range(ATTEMPTS - 1):
            try:
                return await action()
            except CosyVoiceError as err:
                if not err.retryable or loop.time() >= end:
                    raise
            await asyncio.sleep(self._timing.backoff * 2**attempt)
        return await action()


def new_prefix() -> str:
    """Return a prefix that no other voice has.

    The service takes up to 10 letters and digits, in lower case in any region.
    """
    return f"ha{secrets.token_hex(4)}"


def prefix_of(voice_id: str) -> str:
    """Return the prefix that a custom voice was created with, empty for any other."""
    model = CATALOGUE.model_of_clone(voice_id)
    name = voice_id.removeprefix(f"{model}-").removeprefix(DESIGNED_PREFIX)
    return name.partition("-")[0] if model else ""


def _output(answer: Mapping[str, Any]) -> dict[str, Any]:
    output = answer.get("output")
    if not isinstance(output, dict):
        raise ProtocolError("The answer holds no output")
    return output
