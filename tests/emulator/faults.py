"""What can go wrong, where, and whether trying again would help.

One line of a test scripts a fault: ``emulator.script("hang@cancel")``. A spec is
``KIND@POINT[,NAME=VALUE]...``; ``Fault(FaultKind.HANG, Point.CANCEL)`` means the same.

======================  ===========================================================
step                    point
======================  ===========================================================
connecting              ``accept`` (``reset`` and ``drop`` refuse, ``hang`` never
                        reads); ``Emulator.stop_listening`` refuses all
upgrade                 ``handshake``
run-task                ``before_started``, ``started``
first audio             ``before_audio``
in mid-sentence         ``mid_sentence``
sentence-end            ``sentence_end``, ``between_sentences``
flush                   ``flush``
finish-task             ``before_finished``
cancel                  ``cancel``
no task                 ``idle``
close frame             ``close``
HTTP                    ``http``, and ``answer`` once it was carried out
                        (``request=NAME`` for one kind of request)
======================  ===========================================================

A refusal is ``http_…``; an error is ``internal_error`` and the like; a slow answer is
``slow,seconds=2``; silence is ``hang``; a connection that is cut is ``reset``, ``drop``
or ``close``; ``freeze,seconds=2`` stops the network, then all comes that was due.

It happens once, ``times=3`` or ``times=always``; ``connection=2`` and ``task=2`` aim it,
``on=fresh``, ``on=opened_ahead``, ``on=idle`` and ``on=prestarted`` choose by what the
connection was before. The names of HTTP requests are ``tokens``, ``policy``, ``upload``,
``create_voice``, ``list_voice``, ``query_voice``, ``update_voice``, ``delete_voice`` and
``synthesis``; ``error@http,request=create_voice,code=Audio.PreprocessError`` answers with
any code of the service. Without a script,
``Emulator.cut`` and ``Emulator.freeze`` strike now.
"""

from enum import StrEnum


class GoneError(Exception):
    """A fault has ended the connection, or the task at hand."""


class Nature(StrEnum):
    """What a client should make of a fault."""

    TRANSIENT = "transient"
    """The attempt is lost; another one on a new connection may succeed."""
    PERMANENT = "permanent"
    """The same request will fail again."""
    HARMLESS = "harmless"
    """Odd, but all audio comes and the task finishes."""


class Point(StrEnum):
    """The moment at which a fault happens."""

    HTTP = "http"
    """A request to the HTTP interface (temporary keys, cloned voices)."""
    ANSWER = "answer"
    """A request to the HTTP interface was carried out; its answer is due."""
    ACCEPT = "accept"
    """A TCP connection comes in, for a WebSocket or for HTTP."""
    HANDSHAKE = "handshake"
    """The WebSocket upgrade request."""
    BEFORE_STARTED = "before_started"
    """run-task was received; task-started is due."""
    STARTED = "started"
    """task-started was sent; text may come."""
    BEFORE_AUDIO = "before_audio"
    """A sentence has begun; its first audio is due."""
    MID_SENTENCE = "mid_sentence"
    """About half of a sentence's audio was sent."""
    SENTENCE_END = "sentence_end"
    """All audio of a sentence was sent; its sentence-end is due."""
    BETWEEN_SENTENCES = "between_sentences"
    """A sentence has ended; the next one is due."""
    FLUSH = "flush"
    """A flush was received, and all before it was spoken."""
    BEFORE_FINISHED = "before_finished"
    """All audio was sent; task-finished is due."""
    CANCEL = "cancel"
    """A cancellation was received; task-finished is due."""
    IDLE = "idle"
    """task-finished was sent and no other task has begun."""
    CLOSE = "close"
    """The client has sent a close frame; the answer to it is due."""


TASK_POINTS = frozenset(
    {
        Point.BEFORE_STARTED,
        Point.STARTED,
        Point.BEFORE_AUDIO,
        Point.MID_SENTENCE,
        Point.SENTENCE_END,
        Point.BETWEEN_SENTENCES,
        Point.FLUSH,
        Point.BEFORE_FINISHED,
        Point.CANCEL,
    }
)
_AUDIO_POINTS = frozenset({Point.BEFORE_AUDIO, Point.MID_SENTENCE})
_SOCKET_POINTS = TASK_POINTS | {Point.IDLE}
_HTTP_POINTS = frozenset({Point.HTTP, Point.ANSWER})
_REFUSAL_POINTS = _HTTP_POINTS | {Point.HANDSHAKE}
# Steps below or beside the events of a task.
_OTHER_POINTS = _REFUSAL_POINTS | {Point.ACCEPT, Point.CLOSE}
# Whether a task has waited for its first text is not known before that text.
BEFORE_TEXT = frozenset({Point.BEFORE_STARTED, Point.STARTED})
_ASKED_FOR = frozenset({Point.ANSWER, Point.FLUSH, Point.CANCEL, Point.CLOSE})


class FaultKind(StrEnum):
    """A fault. ``nature`` gives its meaning, ``points`` its possible moments."""

    RESET = "reset"
    """The TCP connection is reset."""
    CLOSE = "close"
    """A WebSocket close frame; at the handshake right after the upgrade."""
    DROP = "drop"
    """The TCP connection is closed without a close frame."""
    HANG = "hang"
    """The service sends nothing more and answers no ping."""
    HTTP_400 = "http_400"
    HTTP_401 = "http_401"
    HTTP_403 = "http_403"
    HTTP_404 = "http_404"
    HTTP_429 = "http_429"
    HTTP_500 = "http_500"
    HTTP_503 = "http_503"
    THROTTLED = "throttled"
    """task-failed: too many requests."""
    INTERNAL_ERROR = "internal_error"
    """task-failed: the service's own failure."""
    ARREARS = "arrears"
    """task-failed: the account is in arrears."""
    FREE_QUOTA = "free_quota"
    """task-failed: the free quota is used up."""
    ACCESS_DENIED = "access_denied"
    """task-failed: the model is not activated for this account."""
    INVALID_PARAMETER = "invalid_parameter"
    """task-failed: a parameter is refused."""
    VOICE_418 = "voice_418"
    """task-failed: the voice does not fit the model or is not ready."""
    CONTENT = "content"
    """task-failed: the content inspection refused the text."""
    MODEL_NOT_FOUND = "model_not_found"
    """task-failed: there is no such model."""
    GARBAGE_TEXT = "garbage_text"
    """An additional text frame that is not JSON."""
    GARBAGE_JSON = "garbage_json"
    """An additional text frame whose JSON has the wrong shape."""
    TEXT_FOR_BINARY = "text_for_binary"
    """A piece of audio comes as a text frame: it is lost."""
    OVERSIZED_FRAME = "oversized_frame"
    """A binary frame of 16 MiB."""
    BAD_FRAME = "bad_frame"
    """Bytes that are no WebSocket frame."""
    EARLY_FINISH = "early_finish"
    """task-finished though the rest of the text was not spoken."""
    UNKNOWN_EVENT = "unknown_event"
    """An additional event of an unknown name."""
    WRONG_TASK_ID = "wrong_task_id"
    """Additional events, a task-finished among them, of another task."""
    FINISH_WITHOUT_USAGE = "finish_without_usage"
    """task-finished comes without the usage."""
    MISSING_FIELDS = "missing_fields"
    """The next event comes without attributes and with an empty payload."""
    DUPLICATE_EVENT = "duplicate_event"
    """The next event comes twice."""
    SLOW = "slow"
    """The service pauses for the fault's ``seconds``."""
    FREEZE = "freeze"
    """The network carries nothing for the fault's ``seconds``, then all that was due."""

    @property
    def nature(self) -> Nature:
        """What a client should make of it."""
        if self in _PERMANENT:
            return Nature.PERMANENT
        return Nature.HARMLESS if self in _HARMLESS else Nature.TRANSIENT

    @property
    def points(self) -> frozenset[Point]:
        """The moments at which this fault can happen."""
        return _POINTS.get(self, TASK_POINTS)

    @property
    def unasked_points(self) -> frozenset[Point]:
        """Those of its moments that come without a flush, a cancel or a close."""
        return self.points - _ASKED_FOR

    @property
    def http_status(self) -> int | None:
        """The status with which a request is refused, for the ``HTTP_…`` kinds."""
        name, _, status = self.partition("_")
        return int(status) if name == "http" else None


class Oddity(StrEnum):
    """A failure that the service was seen to make now and then, for no reason known.

    Each is gone with the next connection. They are apart from the faults that are
    tried at every point.
    """

    VOICE_411 = "voice_411"
    """task-failed: the voice does not fit the model, which it does."""
    VOICE_418 = "sporadic_418"
    """The same in other words."""
    URL_ERROR = "url_error"
    """task-failed: the service has not understood itself."""
    INVALID_ACTION = "invalid_action"
    """task-failed: the service believes that a task still runs on this connection."""
    PROXY_403 = "proxy_403"
    """A proxy refuses the upgrade, with a page."""
    PROXY_426 = "proxy_426"
    """A proxy wants another protocol."""
    PROXY_407 = "proxy_407"
    """A proxy wants a password."""
    PROXY_502 = "proxy_502"
    """A proxy does not reach the service."""
    PROXY_200 = "proxy_200"
    """A captive portal shows its page."""
    REDIRECT = "redirect"
    """A request is sent elsewhere: ``Emulator.astray`` counts those that follow."""
    ERROR = "error"
    """The fault's ``code``: of a task-failed event or of an HTTP answer."""

    @property
    def nature(self) -> Nature:
        """What a client should make of it."""
        lasting = {*_PROXY, Oddity.REDIRECT, Oddity.ERROR}
        return Nature.PERMANENT if self in lasting else Nature.TRANSIENT

    @property
    def points(self) -> frozenset[Point]:
        """The moments at which this can happen."""
        if self in _PROXY:
            return _REFUSAL_POINTS
        if self is Oddity.REDIRECT:
            return frozenset({Point.HTTP})
        if self is Oddity.ERROR:
            return TASK_POINTS | {Point.HTTP}
        if self is Oddity.INVALID_ACTION:
            return frozenset({Point.BEFORE_STARTED})
        return frozenset({Point.BEFORE_STARTED, Point.STARTED, Point.BEFORE_AUDIO})

    @property
    def http_status(self) -> int | None:
        """The status with which a proxy refuses a request."""
        name, _, status = self.partition("_")
        return int(status) if name == "proxy" else None


_PROXY = tuple(kind for kind in Oddity if kind.startswith("proxy_"))
_PERMANENT = frozenset(
    {
        FaultKind.HTTP_400,
        FaultKind.HTTP_401,
        FaultKind.HTTP_403,
        FaultKind.HTTP_404,
        FaultKind.ARREARS,
        FaultKind.FREE_QUOTA,
        FaultKind.ACCESS_DENIED,
        FaultKind.INVALID_PARAMETER,
        FaultKind.VOICE_418,
        FaultKind.CONTENT,
        FaultKind.MODEL_NOT_FOUND,
    }
)
_HARMLESS = frozenset(
    {
        FaultKind.UNKNOWN_EVENT,
        FaultKind.WRONG_TASK_ID,
        FaultKind.FINISH_WITHOUT_USAGE,
        FaultKind.MISSING_FIELDS,
        FaultKind.DUPLICATE_EVENT,
        FaultKind.SLOW,
        FaultKind.FREEZE,
    }
)
_POINTS = {
    **dict.fromkeys(
        (FaultKind.RESET, FaultKind.DROP, FaultKind.HANG, FaultKind.FREEZE),
        _SOCKET_POINTS | _OTHER_POINTS,
    ),
    FaultKind.SLOW: TASK_POINTS | _OTHER_POINTS,
    FaultKind.CLOSE: _SOCKET_POINTS | {Point.HANDSHAKE},
    **{kind: _REFUSAL_POINTS for kind in FaultKind if kind.startswith("http_")},
    FaultKind.GARBAGE_TEXT: _SOCKET_POINTS | _HTTP_POINTS,
    FaultKind.GARBAGE_JSON: _SOCKET_POINTS | _HTTP_POINTS,
    FaultKind.UNKNOWN_EVENT: _SOCKET_POINTS,
    FaultKind.WRONG_TASK_ID: _SOCKET_POINTS,
    FaultKind.OVERSIZED_FRAME: _SOCKET_POINTS,
    FaultKind.BAD_FRAME: _SOCKET_POINTS,
    FaultKind.TEXT_FOR_BINARY: _AUDIO_POINTS,
    FaultKind.EARLY_FINISH: _AUDIO_POINTS
    | {Point.SENTENCE_END, Point.BETWEEN_SENTENCES},
    FaultKind.FINISH_WITHOUT_USAGE: frozenset({Point.BEFORE_FINISHED}),
}


TASK_ERRORS: dict[str, tuple[str, str]] = {
    FaultKind.THROTTLED: (
        "Throttling.RateQuota",
        "Requests rate limit exceeded, please try again later.",
    ),
    FaultKind.INTERNAL_ERROR: ("InternalError", "Inference internal error."),
    FaultKind.ARREARS: (
        "Arrearage",
        "Access denied, please make sure your account is in good standing.",
    ),
    FaultKind.FREE_QUOTA: (
        "AllocationQuota.FreeTierOnly",
        (
            "The free tier of the model has been exhausted. If you wish to continue"
            " access the model on a paid basis, please disable the use free tier only"
            " mode in the management console."
        ),
    ),
    FaultKind.ACCESS_DENIED: ("Model.AccessDenied", "Model access denied."),
    FaultKind.INVALID_PARAMETER: ("InvalidParameter", "Parameter invalid."),
    FaultKind.VOICE_418: (
        "InvalidParameter",
        "[cosyvoice:]Engine return error code: 418",
    ),
    FaultKind.CONTENT: (
        "DataInspectionFailed",
        "Input or output data may contain inappropriate content.",
    ),
    FaultKind.MODEL_NOT_FOUND: ("ModelNotFound", "Model not found"),
    Oddity.VOICE_411: (
        "InvalidParameter",
        "[cosyvoice:]Engine error [411]: TTS speak operation failed",
    ),
    Oddity.VOICE_418: ("InvalidParameter", "[tts:]Engine return error code: 418"),
    Oddity.URL_ERROR: ("InvalidParameter", "url error, please check url！"),
    Oddity.INVALID_ACTION: (
        "InvalidParameter",
        "Invalid action('run-task')! Please follow the protocol!",
    ),
}
"""The service's error code and message for each fault that is a task-failed event."""
