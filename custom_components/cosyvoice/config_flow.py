"""The account: adding it, changing it, and giving it a new key."""

from collections.abc import Mapping
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_API_KEY, CONF_REGION
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .account import async_check_account, async_region_of_rejected_key, update_account
from .client import (
    CATALOGUE,
    AuthenticationError,
    ClonedVoice,
    CosyVoiceError,
    Endpoint,
)
from .const import (
    BUDGET_UNITS,
    CONF_ADVANCED,
    CONF_BASE_URL,
    CONF_BUDGET_UNIT,
    CONF_MONTHLY_BUDGET,
    CONF_REFUSE_OVER_BUDGET,
    CONF_TEMPORARY_KEYS,
    CONF_VOICE,
    CONF_WORKSPACE_ID,
    CONSOLE_URLS,
    DEFAULT_OPTIONS,
    DEFAULT_REGION,
    DOMAIN,
    LOGGER,
    SUBENTRY_VOICE,
)
from .errors import async_explain, handling_of
from .flows.voice import VoiceForm, VoiceSubentryFlow, as_stored, unused_title
from .voices.names import in_chinese, voice_name


class CosyVoiceConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds an account with its first voice, and changes accounts."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._data: dict[str, Any] = {}
        self._clones: tuple[ClonedVoice, ...] = ()
        self._errors: dict[str, str] = {}
        self._placeholders: dict[str, str] = {}

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the account and check its key."""
        shown: dict[str, Any] = {}
        if user_input is not None:
            data = _account(user_input)
            if await self._async_check(data):
                self._data = data
                return await self.async_step_voice()
            shown = _form_values(data)
        return self._show_form("user", _account_schema(self.hass, shown), shown)

    async def async_step_voice(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the first voice, then add the account with it."""
        form = VoiceForm(self.hass, self._data[CONF_REGION], self._clones)
        shown: Mapping[str, Any] = {}
        if user_input is not None:
            settings = as_stored(user_input)
            if form.check(user_input, settings):
                self._abort_if_known(self._data)
                return self._create_entry(settings)
            shown = form.narrowed(user_input)
        return self.async_show_form(
            step_id="voice",
            data_schema=self.add_suggested_values_to_schema(form.basic_schema(), shown),
            errors=form.errors,
            description_placeholders=form.placeholders,
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin with the stored account."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for another key; the address stays."""
        entry = self._get_reauth_entry()
        shown = {CONF_REGION: entry.data[CONF_REGION]}
        if user_input is not None:
            data = {**entry.data, **_account({**shown, **user_input})}
            if await self._async_check(data):
                update_account(self.hass, entry, data)
                return self.async_abort(reason="reauth_successful")
            shown = _form_values(data)
        return self._show_form(
            "reauth_confirm", vol.Schema(_key_and_region(self.hass)), shown
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for changes to the account; its voices stay."""
        entry = self._get_reconfigure_entry()
        # The stored key is not sent back to the browser
        shown = _form_values({**entry.data, CONF_API_KEY: ""})
        if user_input is not None:
            data = _account({CONF_API_KEY: "", **user_input})
            data[CONF_API_KEY] = data[CONF_API_KEY] or entry.data[CONF_API_KEY]
            if await self._async_check(data):
                update_account(self.hass, entry, data)
                return self.async_abort(reason="reconfigure_successful")
            shown = _form_values(
                {**data, CONF_API_KEY: user_input.get(CONF_API_KEY, "")}
            )
        return self._show_form(
            "reconfigure", _account_schema(self.hass, shown, key_stored=True), shown
        )

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the flow that adds voices."""
        return {SUBENTRY_VOICE: VoiceSubentryFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> CosyVoiceOptionsFlow:
        """Return the flow that changes an account's options."""
        return CosyVoiceOptionsFlow()

    async def _async_check(self, data: dict[str, Any]) -> bool:
        """Return whether the account works; otherwise fill in the error.

        A key of the other region puts that region into the data, so that the form
        comes back with it.
        """
        self._abort_if_known(data)
        self._errors, self._placeholders = {}, {}
        try:
            Endpoint.create(data[CONF_REGION], None, data.get(CONF_WORKSPACE_ID))
        except ValueError:
            self._errors["base"] = "invalid_workspace_id"
            return False
        try:
            self._clones = await async_check_account(self.hass, data)
        except ValueError:
            error = "invalid_url"
        except AuthenticationError:
            error = "invalid_auth"
            if region := await async_region_of_rejected_key(self.hass, data):
                error = "wrong_region"
                data[CONF_REGION] = region
        except CosyVoiceError as err:
            error = handling_of(err).form
            self._placeholders["reason"] = await async_explain(self.hass, err)
        except Exception:  # noqa: BLE001 - shown at the form and logged
            LOGGER.exception("Unexpected error while checking an account")
            error = "unknown"
            self._placeholders["reason"] = ""
        else:
            return True
        self._errors["base"] = error
        return False

    def _show_form(
        self, step_id: str, schema: vol.Schema, shown: Mapping[str, Any]
    ) -> ConfigFlowResult:
        region = shown.get(CONF_REGION, DEFAULT_REGION)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=self._errors,
            description_placeholders={
                "console_url": CONSOLE_URLS[region],
                **self._placeholders,
            },
        )

    def _abort_if_known(self, data: Mapping[str, Any]) -> None:
        self._async_abort_entries_match({CONF_API_KEY: data[CONF_API_KEY]})

    def _create_entry(self, settings: dict[str, Any]) -> ConfigFlowResult:
        titles = {entry.title for entry in self._async_current_entries()}
        name = voice_name(settings[CONF_VOICE], chinese=in_chinese(self.hass))
        return self.async_create_entry(
            title=unused_title("CosyVoice", titles),
            data=self._data,
            options=DEFAULT_OPTIONS,
            subentries=[
                ConfigSubentryData(
                    subentry_type=SUBENTRY_VOICE,
                    title=name,
                    data=settings,
                    unique_id=None,
                )
            ],
        )


class CosyVoiceOptionsFlow(OptionsFlow):
    """Changes an account's options."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the options."""
        options = {**DEFAULT_OPTIONS, **self.config_entry.options}
        if user_input is not None:
            return self.async_create_entry(data={**options, **user_input})
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(_OPTIONS, options),
        )


_OPTIONS = vol.Schema(
    {
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


def _key_and_region(
    hass: HomeAssistant, *, key_stored: bool = False
) -> dict[vol.Marker, Any]:
    chinese = in_chinese(hass)
    key = vol.Optional(CONF_API_KEY) if key_stored else vol.Required(CONF_API_KEY)
    return {
        key: TextSelector(
            TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
        ),
        vol.Required(CONF_REGION, default=DEFAULT_REGION): SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(
                        value=region.id,
                        label=region.name_zh if chinese else region.name,
                    )
                    for region in CATALOGUE.regions.values()
                ],
                mode=SelectSelectorMode.LIST,
            )
        ),
    }


def _account_schema(
    hass: HomeAssistant, shown: Mapping[str, Any], *, key_stored: bool = False
) -> vol.Schema:
    return vol.Schema(
        {
            **_key_and_region(hass, key_stored=key_stored),
            vol.Optional(CONF_ADVANCED): section(
                vol.Schema(
                    {
                        vol.Optional(CONF_BASE_URL): TextSelector(
                            TextSelectorConfig(type=TextSelectorType.URL)
                        ),
                        vol.Optional(CONF_WORKSPACE_ID): TextSelector(),
                    }
                ),
                {"collapsed": not shown.get(CONF_ADVANCED)},
            ),
        }
    )


def _account(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry's data that a filled-in form stands for."""
    fields = {**user_input, **user_input.get(CONF_ADVANCED, {})}
    fields.pop(CONF_ADVANCED, None)
    texts = {name: value.strip() for name, value in fields.items()}
    return {name: text for name, text in texts.items() if text or name == CONF_API_KEY}


def _form_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's data as the form's values."""
    advanced = (CONF_BASE_URL, CONF_WORKSPACE_ID)
    return {
        **{name: value for name, value in data.items() if name not in advanced},
        CONF_ADVANCED: {name: data[name] for name in advanced if name in data},
    }
