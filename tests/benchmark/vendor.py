"""The vendor's own SDK, in the three ways its documentation shows."""

from collections.abc import Callable
import threading
import time
from typing import Any

import dashscope
from dashscope.audio.tts_v2 import (
    AudioFormat,
    ResultCallback,
    SpeechSynthesizer,
    SpeechSynthesizerObjectPool,
)

from tests.demo.home import API_KEY

from .network import MODEL, VOICE

_PATH = "/api-ws/v1/inference"
_FORMATS = {
    "mp3": AudioFormat.MP3_24000HZ_MONO_256KBPS,
    "pcm": AudioFormat.PCM_24000HZ_MONO_16BIT,
}


def _websocket_url(url: str) -> str:
    dashscope.api_key = API_KEY
    return url.replace("http", "ws", 1) + _PATH


class VendorSpeaker:
    """Speaks in callback mode, on a new connection each time or on a pooled one."""

    def __init__(
        self,
        url: str,
        audio_format: str,
        on_audio: Callable[[bytes | None], Any],
        pool: SpeechSynthesizerObjectPool | None = None,
    ) -> None:
        """Prepare.

        Args:
            url: The service.
            audio_format: mp3 or pcm.
            on_audio: Is given the audio, then None, by another thread.
            pool: Connections to use.
        """
        self._url = _websocket_url(url)
        self._format = _FORMATS[audio_format]
        self._on_audio = on_audio
        self._pool = pool

    def speak(self, text: str) -> None:
        """Speak, and wait for the end.

        Raises:
            RuntimeError: The SDK reported an error.
        """
        callback = _Callback(self._on_audio)
        if self._pool is None:
            synthesizer = SpeechSynthesizer(
                MODEL, VOICE, self._format, callback=callback, url=self._url
            )
        else:
            synthesizer = self._pool.borrow_synthesizer(
                MODEL, VOICE, self._format, callback=callback
            )
        synthesizer.call(text)
        callback.ended.wait()
        # The SDK puts its task away, in another thread, after it has called back.
        while synthesizer._is_started:
            time.sleep(0.001)
        if self._pool is not None:
            self._pool.return_synthesizer(synthesizer)
        if callback.error is not None:
            raise RuntimeError(callback.error)


def call(url: str, text: str) -> bytes:
    """Return the whole audio, 16-bit samples at 24 kHz."""
    synthesizer = SpeechSynthesizer(
        MODEL, VOICE, _FORMATS["pcm"], url=_websocket_url(url)
    )
    audio: bytes = synthesizer.call(text)
    return audio


def object_pool(url: str) -> SpeechSynthesizerObjectPool:
    """Return a pool with one connection, which is open."""
    url = _websocket_url(url)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    return SpeechSynthesizerObjectPool(max_size=1, url=url, headers=headers)


class _Callback(ResultCallback):
    def __init__(self, on_audio: Callable[[bytes | None], Any]) -> None:
        self.ended = threading.Event()
        self.error: str | None = None
        self._on_audio = on_audio

    def on_data(self, data: bytes) -> None:
        self._on_audio(data)

    def on_error(self, message: Any) -> None:
        self.error = str(message)
        self._end()

    def on_complete(self) -> None:
        self._end()

    def _end(self) -> None:
        self._on_audio(None)
        self.ended.set()
