"""Speech over HTTP: a whole text comes in, a file or a stream of events goes out."""

import asyncio
import base64
from collections.abc import AsyncIterator
import json
import time
from typing import TYPE_CHECKING, Any
import uuid

from aiohttp import web

from . import tags
from .audio import Encoder
from .billing import input_tokens, output_tokens
from .catalogue import Model
from .errors import ServiceError, invalid
from .faults import TASK_ERRORS, FaultKind
from .records import SentenceRecord, TaskRecord, TextPiece
from .rules import Speaker, check_model
from .text import (
    Passage,
    Segmenter,
    count_characters,
    drop_markup,
    is_speakable,
    is_ssml,
    parse_ssml,
)

if TYPE_CHECKING:
    from .server import Emulator

AUDIO_PATH = "/_audio/"
_URL_SECONDS = 24 * 3600


class Synthesis:
    """The HTTP side of speech.

    Attributes:
        files: What was spoken, by the last part of its address.
    """

    def __init__(self, emulator: Emulator) -> None:
        """Work for an emulator."""
        self._emulator = emulator
        self.files: dict[str, bytes] = {}

    async def speak(self, request: web.Request) -> web.StreamResponse:
        """Answer a request with the address of a file, or with events."""
        stream = request.headers.get("X-DashScope-SSE") == "enable"
        request_id = str(uuid.uuid4())
        try:
            task, model, speaker = self._start(await request.text())
            passages = _passages(task.text, speaker)
        except ServiceError as error:
            if not stream:
                raise
            return _refused_stream(error, request_id)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        if stream:
            await response.prepare(request)
        audio = bytearray()
        events = 0
        async for output in self._outputs(task, model, speaker, passages, audio):
            events += 1
            if stream:
                await _send(response, events, output, task, model, request_id)
        task.outcome, task.audio_bytes = "finished", len(audio)
        task.ended = asyncio.get_running_loop().time()
        output = self._file(request, bytes(audio), speaker.format)
        if stream:
            await _send(response, events + 1, output, task, model, request_id)
            return response
        usage = task.usage(model.unit)
        return web.json_response(
            {"request_id": request_id, "output": output, "usage": usage}
        )

    async def _outputs(
        self,
        task: TaskRecord,
        model: Model,
        speaker: Speaker,
        passages: list[Passage],
        audio: bytearray,
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the outputs of all sentences, adding up their audio."""
        encoder = Encoder(
            speaker.format,
            speaker.sample_rate,
            speaker.bit_rate,
            speaker.mp3_bit_rate,
            self._emulator.config.facts.shape or model.shape,
        )
        for index, passage in enumerate(passages):
            spoken = await self._emulator.studio.speak(
                passage, speaker, encoder, final=index == len(passages) - 1
            )
            _note(task, model, passage, spoken.seconds)
            common = {
                "sentence": {"index": index, "words": []},
                "finish_reason": "null",
            }
            yield {"type": "sentence-begin", **common}
            for chunk in spoken.chunks:
                audio += chunk
                data = base64.b64encode(chunk).decode()
                yield {"type": "sentence-synthesis", **common, "audio": {"data": data}}
            yield {"type": "sentence-end", **common}

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file that was spoken."""
        audio = self.files.get(request.path.removeprefix(AUDIO_PATH))
        return web.Response(status=404) if audio is None else web.Response(body=audio)

    def _start(self, body: str) -> tuple[TaskRecord, Model, Speaker]:
        emulator = self._emulator
        try:
            values = json.loads(body)
            parameters = dict(values["input"])
        except (ValueError, KeyError, TypeError) as error:
            raise invalid("Required parameter(s) missing or invalid.") from error
        text = parameters.pop("text", None)
        task = TaskRecord(
            len(emulator.tasks) + 1,
            0,
            "",
            str(values.get("model")),
            parameters,
            asyncio.get_running_loop().time(),
            pieces=[TextPiece(asyncio.get_running_loop().time(), str(text))],
            outcome="failed",
        )
        emulator.tasks.append(task)
        try:
            model = self._model(values.get("model"), task.started)
            speaker = self._speaker(model, parameters, text)
        except ServiceError as error:
            task.error_code, task.error_message = error.code, error.message
            raise
        return task, model, speaker

    def _model(self, name: object, arrived: float) -> Model:
        emulator = self._emulator
        model = check_model(name, emulator.config)
        here = model.is_qwen or emulator.config.region == "cn-beijing"
        offered = here and emulator.config.facts.offers_http_speech
        if not offered or model.id == "cosyvoice-v1":
            raise invalid("url error, please check url!")
        if not emulator.take_start(model.id, arrived):
            raise ServiceError(*TASK_ERRORS[FaultKind.THROTTLED])
        return model

    def _speaker(
        self, model: Model, parameters: dict[str, Any], text: object
    ) -> Speaker:
        config = self._emulator.config
        payload = {
            "task_group": "audio",
            "task": "tts",
            "function": "SpeechSynthesizer",
            "model": model.id,
            "parameters": parameters,
            "input": {},
        }
        speaker = self._emulator.speaker(payload)
        if not isinstance(text, str) or not is_speakable(text):
            raise invalid("Please ensure input text is valid.")
        if config.facts.count(text) > config.message_limit:
            limit = config.message_limit
            raise invalid(f"Text request length limit violated, expected {limit}.")
        return speaker

    def _file(self, request: web.Request, audio: bytes, kind: str) -> dict[str, Any]:
        name = f"{uuid.uuid4().hex}.{kind}"
        self.files[name] = audio
        facts = {
            "data": "",
            "url": f"http://{request.host}{AUDIO_PATH}{name}",
            "id": f"audio_{uuid.uuid4()}",
            "expires_at": int(time.time()) + _URL_SECONDS,
        }
        return {"finish_reason": "stop", "audio": facts}


def _passages(text: str, speaker: Speaker) -> list[Passage]:
    if speaker.markup == "dropped" and not speaker.knows_ssml:
        text = drop_markup(text)
    elif speaker.ssml and is_ssml(text):
        try:
            return [p for p in parse_ssml(text) if is_speakable(p.text)]
        except ValueError as error:
            raise invalid(f"SSML text is invalid: {error}") from error
    if speaker.tags:
        text = tags.mark(text)
    segmenter = Segmenter()
    return [Passage(s) for s in (*segmenter.push(text), *segmenter.flush())]


def _refused_stream(error: ServiceError, request_id: str) -> web.Response:
    """Return a refusal as an event, in an answer whose status is 200."""
    body = {"code": error.code, "message": error.message, "request_id": request_id}
    status, data = error.status, json.dumps(body)
    text = f"id:1\nevent:error\n:HTTP_STATUS/{status}\ndata:{data}\n\n"
    return web.Response(text=text, content_type="text/event-stream")


def _note(task: TaskRecord, model: Model, passage: Passage, seconds: float) -> None:
    """Keep a sentence that was spoken, and bill it."""
    text = tags.written(passage.text)
    sentence = SentenceRecord(
        len(task.sentences),
        text,
        count_characters(text),
        seconds,
        tags.spoken(passage.text),
        complete=True,
    )
    task.sentences.append(sentence)
    task.audio_seconds += seconds
    if model.unit == "characters":
        task.characters += sentence.characters
    else:
        task.input_tokens = input_tokens("".join(s.text for s in task.sentences))
        task.output_tokens = output_tokens(task.audio_seconds)


async def _send(
    response: web.StreamResponse,
    number: int,
    output: dict[str, Any],
    task: TaskRecord,
    model: Model,
    request_id: str,
) -> None:
    body = {"output": output, "usage": task.usage(model.unit), "request_id": request_id}
    text = json.dumps(body, ensure_ascii=False)
    event = f"id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:{text}\n\n"
    await response.write(event.encode())
