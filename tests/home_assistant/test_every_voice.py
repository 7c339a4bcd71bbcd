"""Every voice of the catalogue speaks each of its languages, without Home Assistant."""

import aiohttp
import pytest

from custom_components.cosyvoice.client import CATALOGUE, CosyVoiceClient, Endpoint
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from custom_components.cosyvoice.speech.request import SETTINGS, create_request
from custom_components.cosyvoice.voices.languages import tags_of
from tests.clock import run
from tests.emulator import Emulator, EmulatorConfig

BASIC = [
    f"{model.id}-longyunfuhong"
    for model in CATALOGUE.models.values()
    if model.basic_voices
]


@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("region", CATALOGUE.regions)
def test_every_voice_speaks_in_each_of_its_languages(
    region: str, *, chosen: bool
) -> None:
    """As the voice of the settings and as that of a call."""
    wanted = {}
    voices = [voice.id for voice in CATALOGUE.voices_in(region)] + BASIC
    for voice in voices:
        for language in tags_of(voice):
            settings = DEFAULT_SETTINGS | ({"voice": voice} if chosen else {})
            options = {SETTINGS: settings} | ({} if chosen else {"voice": voice})
            request = create_request(options, language, region, ())
            assert request.synthesis.voice == voice
            wanted[request.synthesis] = language
    assert {synthesis.voice for synthesis in wanted} == {*voices}

    async def scenario() -> None:
        config = EmulatorConfig(
            region=region,
            speech="silence",
            seconds_per_character=0.01,
            starts_per_second=0,
        )
        async with Emulator(config) as emulator, aiohttp.ClientSession() as session:
            endpoint = Endpoint.create(region, emulator.url)
            client = CosyVoiceClient(session, "sk-test", endpoint)
            for synthesis in wanted:
                utterance = client.speak("好。", synthesis)
                assert b"".join([chunk async for chunk in utterance])
            await client.close()
            spoken = [task for task in emulator.tasks if task.pieces]
            assert [(task.model, task.parameters) for task in spoken] == [
                (synthesis.model, synthesis.parameters()) for synthesis in wanted
            ]

    run(scenario())
