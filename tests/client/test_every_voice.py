"""Every voice of the catalogue, with every model, at the emulated service."""

from dataclasses import replace

import pytest

from custom_components.cosyvoice.client import (
    CATALOGUE,
    OptionError,
    SynthesisOptions,
    VoiceError,
)
from tests.clock import run
from tests.emulator import EmulatorConfig

from .speaking import listen, service


def config(region: str) -> EmulatorConfig:
    """Return a service without limits that sends a breath of silence."""
    return EmulatorConfig(
        region=region,
        speech="silence",
        seconds_per_character=0.01,
        starts_per_second=0,
    )


@pytest.mark.parametrize("region", list(CATALOGUE.regions))
def test_auto_finds_a_model_that_the_service_accepts(region: str) -> None:
    """For each voice that the region offers."""

    async def scenario() -> None:
        async with service(config(region)) as (emulator, client):
            voices = CATALOGUE.voices_in(region)
            assert voices
            for voice in voices:
                chosen = SynthesisOptions(voice=voice.id, format="pcm").resolve(region)
                assert chosen.model in voice.models
                await listen(client.speak("好。", chosen))
            spoken = [task for task in emulator.tasks if task.pieces]
            assert [task.parameters["voice"] for task in spoken] == [
                voice.id for voice in voices
            ]

    run(scenario())


@pytest.mark.parametrize("region", list(CATALOGUE.regions))
def test_voices_of_several_languages_speak_each_of_them(region: str) -> None:
    """With the hint for it, where the model knows one."""

    async def scenario() -> None:
        async with service(config(region)) as (emulator, client):
            expected = []
            for voice in CATALOGUE.voices_in(region):
                if not voice.models[0].startswith("qwen-audio"):
                    continue
                hints = CATALOGUE.models[voice.models[0]].language_hints
                for language in voice.languages:
                    hint = language.partition("-")[0]
                    assert hint in hints
                    chosen = SynthesisOptions(
                        voice=voice.id, format="pcm", language_hints=(hint,)
                    ).resolve(region)
                    await listen(client.speak("好。", chosen))
                    expected.append((voice.id, [hint]))
            spoken = [task.parameters for task in emulator.tasks if task.pieces]
            assert expected == [
                (parameters["voice"], parameters["language_hints"])
                for parameters in spoken
            ]

    run(scenario())


@pytest.mark.parametrize("region", list(CATALOGUE.regions))
def test_every_wrong_pair_is_refused_with_the_right_models(region: str) -> None:
    """Here, before anything is sent; and it names what would do."""
    for voice in CATALOGUE.voices_in(region):
        right = CATALOGUE.models_of(voice.id, region)
        for model in CATALOGUE.models_in(region):
            options = SynthesisOptions(voice=voice.id, model=model.id)
            if model.id in right:
                assert options.resolve(region).model == model.id
                continue
            with pytest.raises(OptionError) as caught:
                options.resolve(region)
            assert caught.value.reason == "voice_model_mismatch"
            assert caught.value.allowed == ", ".join(right)


@pytest.mark.parametrize("model", list(CATALOGUE.models))
def test_the_service_refuses_the_same_pairs(model: str) -> None:
    """What is refused here would be refused there."""
    region = "cn-beijing"

    async def scenario() -> None:
        async with service(config(region)) as (_, client):
            for voice in CATALOGUE.voices_in(region)[::7]:
                if model in voice.models:
                    continue
                right = SynthesisOptions(voice=voice.id, format="pcm").resolve(region)
                with pytest.raises(VoiceError):
                    await listen(client.speak("好。", replace(right, model=model)))

    run(scenario())
