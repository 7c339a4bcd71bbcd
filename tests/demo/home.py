"""A house to speak in: the service's emulator and a real Home Assistant.

Home Assistant starts from an empty configuration directory that holds the
integration and :mod:`tests.demo.custom_components`: a loudspeaker that records and
a conversation agent that streams. The owner's account is made through the same
requests as in the browser, so there are no onboarding questions left.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import shutil
import sys

from aiohttp import ClientSession
import imageio_ffmpeg

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION, RESTART_EXIT_CODE

from .api import HomeAssistantApi
from .programs import Program, eventually, free_port, running

REPOSITORY = Path(__file__).parents[2]
USER = "demo"
PASSWORD = "demo-password"
API_KEY = "sk-demo"
SPEAKER = "media_player.living_room_speaker"
PARROT = "conversation.parrot"
HTTP_IN_STORAGE = (2026, 8)
"""Since this version Home Assistant takes `http:` in its YAML as a trial, and asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A running Home Assistant.

    Attributes:
        api: The way to talk to it, as its owner.
        directory: Its configuration directory.
        log: What it writes to its log.
    """

    api: HomeAssistantApi
    directory: Path
    log: Path

    async def pipeline(self, engine: str, language: str = "en") -> str:
        """Create a voice assistant in which the parrot answers; return its id."""
        pipeline = await self.api.command(
            type="assist_pipeline/pipeline/create",
            name="Parrot",
            language=language,
            conversation_engine=PARROT,
            conversation_language="*",
            stt_engine=None,
            stt_language=None,
            tts_engine=engine,
            tts_language=language,
            tts_voice=None,
            wake_word_entity=None,
            wake_word_id=None,
        )
        return str(pipeline["id"])


@asynccontextmanager
async def running_home(
    session: ClientSession, directory: Path, logs: Path
) -> AsyncGenerator[tuple[Home, Program]]:
    """Run Home Assistant, with the integration at hand but not yet configured.

    Args:
        session: For the requests to Home Assistant.
        directory: An empty directory for its configuration.
        logs: Where its log goes.
    """
    port = free_port()
    await asyncio.to_thread(_furnish, directory, port)
    url = f"http://127.0.0.1:{port}"
    async with running(
        sys.executable,
        "-m",
        "homeassistant",
        "--config",
        directory,
        # All that it needs is installed, two of the packages in newer versions
        "--skip-pip",
        cwd=directory,
        log=logs / "home-assistant.log",
        environment={"DEMO_FFMPEG": ffmpeg(), "DEMO_URL": url},
    ) as program:
        await program.answers(session, f"{url}/api/onboarding")
        api = await HomeAssistantApi.create_owner(session, url, USER, PASSWORD)
        await eventually(api.is_running)
        yield Home(api=api, directory=directory, log=program.log), program


async def start_again(home: Home, program: Program) -> None:
    """Start Home Assistant after it ended, and wait until it runs."""
    await program.start()
    await program.answers(home.api.session, f"{home.api.url}/manifest.json")
    await eventually(home.api.is_running)


async def keep_running(home: Home, program: Program) -> None:
    """Start Home Assistant again whenever a person restarts it there.

    Raises:
        ProgramError: It ended otherwise.
    """
    while await program.wait() == RESTART_EXIT_CODE:
        await start_again(home, program)
    await program.ended()


def ffmpeg() -> str:
    """Return the system's ffmpeg, or otherwise that of PyPI."""
    return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


def _furnish(directory: Path, port: int) -> None:
    here = Path(__file__).parent
    configuration = directory / "configuration.yaml"
    shutil.copy(here / configuration.name, configuration)
    if (MAJOR_VERSION, MINOR_VERSION) < HTTP_IN_STORAGE:
        with configuration.open("a", encoding="utf-8") as file:
            file.write(f"http:\n  server_host: 127.0.0.1\n  server_port: {port}\n")
    components = directory / "custom_components"
    shutil.copytree(here / "custom_components", components)
    (components / "cosyvoice").symlink_to(
        REPOSITORY / "custom_components" / "cosyvoice", target_is_directory=True
    )
    storage = directory / ".storage"
    storage.mkdir()
    for key, version, minor_version, data in (
        # Every question but the owner's name is answered.
        (
            "onboarding",
            4,
            1,
            {"done": ["core_config", "analytics", "integration"]},
        ),
        (
            "core.analytics",
            1,
            1,
            {"onboarded": True, "preferences": {}, "uuid": None},
        ),
        # Without a network, the Marketplace would suggest a mirror of its catalog.
        (
            "repairs.issue_registry",
            1,
            2,
            {
                "issues": [
                    {
                        "created": "2026-01-01T00:00:00+00:00",
                        "dismissed_version": "2026.11.0",
                        "domain": "marketplace",
                        "is_persistent": False,
                        "issue_id": "download_profile_hasscn",
                    }
                ]
            },
        ),
        (
            "http",
            2,
            2,
            {
                "stable": {
                    "server_host": ["127.0.0.1"],
                    "server_port": port,
                    "cors_allowed_origins": [],
                    "login_attempts_threshold": -1,
                    "ip_ban_enabled": True,
                    "ssl_profile": "modern",
                    "use_x_frame_options": True,
                    "created_at": "2026-01-01T00:00:00+00:00",
                    "error": None,
                    "error_message": None,
                },
                "pending": None,
                "yaml_migration_done": True,
            },
        ),
    ):
        (storage / key).write_text(
            json.dumps(
                {
                    "version": version,
                    "minor_version": minor_version,
                    "key": key,
                    "data": data,
                }
            ),
            encoding="utf-8",
        )
