"""Cloned voices: the upload, the voice, its state; designed ones."""

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
import re
from typing import Any
import uuid

import aiohttp

from ...emulator.recordings import speech, wav
from ..probe import (
    BEIJING,
    MODEL,
    PLUS,
    SINGAPORE,
    DiffersError,
    RefusedError,
    UntoldError,
    characters,
    expect,
    probe,
)
from ..service import Service
from ..talk import refusal, speak

_API = "client/account.py"
_EMULATOR = "tests/emulator"
_HOST = r"https://dashscope-file-[a-z0-9-]+\.oss-[a-z0-9-]+\.aliyuncs\.com/?"
_PITCH, _SECONDS = 120, 12.0
_UPLOADING = 120.0
"""Seconds that an upload from another continent may take."""
_FORM = {
    "OSSAccessKeyId": "oss_access_key_id",
    "Signature": "signature",
    "policy": "policy",
    "x-oss-object-acl": "x_oss_object_acl",
    "x-oss-forbid-overwrite": "x_oss_forbid_overwrite",
}
_CLONING = 150.0


async def _permission(service: Service) -> dict[str, Any]:
    path = "/uploads?action=getPolicy&model=voice-enrollment"
    status, answer = await service.http("GET", path)
    data = (answer or {}).get("data")
    if status != 200 or not isinstance(data, dict):
        raise DiffersError(f"HTTP {status} {(answer or {}).get('code', '')}")
    return data


async def _recording(seconds: float) -> bytes:
    """Return a recording of someone who speaks."""
    with ThreadPoolExecutor(1, "recording") as executor:
        loop = asyncio.get_running_loop()
        return wav(await loop.run_in_executor(executor, speech, _PITCH, seconds))


def _is_known(service: Service, address: str) -> bool:
    """Return whether an address is of the service's storage."""
    if "127.0.0.1" in service.url:
        return address == service.url
    return re.fullmatch(_HOST, address) is not None


async def _upload(service: Service, data: bytes) -> tuple[int, str]:
    """Upload a recording; return the status and its URL."""
    permission = await _permission(service)
    key = f"{permission['upload_dir']}/{uuid.uuid4().hex}.wav"
    form = aiohttp.FormData()
    for name, of in _FORM.items():
        form.add_field(name, str(permission[of]))
    form.add_field("key", key)
    form.add_field("success_action_status", "200")
    form.add_field("file", data, filename="sample.wav")
    async with service.session.post(
        permission["upload_host"],
        data=form,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(_UPLOADING),
    ) as answer:
        return answer.status, f"oss://{key}"


async def _uploaded(service: Service, seconds: float = _SECONDS) -> str:
    data = await _recording(seconds)
    status, url = await _upload(service, data)
    if status not in (200, 204):
        raise UntoldError(f"the upload got HTTP {status}")
    return url


def _model(service: Service) -> str:
    """Return a model that voices are cloned for in the region."""
    return MODEL if service.region == BEIJING else PLUS


async def _create(
    service: Service, model: str = "", seconds: float = _SECONDS, **more: Any
) -> tuple[int, dict[str, Any]]:
    """Clone a voice; return status and body."""
    url = await _uploaded(service, seconds)
    target = model or _model(service)
    values = {"target_model": target, "prefix": service.prefix, "url": url, **more}
    status, answer = await service.voices("create_voice", **values)
    error = RefusedError(str(answer.get("code", "")), str(answer.get("message", "")))
    if error.is_of_account or error.is_throttled:
        raise error
    return status, answer


async def _clone(service: Service, model: str = "", **more: Any) -> str:
    """Clone a voice; return its id."""
    status, answer = await _create(service, model, **more)
    output = answer.get("output") or {}
    if status != 200 or not output.get("voice_id"):
        raise DiffersError(f"HTTP {status} {_words(answer)}")
    return str(output["voice_id"])


def _words(answer: dict[str, Any]) -> str:
    return f"{answer.get('code', '')} {answer.get('message', '')}".strip()


async def _status(service: Service, voice: str) -> str:
    _, answer = await service.voices("query_voice", voice_id=voice)
    return str((answer.get("output") or {}).get("status", _words(answer)))


async def _reviewed(service: Service, voice: str) -> str:
    """Wait until a voice was reviewed; return its status."""
    due = asyncio.get_running_loop().time() + service.pace.review
    while (status := await _status(service, voice)) == "DEPLOYING":
        if asyncio.get_running_loop().time() > due:
            break
        await asyncio.sleep(service.pace.poll)
    return status


@probe("13", "docs", _API, "cloning-elsewhere")
async def voices_are_listed(service: Service) -> str:
    """The account's cloned voices are listed, for nothing."""
    status, answer = await service.voices("list_voice", page_index=0, page_size=10)
    voices = (answer.get("output") or {}).get("voice_list")
    return expect(isinstance(voices, list), f"HTTP {status} {_words(answer)}")


@probe("13", "docs", _API, "list-ignores-page-size")
async def list_has_pages(service: Service) -> str:
    """A list has no more voices than page_size."""
    lengths = []
    for size in (10, 1):
        _, answer = await service.voices("list_voice", page_index=0, page_size=size)
        lengths.append(len(answer["output"]["voice_list"]))
    if lengths[0] < 2:
        raise UntoldError("the account has fewer than two cloned voices")
    return expect(lengths[1] == 1, f"{lengths[1]} of 1")


@probe("13", "seen", _API, "page-size-50")
async def pages_of_100(service: Service) -> str:
    """A page of a list may have 100 voices."""
    status, answer = await service.voices("list_voice", page_index=0, page_size=100)
    return expect(status == 200, f"HTTP {status} {_words(answer)}")


@probe("13", "docs", "client/errors.py", "deleted-voice-code")
async def unknown_clone(service: Service) -> str:
    """A voice that does not exist gives BadRequest.ResourceNotExist."""
    voice = f"{MODEL}-{service.prefix}-{uuid.uuid4().hex}"
    status, answer = await service.voices("query_voice", voice_id=voice)
    code = answer.get("code")
    return expect(code == "BadRequest.ResourceNotExist", f"HTTP {status} {code}")


@probe("13", "seen", _EMULATOR, "policy-60-s")
async def permission_to_upload(service: Service) -> str:
    """An upload is permitted for 300 s, for at least 10 MB, with what its form needs."""
    permission = await _permission(service)
    missing = {*_FORM.values(), "upload_dir", "upload_host"} - {*permission}
    seconds = permission.get("expire_in_seconds")
    size = permission.get("max_file_size_mb")
    good = not missing and seconds == 300 and isinstance(size, int) and size >= 10
    return expect(good, f"{seconds} s, {size} MB, missing {sorted(missing)}")


@probe("13", "seen", "client/wire/upload.py", "upload-elsewhere")
async def uploads_go_to_known_hosts(service: Service) -> str:
    """An upload goes, private, to a host and a folder of the names that are known."""
    permission = await _permission(service)
    folder = str(permission.get("upload_dir", ""))
    acl = permission.get("x_oss_object_acl")
    known = _is_known(service, str(permission.get("upload_host", "")))
    named = re.fullmatch("dashscope-instant/[A-Za-z0-9/_-]+", folder) is not None
    seen = f"known host: {known}, known folder: {named}, {acl}"
    return expect(known and named and acl == "private", seen)


@probe("13", "docs", _EMULATOR, "upload-204", seconds=_CLONING)
async def upload_gets_200(service: Service) -> str:
    """An upload needs no key and gets 200."""
    data = await _recording(1.0)
    status, _ = await _upload(service, data)
    return expect(status == 200, f"HTTP {status}")


@probe("13", "seen", _EMULATOR, "oss-without-header", seconds=_CLONING)
async def upload_needs_a_header(service: Service) -> str:
    """Without the header X-DashScope-OssResourceResolve an upload is not found."""
    values: dict[str, Any] = {
        "target_model": _model(service),
        "prefix": service.prefix,
    }
    url = await _uploaded(service)
    status, answer = await service.voices(
        "create_voice", resolve=False, url=url, **values
    )
    return expect(status == 400, f"HTTP {status} {_words(answer)}")


@probe("13", "guess", _EMULATOR, "clone-data-uri", seconds=_CLONING)
async def no_recording_in_the_request(service: Service) -> str:
    """A recording cannot be part of the request, as a data URI."""
    data = await _recording(_SECONDS)
    url = f"data:audio/wav;base64,{base64.b64encode(data).decode()}"
    values: dict[str, Any] = {
        "target_model": _model(service),
        "prefix": service.prefix,
    }
    status, answer = await service.voices("create_voice", url=url, **values)
    return expect(status != 200, f"HTTP {status} {_words(answer)[:80]}")


@probe("13", "docs", "client/errors.py", "short-audio-taken", seconds=_CLONING)
async def short_recording_is_refused(service: Service) -> str:
    """A recording of 1 s is refused with Audio.AudioShortError."""
    status, answer = await _create(service, seconds=1.0)
    code = answer.get("code")
    return expect(code == "Audio.AudioShortError", f"HTTP {status} {_words(answer)}")


@probe("13", "docs", "client/catalogue.py", "clone-ids-other", seconds=_CLONING)
async def id_of_a_clone(service: Service) -> str:
    """A cloned voice's id is its model, its prefix and something unique."""
    voice = await _clone(service)
    stem = f"{_model(service)}-{service.prefix}-"
    return expect(voice.startswith(stem), voice.replace(service.prefix, "(prefix)"))


@probe("13", "docs", _EMULATOR, "clone-prefix-small", seconds=_CLONING)
async def prefix_with_capitals(service: Service) -> str:
    """A prefix may have capitals."""
    voice = await _clone(service, prefix=service.prefix.capitalize())
    return expect(voice, "taken")


@probe("13", "seen", _EMULATOR, "clone-ready-at-once", seconds=_CLONING)
async def clone_is_reviewed_first(service: Service) -> str:
    """A new voice is DEPLOYING first."""
    status = await _status(service, await _clone(service))
    return expect(status == "DEPLOYING", status)


@probe(
    "13",
    "seen",
    _API,
    "clone-review-refuses",
    cost=characters(3),
    regions=(BEIJING,),
    seconds=_CLONING,
)
async def clone_speaks(service: Service) -> str:
    """A voice that was cloned here is OK within a minute, and speaks."""
    voice = await _clone(service)
    status = await _reviewed(service, voice)
    if status != "OK":
        raise DiffersError(status)
    spoken = await speak(service, "好。", voice=voice)
    return expect(spoken.seconds > 0.1, f"{spoken.seconds:.1f} s of audio")


@probe(
    "13",
    "docs",
    "client/catalogue.py",
    "clone-any-model",
    cost=characters(3, PLUS),
    regions=(BEIJING,),
    seconds=_CLONING,
)
async def clone_speaks_with_its_model(service: Service) -> str:
    """A cloned voice is refused by another model, with 418."""
    voice = await _clone(service)
    if await _reviewed(service, voice) != "OK":
        raise UntoldError("the voice did not become OK")
    error = await refusal(service, model=PLUS, voice=voice)
    return expect("418" in str(error), str(error or "it was taken"))


@probe(
    "13",
    "guess",
    _EMULATOR,
    "clone-update-keeps-ok",
    seconds=_CLONING,
    regions=(BEIJING,),
)
async def changed_clone_is_reviewed(service: Service) -> str:
    """A voice that was changed is DEPLOYING again."""
    voice = await _clone(service)
    if await _reviewed(service, voice) != "OK":
        raise UntoldError("the voice did not become OK")
    url = await _uploaded(service)
    status, answer = await service.voices("update_voice", voice_id=voice, url=url)
    if status != 200:
        raise DiffersError(f"HTTP {status} {_words(answer)}")
    state = await _status(service, voice)
    return expect(state == "DEPLOYING", state)


@probe("13", "docs", _API, "list-without-models", seconds=_CLONING)
async def list_names_the_model(service: Service) -> str:
    """A list with the prefix has the new voice, with its target_model."""
    voice = await _clone(service, PLUS)
    _, answer = await service.voices("list_voice", prefix=service.prefix, page_size=50)
    listed = {found["voice_id"]: found for found in answer["output"]["voice_list"]}
    if voice not in listed:
        raise DiffersError(f"it is not among {len(listed)} voices")
    seen = sorted(listed[voice])
    return expect(listed[voice].get("target_model") == PLUS, str(seen))


@probe(
    "13",
    "docs",
    "client/catalogue.json",
    "clone-in-singapore",
    regions=(SINGAPORE,),
    seconds=_CLONING,
)
async def no_clones_of_v3_flash_in_singapore(service: Service) -> str:
    """In Singapore no voices are cloned for cosyvoice-v3-flash."""
    status, answer = await _create(service, MODEL)
    return expect(status != 200, f"HTTP {status} {_words(answer)}")


@probe(
    "13",
    "docs",
    "client/catalogue.json",
    "clone-not-in-singapore",
    regions=(SINGAPORE,),
    seconds=_CLONING,
)
async def clones_of_v3_plus_in_singapore(service: Service) -> str:
    """In Singapore voices are cloned for cosyvoice-v3-plus."""
    status, answer = await _create(service, PLUS)
    return expect(status == 200, f"HTTP {status} {_words(answer)}")


@probe("13", "docs", _EMULATOR, "no-designs", regions=(BEIJING,), seconds=_CLONING)
async def voices_are_designed(service: Service) -> str:
    """A voice is designed from words; the answer has a preview of it."""
    status, answer = await service.voices(
        "create_voice",
        target_model=MODEL,
        prefix=service.prefix,
        voice_prompt="A calm woman of middle age, warm and slow",
        preview_text="晚上好，客厅的灯已经为你打开了，欢迎回家。",
        language_hints=["zh"],
        parameters={"sample_rate": 24000, "response_format": "wav"},
    )
    output = answer.get("output") or {}
    preview = base64.b64decode((output.get("preview_audio") or {}).get("data", ""))
    seen = f"HTTP {status} {_words(answer)} {len(preview)} bytes"
    return expect("-vd-" in output.get("voice_id", "") and len(preview) > 1000, seen)
