"""Audio that the player can wait for."""

import asyncio

from tests.clock import run
from tests.emulator import EmulatorConfig

from .speaking import SENTENCES, options, service, whole


def test_audio_is_joined_only_while_the_player_has_enough() -> None:
    """The first second comes as it arrives; then never later than the player bears."""

    async def scenario() -> None:
        config = EmulatorConfig(speech="signal", real_time_factor=0.3)
        async with service(config) as (_, client):
            loop = asyncio.get_running_loop()
            sound = options(format="pcm", sample_rate=24_000)
            utterance = client.speak(whole(f"{SENTENCES[1]} " * 12), sound)
            began, seconds, leads, joined = 0.0, 0.0, [], []
            async for chunk in utterance:
                began = began or loop.time()
                leads.append(began + seconds - loop.time())
                joined.append(len(chunk) / 48_000)
                seconds += joined[-1]
        assert min(leads) >= 0
        early = [length for lead, length in zip(leads, joined, strict=True) if lead < 1]
        assert len(early) > 5
        assert max(early) < 0.15
        assert max(joined) > 0.5

    run(scenario())
