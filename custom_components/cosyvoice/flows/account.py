"""The form of an account: its fields and the check of its key."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.const import CONF_API_KEY, CONF_REGION
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from ..account import (
    KEEP_READY,
    async_check_account,
    async_region_of_rejected_key,
    complete_options,
    usable_data,
)
from ..client import (
    CATALOGUE,
    AuthenticationError,
    ClonedVoice,
    CosyVoiceError,
    Endpoint,
)
from ..const import (
    BUDGET_UNITS,
    CONF_ADVANCED,
    CONF_BASE_URL,
    CONF_BUDGET_UNIT,
    CONF_KEEP_READY,
    CONF_MONTHLY_BUDGET,
    CONF_REFUSE_OVER_BUDGET,
    CONF_TEMPORARY_KEYS,
    CONF_WORKSPACE_ID,
    DEFAULT_REGION,
    INTERNATIONAL_REGION,
    LOGGER,
    MONEY,
)
from ..coordinator import CosyVoiceConfigEntry
from ..errors import async_explain, handling_of
from ..localization import localized, pattern_of

ADVANCED = (CONF_BASE_URL, CONF_WORKSPACE_ID)
"""The fields of the section ``advanced``."""
PLAN_KEY = "sk-sp-"
"""Prefix of the keys of Coding Plan and Token Plan, which serve text models only."""
OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_KEEP_READY): SelectSelector(
            SelectSelectorConfig(
                options=list(KEEP_READY),
                translation_key="keep_ready",
                mode=SelectSelectorMode.LIST,
            )
        ),
        vol.Required(CONF_TEMPORARY_KEYS): BooleanSelector(),
        vol.Required(CONF_MONTHLY_BUDGET): NumberSelector(
            NumberSelectorConfig(min=0, step="any", mode=NumberSelectorMode.BOX)
        ),
        vol.Required(CONF_BUDGET_UNIT): SelectSelector(
            SelectSelectorConfig(
                options=list(BUDGET_UNITS),
                translation_key="budget_unit",
                mode=SelectSelectorMode.LIST,
            )
        ),
        vol.Required(CONF_REFUSE_OVER_BUDGET): BooleanSelector(),
    }
)


class AccountForm:
    """The form of an account, over all the times that one flow shows it.

    Attributes:
        data: The data of the account as submitted, moved to the region that its key
            belongs to.
        clones: The account's cloned voices, once its key was accepted.
        errors: The translation key of an error by field.
        placeholders: The placeholders of the description and of the errors.
    """

    def __init__(
        self, hass: HomeAssistant, entry: CosyVoiceConfigEntry | None = None
    ) -> None:
        """Show the usable data of an entry, or none for a new account."""
        self._before = usable_data(entry.data) if entry else {}
        self.data = self._before
        self.clones: tuple[ClonedVoice, ...] = ()
        self.errors: dict[str, str] = {}
        self.placeholders: dict[str, str] = {}
        self._hass = hass
        self._entry = entry
        self._typed_key = ""
        self._budget_shown = False
        self._point_to_console()

    def fill(self, user_input: Mapping[str, Any]) -> None:
        """Take over the submitted values.

        An empty key, and a section that was not sent, keep what is stored.
        """
        self._typed_key = user_input.get(CONF_API_KEY, "").strip()
        self.data = _submitted(user_input, self._before)

    async def async_check(self) -> bool:
        """Return whether the account can be used, otherwise fill in the errors."""
        self.errors, self.placeholders = {}, {}
        error = await self._async_error()
        if not error and self._loses_budget() and not self._budget_shown:
            self._budget_shown = True
            error = "budget_currency"
        if error:
            self.errors["base"] = error
        self._point_to_console()
        return not error

    @property
    def shown(self) -> dict[str, Any]:
        """The values to show, without a key that was not typed here."""
        values = {**self._suggested, **self.data, CONF_API_KEY: self._typed_key}
        return {
            **{name: value for name, value in values.items() if name not in ADVANCED},
            CONF_ADVANCED: {name: values[name] for name in ADVANCED if name in values},
        }

    @property
    def _suggested(self) -> dict[str, str]:
        """The region of the house's country, if it is known and not China."""
        abroad = self._hass.config.country not in {None, "CN"}
        return {CONF_REGION: INTERNATIONAL_REGION} if abroad else {}

    def key_schema(self, *, optional_key: bool = False) -> vol.Schema:
        """Return the fields for key and region."""
        key = vol.Optional(CONF_API_KEY) if optional_key else vol.Required(CONF_API_KEY)
        return vol.Schema(
            {
                key: TextSelector(
                    TextSelectorConfig(
                        type=TextSelectorType.PASSWORD, autocomplete="off"
                    )
                ),
                vol.Required(CONF_REGION, default=DEFAULT_REGION): SelectSelector(
                    SelectSelectorConfig(
                        options=list(CATALOGUE.regions),
                        translation_key="region",
                        mode=SelectSelectorMode.LIST,
                    )
                ),
            }
        )

    def full_schema(self, *, optional_key: bool = False) -> vol.Schema:
        """Return all fields."""
        advanced = vol.Schema(
            {
                vol.Optional(CONF_BASE_URL): TextSelector(
                    TextSelectorConfig(type=TextSelectorType.URL)
                ),
                vol.Optional(CONF_WORKSPACE_ID): TextSelector(),
            }
        )
        collapsed = not any(name in self.data for name in ADVANCED)
        return self.key_schema(optional_key=optional_key).extend(
            {vol.Optional(CONF_ADVANCED): section(advanced, {"collapsed": collapsed})}
        )

    def _point_to_console(self) -> None:
        region = self.data.get(CONF_REGION, DEFAULT_REGION)
        self.placeholders |= {
            "console_url": CATALOGUE.regions[region].console_url,
            "console_beijing": CATALOGUE.regions[DEFAULT_REGION].console_url,
            "console_singapore": CATALOGUE.regions[INTERNATIONAL_REGION].console_url,
        }

    def _loses_budget(self) -> bool:
        """Return whether the account's budget is in a currency that it leaves."""
        if self._entry is None or not loses_budget(self._entry, self.data):
            return False
        old, new = (
            CATALOGUE.regions[data[CONF_REGION]].currency
            for data in (self._entry.data, self.data)
        )
        budget = complete_options(self._entry.options)[CONF_MONTHLY_BUDGET]
        lost = localized(f"{budget:,.2f} {old}", pattern_of(self._hass))
        self.placeholders |= {"budget": lost, "currency": new}
        return True

    async def _async_error(self) -> str | None:
        """Return the key of the account's error, and fill in its placeholders."""
        data = self.data
        if data[CONF_API_KEY].startswith(PLAN_KEY):
            return "unsupported_key"
        try:
            Endpoint.create(data[CONF_REGION], None, data.get(CONF_WORKSPACE_ID))
        except ValueError:
            return "invalid_workspace_id"
        try:
            self.clones = await async_check_account(self._hass, data)
        except ValueError:
            return "invalid_url"
        except CosyVoiceError as err:
            rejected = isinstance(err, AuthenticationError)
            if rejected and (
                region := await async_region_of_rejected_key(self._hass, data)
            ):
                data[CONF_REGION] = region
                return "wrong_region"
            self.placeholders["reason"] = await async_explain(self._hass, err)
            # The rest speaks of voices and recordings
            form = handling_of(err).form
            return form if form in {"invalid_auth", "cannot_connect"} else "unknown"
        except Exception:  # noqa: BLE001 - shown at the form and logged
            LOGGER.exception("Unexpected error while checking an account")
            self.placeholders["reason"] = await async_explain(self._hass, None)
            return "unknown"
        return None


def _submitted(
    user_input: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """Convert the input of the form to the data of an entry."""
    sent = {**user_input}
    if CONF_ADVANCED in sent:
        sent |= sent.pop(CONF_ADVANCED)
        before = {name: value for name, value in before.items() if name not in ADVANCED}
    texts = {name: value.strip() for name, value in sent.items()}
    given = {name: text for name, text in texts.items() if text}
    return {CONF_API_KEY: "", CONF_REGION: DEFAULT_REGION, **before, **given}


def loses_budget(entry: CosyVoiceConfigEntry, data: Mapping[str, Any]) -> bool:
    """Return whether other data change the currency of an account's budget."""
    options = complete_options(entry.options)
    if options[CONF_BUDGET_UNIT] != MONEY or not options[CONF_MONTHLY_BUDGET]:
        return False
    before = usable_data(entry.data).get(CONF_REGION, data[CONF_REGION])
    currencies = {
        CATALOGUE.regions[region].currency for region in (before, data[CONF_REGION])
    }
    return len(currencies) > 1


def update_account(
    hass: HomeAssistant, entry: CosyVoiceConfigEntry, data: Mapping[str, Any]
) -> None:
    """Store another key, region or address, and reload the account.

    A budget in the currency of another region is removed.

    The update listener reloads an entry that is set up. Any other one is reloaded
    here.
    """
    options = {**entry.options}
    if loses_budget(entry, data):
        options[CONF_MONTHLY_BUDGET] = 0.0
    hass.config_entries.async_update_entry(entry, data=data, options=options)
    if not entry.update_listeners:
        hass.config_entries.async_schedule_reload(entry.entry_id)
