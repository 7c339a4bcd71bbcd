"""The HTTP side of an account: temporary keys, cloned and designed voices."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from .catalogue import CATALOGUE
from .errors import ProtocolError
from .wire.http import HttpApi
from .wire.keys import TemporaryKey

VOICES_PER_PAGE: Final = 100
DEFAULT_PAGE: Final = 10
"""Voices on a page if the service ignores the page size of the request."""

MOST_PAGES: Final = 100
"""Pages read at most: an account keeps at most 1,000 voices. Source: Model Studio's
page on cloning."""

READY: Final = "OK"
DEPLOYING: Final = "DEPLOYING"
NOT_APPROVED: Final = "UNDEPLOYED"
"""Status of a voice that can speak, that is being prepared, that never will be ready."""

ENROLMENT: Final = "voice-enrollment"
"""The model that clones and designs voices."""

CUSTOMIZATION: Final = "/services/audio/tts/customization"
"""Path of all requests about custom voices."""

DESIGNED_PREFIX: Final = "vd-"
"""Follows the model in the id of a designed voice, see `Catalogue.model_of_clone`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClonedVoice:
    """A voice that was cloned or designed by the account.

    Attributes:
        id: The voice's id.
        model: The one model it speaks with; None if this catalogue does not know it.
        status: ``OK``; ``DEPLOYING`` while it is made; ``UNDEPLOYED`` if it was
            refused.
        changed: When it was created or its recording replaced, if that is known.
        name: The name that its owner gave it; the service knows no names.
    """

    id: str
    model: str | None
    status: str
    changed: date | None = None
    name: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether it can speak."""
        return self.status == READY

    @property
    def is_designed(self) -> bool:
        """Whether it was designed from a description, not cloned from a recording."""
        return self.id.startswith(f"{self.model}-{DESIGNED_PREFIX}")


class AccountApi:
    """Requests about an account, none of which cost anything.

    Every method raises one of the classes of ``errors.py`` and nothing else. Each of
    its requests takes ``wire.http.REQUEST_TIMEOUT`` seconds at most.
    """

    def __init__(self, http: HttpApi) -> None:
        self._http = http

    async def check(self) -> None:
        """Make the smallest request that needs a valid key.

        Raises:
            AuthenticationError: The API key is not valid in this region.
            AccessDeniedError: It may not be used, or not for this workspace.
            CosyVoiceError: The request failed otherwise.
        """
        await self._voices_of_page(0, 1)

    async def temporary_key(self, expire_in_seconds: int) -> TemporaryKey:
        """Return a key that is valid for 1 to 1,800 seconds.

        Raises:
            AuthenticationError: The API key is not valid in this region.
            CosyVoiceError: The request failed otherwise.
        """
        answer = await self._http.post(
            "/tokens", params={"expire_in_seconds": expire_in_seconds}
        )
        token, expires_at = answer.get("token"), answer.get("expires_at")
        if not isinstance(token, str) or not isinstance(expires_at, int | float):
            raise ProtocolError("The answer holds no temporary key")
        return TemporaryKey(token, expires_at)

    async def list_voices(self, prefix: str = "") -> tuple[ClonedVoice, ...]:
        """Return the voices that the account has cloned or designed.

        Args:
            prefix: Only voices that were created with this prefix; any if empty.

        Raises:
            AuthenticationError: The API key is not valid in this region.
            CosyVoiceError: The request failed otherwise.
        """
        voices: dict[str, ClonedVoice] = {}
        for page in range(MOST_PAGES):
            known = len(voices)
            listed = await self._voices_of_page(page, VOICES_PER_PAGE, prefix)
            voices |= {voice.id: voice for voice in listed}
            # A service that makes pages shorter than asked for is asked once more.
            if len(listed) < DEFAULT_PAGE or len(voices) == known:
                break
        return tuple(voices.values())

    async def _voices_of_page(
        self, page: int, size: int, prefix: str = ""
    ) -> list[ClonedVoice]:
        wanted = {"page_index": page, "page_size": size}
        answer = await self._http.post(
            CUSTOMIZATION,
            body=customization(
                "list_voice", **wanted, **({"prefix": prefix} if prefix else {})
            ),
        )
        output = answer.get("output")
        if not isinstance(output, dict) or "voice_list" not in output:
            raise ProtocolError("The answer holds no list of voices")
        # It is not documented how an empty list is written
        voices = output["voice_list"] or []
        if not isinstance(voices, list):
            raise ProtocolError("The answer holds no list of voices")
        return [found for voice in voices if (found := _cloned_voice(voice))]


def customization(action: str, **values: Any) -> dict[str, Any]:
    """Return the body of a request about custom voices."""
    return {"model": ENROLMENT, "input": {"action": action, **values}}


def _cloned_voice(row: Any) -> ClonedVoice | None:
    """Return the voice of a row, or None if the row names none."""
    if not isinstance(row, dict) or not (voice_id := _text(row.get("voice_id"))):
        return None
    return ClonedVoice(
        id=voice_id,
        model=CATALOGUE.model_of_clone(voice_id),
        status=(_text(row.get("status")) or READY).upper(),
        changed=_day(row.get("gmt_modified")) or _day(row.get("gmt_create")),
    )


def _day(value: object) -> date | None:
    """Return the day of a time such as ``2026-11-20 10:00:08``, which has no zone."""
    try:
        return datetime.fromisoformat(_text(value) or "").date()
    except ValueError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
