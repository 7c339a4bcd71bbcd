"""The action that lists voices."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.client import CATALOGUE
from homeassistant.core import HomeAssistant
from tests.emulator import Emulator

from .conftest import CLONE
from .ledgers import FLASH, PLUS
from .speaking import call_action

DESIGNED = "cosyvoice-v3.5-flash-vd-calm-5a40"


async def list_voices(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    answer = await call_action(hass, "list_voices", **data)
    return {voice["voice_id"]: voice for voice in answer["voices"]}


@pytest.fixture
async def with_custom_voices(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> MockConfigEntry:
    """An account with a cloned and a designed voice."""
    emulator.config.cloned_voices = {CLONE: "OK", DESIGNED: "DEPLOYING"}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.mark.usefixtures("with_custom_voices")
async def test_voices_are_listed(hass: HomeAssistant) -> None:
    voices = await list_voices(hass)
    in_region = {voice.id for voice in CATALOGUE.voices_in("cn-beijing")}
    assert set(voices) == in_region | {CLONE, DESIGNED}
    names = [voice["name"] for voice in voices.values()]
    assert len(set(names)) == len(names)
    built_in, clone = voices["longanhuan"], voices[CLONE]
    assert built_in["name"] == "Longanhuan \u9f99\u5b89\u6b22 (longanhuan)"
    assert built_in["languages"] == ["zh", "en"]
    assert built_in["models"] == [FLASH, PLUS]
    assert (built_in["kind"], built_in["gender"]) == ("system", "female")
    assert voices["longhouge_v3"]["kinds"] == ["men", "characters"]
    assert "happy" in built_in["styles"]
    assert (clone["kind"], clone["models"]) == ("cloned", [FLASH])
    assert "fr" in clone["languages"]
    assert voices[DESIGNED]["kind"] == "designed"
    assert voices[DESIGNED]["status"] == "DEPLOYING"


@pytest.mark.usefixtures("with_custom_voices")
@pytest.mark.parametrize(
    ("data", "found", "missing"),
    [
        ({"language": "ja"}, "loongriko_v3", "longanyang"),
        ({"language": "ja-JP"}, "loongriko_v3", "longanyang"),
        ({"kind": "cloned"}, CLONE, "longanyang"),
        ({"kind": "designed"}, DESIGNED, CLONE),
        ({"kind": "system"}, "longanyang", CLONE),
        ({"kind": "yours"}, DESIGNED, "longanyang"),
        ({"kind": "children"}, "longniuniu_v3", "longanyang"),
        ({"kind": "dialects", "language": "yue"}, "longjiaxin_v3", "longlaotie_v3"),
        ({"model": PLUS}, "longanyang", CLONE),
        ({"model": FLASH, "kind": "cloned", "language": "fr"}, CLONE, "longanyang"),
    ],
)
async def test_voices_can_be_filtered(
    hass: HomeAssistant, data: dict[str, str], found: str, missing: str
) -> None:
    voices = await list_voices(hass, **data)
    assert found in voices
    assert missing not in voices
