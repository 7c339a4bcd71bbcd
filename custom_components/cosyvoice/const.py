"""Names and defaults that several modules of the integration share."""

from datetime import timedelta
from logging import Logger, getLogger
from typing import Any, Final

DOMAIN: Final = "cosyvoice"
LOGGER: Final[Logger] = getLogger(__package__)

MANUFACTURER: Final = "Alibaba Cloud Model Studio"
SUBENTRY_VOICE: Final = "voice"

# The account: entry.data
CONF_ADVANCED: Final = "advanced"
CONF_BASE_URL: Final = "base_url"
CONF_WORKSPACE_ID: Final = "workspace_id"
DEFAULT_REGION: Final = "cn-beijing"
INTERNATIONAL_REGION: Final = "ap-southeast-1"

# The account: entry.options
CONF_KEEP_READY: Final = "keep_ready"
CONF_TEMPORARY_KEYS: Final = "temporary_keys"
CONF_REFUSE_OVER_BUDGET: Final = "refuse_over_budget"
CONF_MONTHLY_BUDGET: Final = "monthly_budget"
CONF_BUDGET_UNIT: Final = "budget_unit"
CONF_VOICE_NAMES: Final = "voice_names"
CHARACTERS: Final = "characters"
MONEY: Final = "money"
BUDGET_UNITS: Final = (CHARACTERS, MONEY)
DEFAULT_OPTIONS: Final[dict[str, Any]] = {
    CONF_KEEP_READY: "after_speech",
    CONF_TEMPORARY_KEYS: False,
    CONF_REFUSE_OVER_BUDGET: False,
    CONF_MONTHLY_BUDGET: 0.0,
    CONF_BUDGET_UNIT: CHARACTERS,
}

# The settings of a voice, see `settings`
CONF_VOICE: Final = "voice"
CONF_MODEL: Final = "model"
CONF_FORMAT: Final = "format"
CONF_SAMPLE_RATE: Final = "sample_rate"
CONF_BIT_RATE: Final = "bit_rate"
CONF_SPEECH_RATE: Final = "speech_rate"
CONF_PITCH_RATE: Final = "pitch_rate"
CONF_VOLUME: Final = "volume"
CONF_SEED: Final = "seed"
CONF_INSTRUCTION: Final = "instruction"
CONF_LANGUAGE_HINTS: Final = "language_hints"
CONF_STYLE: Final = "style"
CONF_CLEAN_TEXT: Final = "clean_text"
CONF_LEAD_IN: Final = "lead_in"
CONF_TRAILING: Final = "trailing"
CONF_PRONUNCIATIONS: Final = "pronunciations"
CONF_FALLBACK_ENGINE: Final = "fallback_engine"
CONF_LANGUAGE_VOICES: Final = "language_voices"
# A row of the form's list of pronunciations
CONF_WORD: Final = "word"
CONF_REPLACEMENT: Final = "replacement"

# Narrows a list of voices
CONF_KIND: Final = "kind"
VOICE_KIND: Final = "voice_kind"
"""The selector whose translations name the kinds of voices."""

AUTO: Final = "auto"
DEFAULT_VOICE: Final = "longanyang"
NO_STYLE: Final = "none"

VOICES_UPDATE_INTERVAL: Final = timedelta(hours=6)


def settings_signal(entry_id: str) -> str:
    """Return the signal for changed settings or voices of an account."""
    return f"{DOMAIN}_settings_{entry_id}"
