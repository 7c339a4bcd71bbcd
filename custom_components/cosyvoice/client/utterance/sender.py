"""Send the text of an utterance to one task."""

import asyncio
import logging

from ..counting import count_characters
from ..errors import CosyVoiceError
from ..timing import Timing
from ..wire.connection import Connection
from .flushing import Flushing
from .progress import TaskProgress
from .report import UtteranceReport
from .source import Part, TextSource
from .watch import Watch

_LOGGER = logging.getLogger(__name__)

TASK_CHARACTERS = 190_000
"""Characters given to one task; the service allows 200,000 (Model Studio, CosyVoice
WebSocket API)."""


class Sender:
    """Sends text when it is ready and ends the task.

    The service waits with the last sentence until another one or the end of the text
    follows. While the text pauses, a flush makes the service speak that sentence. If
    flushes do not work, the task is finished, and later text needs another task.

    Attributes:
        flushed: True from a flush until its first audio or the next text.
    """

    def __init__(
        self,
        connection: Connection,
        source: TextSource,
        progress: TaskProgress,
        watch: Watch,
        timing: Timing,
        flushing: Flushing | None,
        report: UtteranceReport,
    ) -> None:
        """Prepare without sending.

        Args:
            connection: Connection that runs the task.
            source: Text to send.
            progress: Records the sent text.
            watch: Limits the wait for answers.
            timing: Time limits.
            flushing: Results of earlier flushes, or None to avoid flushing.
            report: Counts the sent characters.
        """
        self.flushed = False
        self._connection = connection
        self._source = source
        self._progress = progress
        self._watch = watch
        self._timing = timing
        self._flushing = flushing
        self._report = report

    async def run(self) -> None:
        """Send text until the task reaches a limit and finish the task."""
        connection = self._connection
        try:
            await self._source.ready()
            while self._fits():
                part = self._source.pop()
                self._report.sent += self._progress.add(part)
                self.flushed = False
                self._watch.restart()
                await connection.send_text(part.text)
                if not await self._text_follows(part):
                    break
            await connection.finish()
            self._watch.restart()
        except CosyVoiceError as err:
            _LOGGER.debug(
                "%s: task %s takes no more text: %r",
                connection.name,
                connection.task_id,
                err,
            )

    def _fits(self) -> bool:
        """Return True if there is text that the task has room for."""
        if not self._source.waiting:
            return False
        size = self._progress.size + count_characters(self._source.peek())
        return not self._progress.sent or size <= TASK_CHARACTERS

    async def _text_follows(self, part: Part) -> bool:
        """Wait for text and return False if the task is to be finished before."""
        timing, flushing = self._timing, self._flushing
        model = self._report.model
        began = asyncio.get_running_loop().time()
        if await self._ready_by(began + self._flush_after(part)):
            return True
        if self._is_spoken():
            return await self._ready_by(began + timing.pause)
        if flushing is None or not flushing.works(model):
            return await self._ready_by(began + timing.text_pause)
        return await self._flush(flushing, began + timing.pause)

    async def _flush(self, flushing: Flushing, until: float) -> bool:
        """Flush the task and wait for text as :meth:`_text_follows` does."""
        model, patience = self._report.model, self._timing.flush_patience
        self.flushed = True
        self._watch.restart()
        _LOGGER.debug("%s: flush", self._connection.name)
        await self._connection.flush()
        loop = asyncio.get_running_loop()
        while (now := loop.time()) < until:
            patient_until = self._watch.last + patience
            if self._is_spoken():
                patient_until = until
            elif now >= patient_until:
                flushing.ignored(model)
                return False
            if await self._ready_by(min(patient_until, until)):
                if self._is_spoken():
                    flushing.worked(model)
                return True
        return False

    def _is_spoken(self) -> bool:
        return not self._progress.is_pending

    def _flush_after(self, part: Part) -> float:
        """Return the seconds without text after which a part is flushed."""
        if not part.ends_sentence:
            return 0.0
        timing = self._timing
        return timing.flush_after if self._progress.heard else timing.first_flush_after

    async def _ready_by(self, until: float) -> bool:
        """Wait for text or its end and return False if neither comes in time."""
        try:
            async with asyncio.timeout_at(until):
                await self._source.ready()
        except TimeoutError:
            return False
        return True
