"""The engines of an account, and who may use them."""

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..coordinator import CosyVoiceConfigEntry


def engine_ids(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> list[str]:
    """Return the entity ids of an account's engines."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return [entity.entity_id for entity in entities if entity.domain == Platform.TTS]


def may_control(user: User, engine_id: str) -> bool:
    """Return whether a user may control an engine, as speaking requires."""
    return user.permissions.check_entity(engine_id, POLICY_CONTROL)
