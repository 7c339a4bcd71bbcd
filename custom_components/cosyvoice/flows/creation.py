"""Custom voices that are created in a dialog: the base of clones and designs."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Final

import voluptuous as vol

from homeassistant.const import CONF_API_KEY, CONF_NAME, CONF_REGION
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import SelectSelector

from ..client import (
    CATALOGUE,
    READY,
    UNCERTAIN,
    ClonedVoice,
    CosyVoiceError,
    EnrolmentApi,
    Model,
    RecordingError,
    RequestError,
    UploadError,
    VoiceError,
    new_prefix,
)
from ..const import CONF_MODEL, CONF_VOICE, DOMAIN, LOGGER
from ..coordinator import CosyVoiceConfigEntry, CosyVoiceData, VoicesCoordinator
from ..errors import async_explain, handling_of
from ..settings import DEFAULT_SETTINGS
from ..voices.names import Words
from .account import PLAN_KEY
from .fields import dropdown
from .listen import Sample

USUAL_SHARE: Final = 0.2
"""Share of the longest wait for a new voice after which most are ready."""
SHORTEST_STAGE: Final = 1.0
"""Seconds for which a stage is shown at least."""

LONGEST_NAME: Final = 100
"""Characters of a name that are kept. It is an option of the select ``voice``, whose
state Home Assistant limits to 255 characters, the voice's id included."""

type Stage = Callable[[], Awaitable[None]]


class Creation(ABC):
    """A voice that is being created, over all the steps of one flow.

    It is created in stages, each a task. What has been sent to the service is
    completed even if the flow ends: the voice is in the list of voices then.

    Attributes:
        step: The step with the form.
        menu: The options of the step ``listen``.
        shown: The values to show in the form.
        errors: The translation key of an error by field.
        placeholders: The placeholders of the form and of the errors.
        action: The stage under way.
        task: The task of that stage.
        voice: The voice once it exists.
        ready: Whether it can speak.
        sample: What the service returned to listen to.
        on_progress: Is called with the share of a stage that is done, 0 to 1.
    """

    step: ClassVar[str]
    menu: ClassVar[list[str]]

    def __init__(
        self, hass: HomeAssistant, entry: CosyVoiceConfigEntry, words: Words
    ) -> None:
        """Begin with an empty form."""
        self.shown: dict[str, Any] = {}
        self.errors: dict[str, str] = {}
        self.placeholders: dict[str, str] = {}
        self.action = ""
        self.task: asyncio.Task[None] | None = None
        self.voice: ClonedVoice | None = None
        self.ready = False
        self.sample: Sample | None = None
        self.on_progress: Callable[[float], None] = lambda _: None
        self._hass = hass
        self._entry = entry
        self._last_runtime = entry.runtime_data
        self._region: str = entry.data[CONF_REGION]
        self._words = words
        self._stages: list[tuple[str, Stage]] = []
        self._wanted: tuple[Any, ...] = ()
        self._prefix = ""
        self._uncertain = False
        self._closed = False

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the voice that was created."""
        voice = self.voice.id if self.voice else None
        return DEFAULT_SETTINGS | {CONF_VOICE: voice}

    @property
    def name(self) -> str:
        """The name that the form gives the voice, on one line."""
        words = str(self.shown.get(CONF_NAME, "")).split()
        return " ".join(words)[:LONGEST_NAME].strip()

    @abstractmethod
    def schema(self) -> vol.Schema:
        """Return the fields of the form."""

    @abstractmethod
    def submit(self, user_input: Mapping[str, Any]) -> bool:
        """Take over a filled-in form, and return whether the voice can be created."""

    @abstractmethod
    def start(self) -> None:
        """Start the first stage of creating what the form describes."""

    def advance(self) -> bool:
        """Start the next stage, or return False if there is none or one failed."""
        stopped = self.task is not None and self.task.cancelled()
        if stopped or self.errors or not self._stages:
            self.task = None
            return False
        self.action, stage = self._stages.pop(0)
        self.task = self._hass.async_create_background_task(
            self._run(stage), f"{DOMAIN} {self.action} a voice", eager_start=False
        )
        return True

    def look_again(self) -> None:
        """Start waiting for a voice that was not ready in time."""
        self._start(("preparing", self._wait))

    async def async_discard(self) -> None:
        """Delete the voice at the service.

        Raises:
            CosyVoiceError: The service did not delete it.
        """
        voice, self.voice, self.ready = self.voice, None, False
        self._drop_sample()
        if voice:
            await self._voices.async_delete(voice.id)

    @callback
    def close(self) -> None:
        """Act on the end of the flow: give up the sample."""
        self._closed = True
        self._drop_sample()

    @abstractmethod
    async def _async_create(self) -> str:
        """Create the voice under the prefix, and return its id."""

    async def _async_created(self) -> None:
        """Act on the voice that has just been created: wait until it is ready."""
        await self._wait()

    @property
    def _runtime(self) -> CosyVoiceData:
        """The account's run-time data, the last ones while it is not loaded."""
        current = getattr(self._entry, "runtime_data", self._last_runtime)
        self._last_runtime = current
        return self._last_runtime

    @property
    def _voices(self) -> VoicesCoordinator:
        return self._runtime.voices

    @property
    def _enrolment(self) -> EnrolmentApi:
        return self._runtime.client.enrolment

    def _drop_sample(self) -> None:
        if self.sample:
            self.sample.close()
        self.sample = None

    def _start(self, *stages: tuple[str, Stage]) -> None:
        self._stages = [*stages]
        self.advance()

    def _identify(self, *wanted: Any) -> None:
        """Choose the prefix, the same if the same voice may exist already."""
        if not self._uncertain or wanted != self._wanted:
            self._prefix, self._uncertain = new_prefix(), False
        self._wanted = wanted

    async def _run(self, stage: Stage) -> None:
        loop = self._hass.loop
        begun = loop.time()
        try:
            await stage()
        except CosyVoiceError as err:
            await self._explain(err)
        except Exception:  # noqa: BLE001 - shown at the form and logged
            LOGGER.exception("Unexpected error while creating a voice")
            self.errors["base"] = "unknown"
            self.placeholders["reason"] = await async_explain(self._hass, None)
        # The dialog waits forever if a stage ends before it listens for the end
        await asyncio.sleep(begun + SHORTEST_STAGE - loop.time())

    async def _make(self) -> None:
        """Create the voice, also if nobody waits for it any longer."""
        failure = await asyncio.shield(
            self._hass.async_create_background_task(
                self._async_make(), f"{DOMAIN} creation of a voice"
            )
        )
        if failure:
            raise failure

    async def _async_make(self) -> CosyVoiceError | None:
        """Create the voice, and return why it was not created."""
        failure: CosyVoiceError | None = None
        name, model = self.name, self.shown[CONF_MODEL]
        self._voices.async_set_name(self._prefix, name)
        try:
            found: tuple[str, ...] = ()
            if self._uncertain:
                found = await self._enrolment.find(self._prefix)
            voice_id = found[0] if found else await self._async_create()
            self._uncertain = False
            self.voice = ClonedVoice(id=voice_id, model=model, status=READY, name=name)
            await self._async_created()
        except CosyVoiceError as err:
            failure = err
            LOGGER.debug("A voice was not created: %s", err)
            # It may appear later, and then needs its name
            self._uncertain = isinstance(err, UNCERTAIN) and self.voice is None
            if not self._uncertain:
                self._voices.async_set_name(self._prefix, None)
        await self._voices.async_refresh()
        return failure

    async def _wait(self) -> None:
        """Wait until the voice is ready, for a limited time.

        Raises:
            VoiceError: It was not approved, and no longer exists.
        """
        if not (voice := self.voice):
            return
        try:
            self.ready = await self._enrolment.wait_until_ready(
                voice.id, lambda share: self.on_progress(min(1, share / USUAL_SHARE))
            )
        except VoiceError:
            self.voice = None
            raise
        except CosyVoiceError as err:
            LOGGER.debug("Whether a new voice is ready is not known: %s", err)

    async def _explain(self, error: CosyVoiceError) -> None:
        """Fill in the error of the form."""
        key = handling_of(error).form
        if isinstance(error, RequestError) and key == "cannot_connect":
            key = "voice_refused"
        is_recording = isinstance(error, RecordingError | UploadError)
        self.errors["recording" if is_recording else "base"] = key
        self.placeholders["reason"] = await async_explain(self._hass, error)

    def _model_selector(self, models: list[Model]) -> SelectSelector:
        return dropdown(
            {model.id: self._words.of_model(model, self._region) for model in models}
        )


def creatable(entry: CosyVoiceConfigEntry) -> list[str]:
    """Return which of ``clone`` and ``design`` an account can do."""
    if entry.data[CONF_API_KEY].startswith(PLAN_KEY):
        return []
    region = entry.data[CONF_REGION]
    offered = {"clone": clone_models(region), "design": design_models(region)}
    return [step for step, models in offered.items() if models]


def clone_models(region: str) -> list[Model]:
    """Return the models for which voices can be cloned, the recommended one first."""
    return [model for model in CATALOGUE.models_in(region) if region in model.clones_in]


def design_models(region: str) -> list[Model]:
    """Return the models for which voices can be designed, the recommended first."""
    return [
        model for model in CATALOGUE.models_in(region) if region in model.designs_in
    ]
