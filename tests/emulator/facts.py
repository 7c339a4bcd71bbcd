"""The points of the protocol in which an emulator can differ from its description.

The defaults are those of the description; ``differences`` names the other answers.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
import re
from typing import Any, Literal

from .audio import Shape

_HAN = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\U00030000-\U000323af]"
)
_KANA = re.compile("[\u3040-\u30ff]")
_BLANKS = re.compile(r"\s")
_WIDE_MARKS = re.compile("[\u3000-\u303f\uff00-\uff65]")


@dataclass(kw_only=True)
class Facts:
    """How the service behaves where that is not a setting of the emulator.

    Attributes:
        refusal_status: The answer to a wrong key at the handshake.
        refusal_is_page: True if that answer is HTML.
        any_key: True if a wrong key is refused by the first task only.
        any_region_key: True if keys of other regions are valid.
        socket_here: False if the host knows no WebSocket for speech.
        slash_path: True if the path may end in a slash.
        scheme_any_case: True if ``bearer`` may be written in small letters.
        needs_key: True if a request without any key is refused.
        unknown_path: The answer to an unknown path.
        http_key_code: The code with which HTTP refuses a wrong key.
        bad_text_code: The close code after a text frame that is no message.
        continue_needs_model: True if continue-task must repeat the model.
        needs_input: True if run-task needs an ``input``.
        hex_task_ids: True if a task's id must be 32 hexadecimal digits.
        knows_default_format: True if the SDK's format ``Default`` is taken.
        default_format: The format if none is asked for.
        default_rate: The sample rate in Hz if none is asked for.
        unknown_parameters: True if unknown parameters are ignored, False if refused.
        early_text: True if text may come before task-started was sent.
        unknown_task_fails: True if a message for an unknown task ends the connection.
        cancel: When a cancellation is answered: as described for the model, always or never.
        cancel_closes: True if the connection is closed after a cancelled task.
        cancel_drops: True if a cancellation drops audio that was not sent.
        sentence_events: The events that a sentence has.
        text_at: The events that have the sentence's text.
        first_index: The index of a task's first sentence.
        frames_per_event: Binary frames after each sentence-synthesis.
        finished_names_task: True if task-finished has the task's id.
        failed_code: True if task-failed has a code.
        joins_pieces: True if a sentence may come in several texts.
        usage_cumulative: True if each report counts from the beginning of the task.
        qwen_finish_usage: True if task-finished of Qwen-Audio repeats the usage.
        holds_last: True if the last sentence waits for finish-task though it is complete.
        speaks_early: True if complete sentences are spoken before finish-task.
        sentence_end: What ends a sentence, as a regular expression; empty for the usual.
        failed_closes: True if the connection is closed after task-failed.
        shape: The form of encoded audio; None for the model's usual form.
        header_per_sentence: True if each sentence is a file of its own.
        opus_refuses: Sample rates that Opus of CosyVoice does not take.
        qwen_opus_refuses: Those that Opus of Qwen-Audio does not take.
        idle_factor: What the time of an idle connection is multiplied by.
        gap_factor: What the time without text is multiplied by.
        pings_keep_open: True if a ping begins the time of an idle connection again.
        idle_code: The close code of an idle connection.
        idle_reason: The reason of that.
        opened_ahead_works: True if a connection may wait before its first task.
        reusable: True if a connection takes another task.
        reuse_same_only: True if such a task must have the same parameters.
        answers_pings: True if pings are answered.
        gap_counts_audio: True if the gap between texts counts while audio is sent.
        gap_code: The code of the error that follows.
        no_effect: Parameters that change nothing.
        ranges: Other ranges of parameters.
        clamps: True if a value out of range is taken as the nearest in range.
        instruction_limit: Units that an instruction may have.
        instructions_free: True if system voices take any instruction.
        instructions_fixed: True if they take the phrases that are listed for them.
        counts_instruction: True if the instruction is counted.
        counts_tags: True if the tags of Qwen-Audio are counted.
        plain_type_only: True if ``text_type`` must be ``PlainText``.
        han, kana, wide_mark, blank: Units that such a character counts.
        counts_markup: True if the elements of SSML are counted.
        ssml_texts: How many texts a task with markup takes; 0 for any number.
        ssml_plain: True if such a task takes plain text.
        ssml_breaks: True if breaks are heard.
        ssml_sub: True if the alias of ``sub`` is spoken, False for what it stands for.
        ssml_siblings: True if several ``speak`` elements may follow each other.
        qwen_markup: What becomes of markup for system voices of Qwen-Audio.
        words_per_second: The unit in which times of words are given.
        words_at: The event that has the words; empty for none.
        offers_tokens: True if there are temporary keys.
        longest_token: Seconds that they can last.
        tokens_open_sockets: True if a WebSocket can be opened with one.
        tokens_speak: True if what was opened with one takes tasks.
        lists_models: True if a list of voices names their models.
        longest_page: How many voices a page of a list may have.
        lists_pages: True if a list has no more voices than were asked for.
        clones_any_model: True if a cloned voice speaks with every model.
        upload_status: The answer to an upload.
        clone_ids: What a cloned voice's id begins with.
        deleted_voice: The code for a voice that was deleted.
        needs_speech: True if a short or silent recording is refused.
        oss_needs_header: True if an upload is found only by a request that asks for it.
        takes_data_uri: True if a recording may be part of the request.
        prefix_capitals: True if a voice's prefix may have capitals.
        update_redeploys: True if a changed voice is reviewed again.
        offers_http_speech: True if speech can be had over HTTP.
        offers_designs: True if voices can be designed.
        starts_by_model: True if each model counts its starts for itself.
        most_tasks: How many tasks may run beside each other; 0 for any number.
        throttling: The code of too many task starts.
        voice_error: What refuses a voice of CosyVoice: 418 or 411.
        qwen_voice_error: What refuses a voice of Qwen-Audio.
        closed_model: The code for a model that is closed to the account.
        unknown_model: The code for a model that does not exist.
        empty_fails: True if a task without speakable text fails.
        any_case_voices: True if ids of voices may be written in other case.
        tokens_per_second: Tokens of a second of audio.
        tokens_per_unit: Tokens of a unit of text, see ``billing``.
        models: What models have otherwise: id -> attribute of ``Model`` -> value.
        voices: What system voices have otherwise; None for no such voice.
    """

    refusal_status: int = 401
    refusal_is_page: bool = False
    any_key: bool = False
    any_region_key: bool = False
    socket_here: bool = True
    slash_path: bool = True
    scheme_any_case: bool = True
    needs_key: bool = True
    unknown_path: int = 404
    http_key_code: str = "InvalidApiKey"
    bad_text_code: int = 1007
    continue_needs_model: bool = False
    needs_input: bool = True
    hex_task_ids: bool = False
    knows_default_format: bool = True
    default_format: str = "mp3"
    default_rate: int = 22050
    unknown_parameters: bool = True
    early_text: bool = True
    unknown_task_fails: bool = True
    cancel: Literal["by_model", "always", "never"] = "by_model"
    cancel_closes: bool = False
    cancel_drops: bool = True
    sentence_events: Collection[str] = (
        "sentence-begin",
        "sentence-synthesis",
        "sentence-end",
    )
    text_at: Collection[str] = ("sentence-begin", "sentence-end")
    first_index: int = 0
    frames_per_event: int = 1
    finished_names_task: bool = True
    failed_code: bool = True
    joins_pieces: bool = True
    usage_cumulative: bool = True
    qwen_finish_usage: bool = True
    holds_last: bool = True
    speaks_early: bool = True
    sentence_end: str = ""
    failed_closes: bool = True
    shape: Shape | None = None
    header_per_sentence: bool = False
    opus_refuses: Collection[int] = ()
    qwen_opus_refuses: Collection[int] = (22_050, 44_100)
    idle_factor: float = 1.0
    gap_factor: float = 1.0
    pings_keep_open: bool = False
    idle_code: int = 1000
    idle_reason: str = "Bye"
    opened_ahead_works: bool = True
    reusable: bool = True
    reuse_same_only: bool = False
    answers_pings: bool = True
    gap_counts_audio: bool = False
    gap_code: str = "InvalidParameter"
    no_effect: Collection[str] = ()
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    clamps: bool = False
    instruction_limit: int = 100
    instructions_free: bool = False
    instructions_fixed: bool = True
    counts_instruction: bool = False
    counts_tags: bool = True
    plain_type_only: bool = False
    han: int = 2
    kana: int = 1
    wide_mark: int = 1
    blank: int = 1
    counts_markup: bool = False
    ssml_texts: int = 1
    ssml_plain: bool = True
    ssml_breaks: bool = True
    ssml_sub: bool = True
    ssml_siblings: bool = True
    qwen_markup: Literal["dropped", "refused", "spoken"] = "dropped"
    words_per_second: int = 1000
    words_at: str = "sentence-end"
    offers_tokens: bool = True
    longest_token: int = 1800
    tokens_open_sockets: bool = True
    tokens_speak: bool = True
    lists_models: bool = True
    longest_page: int = 1000
    lists_pages: bool = True
    clones_any_model: bool = False
    upload_status: int = 200
    clone_ids: str = "{model}-{prefix}"
    deleted_voice: str = "BadRequest.ResourceNotExist"
    needs_speech: bool = True
    oss_needs_header: bool = True
    takes_data_uri: bool = False
    prefix_capitals: bool = True
    update_redeploys: bool = True
    offers_http_speech: bool = True
    offers_designs: bool = True
    starts_by_model: bool = True
    most_tasks: int = 0
    throttling: str = "Throttling.RateQuota"
    voice_error: int = 418
    qwen_voice_error: int = 411
    closed_model: str = "AccessDenied"
    unknown_model: str = "ModelNotFound"
    empty_fails: bool = True
    any_case_voices: bool = False
    tokens_per_second: float = 12.5
    tokens_per_unit: int = 1
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    voices: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)

    def count(self, text: str) -> int:
        """Return the units that a text counts, for limits and bills."""
        return (
            len(text)
            + (self.han - 1) * len(_HAN.findall(text))
            + (self.kana - 1) * len(_KANA.findall(text))
            + (self.wide_mark - 1) * len(_WIDE_MARKS.findall(text))
            + (self.blank - 1) * len(_BLANKS.findall(text))
        )
