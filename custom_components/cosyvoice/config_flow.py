"""The flow that adds an account, changes it, or gives it a new key."""

from collections.abc import Mapping
from typing import Any, cast, override

import voluptuous as vol

from homeassistant.config_entries import (
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_API_KEY, CONF_REGION
from homeassistant.core import callback

from .account import complete_options, usable_data
from .client import CATALOGUE
from .const import CONF_VOICE, DEFAULT_OPTIONS, DEFAULT_REGION, DOMAIN, SUBENTRY_VOICE
from .coordinator import CosyVoiceConfigEntry
from .flows.account import OPTIONS_SCHEMA, AccountForm, update_account
from .flows.listen import FirstAudition
from .flows.voice import VoiceSubentryFlow, unused_title
from .flows.voice_form import VoiceForm
from .voices.names import Words, in_chinese, voice_title


class CosyVoiceConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds an account with its first voice, and changes accounts."""

    VERSION = 1

    _account: AccountForm | None = None
    _voice: VoiceForm | None = None
    _audition: FirstAudition | None = None
    _settings: dict[str, Any]

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the account and check its key."""
        form = self._account = self._account or AccountForm(self.hass)
        if user_input is not None and await self._async_accepts(form, user_input):
            return await self.async_step_voice()
        return self._show("user", form, form.full_schema())

    async def async_step_voice(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the first voice."""
        account = cast(AccountForm, self._account)
        form = self._voice = self._voice or VoiceForm(
            await Words.load(self.hass), account.data[CONF_REGION], account.clones
        )
        if user_input is not None and (settings := form.submit(user_input)):
            self._settings = settings
            return await self.async_step_listen()
        return self._show("voice", form, form.basic_schema())

    async def async_step_listen(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer to listen to the voice."""
        account = cast(AccountForm, self._account)
        audition = self._audition = self._audition or FirstAudition(
            self.hass, account.data
        )
        return self.async_show_menu(
            step_id="listen",
            menu_options=["use", "other"],
            description_placeholders=await audition.async_placeholders(
                self._settings, account.clones
            ),
        )

    async def async_step_use(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add the account with the voice."""
        account = cast(AccountForm, self._account)
        self._abort_if_known(account)
        return self._create_entry(account.data, self._settings)

    async def async_step_other(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Return to the form."""
        return await self.async_step_voice()

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin with the stored account."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for another key for the same address."""
        entry = self._get_reauth_entry()
        form = self._account = self._account or AccountForm(self.hass, entry)
        if user_input is not None and await self._async_accepts(form, user_input):
            update_account(self.hass, entry, form.data)
            return self.async_abort(reason="reauth_successful")
        return self._show("reauth_confirm", form, form.key_schema())

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for changes to the account, apart from its voices."""
        entry = self._get_reconfigure_entry()
        form = self._account = self._account or AccountForm(self.hass, entry)
        if user_input is not None and await self._async_accepts(form, user_input):
            update_account(self.hass, entry, form.data)
            return self.async_abort(reason="reconfigure_successful")
        return self._show("reconfigure", form, form.full_schema(optional_key=True))

    @callback
    @override
    def async_remove(self) -> None:
        """End listening when the flow ends, after the entry was created."""
        if self._audition:
            self.hass.async_create_task(
                self._audition.async_end(), f"{DOMAIN} end of listening"
            )

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: CosyVoiceConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the flow that adds voices."""
        return {SUBENTRY_VOICE: VoiceSubentryFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: CosyVoiceConfigEntry) -> OptionsFlow:
        """Return the flow that changes an account's options."""
        return CosyVoiceOptionsFlow()

    async def _async_accepts(
        self, form: AccountForm, user_input: Mapping[str, Any]
    ) -> bool:
        """Return whether a submitted account can be used."""
        form.fill(user_input)
        self._abort_if_known(form)
        return await form.async_check()

    def _abort_if_known(self, form: AccountForm) -> None:
        self._async_abort_entries_match({CONF_API_KEY: form.data[CONF_API_KEY]})

    def _show(
        self, step_id: str, form: AccountForm | VoiceForm, schema: vol.Schema
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, form.shown),
            errors=form.errors,
            description_placeholders=form.placeholders,
        )

    def _create_entry(
        self, data: dict[str, Any], settings: dict[str, Any]
    ) -> ConfigFlowResult:
        titles = {entry.title for entry in self._async_current_entries()}
        name = voice_title(settings[CONF_VOICE], chinese=in_chinese(self.hass))
        return self.async_create_entry(
            title=unused_title("CosyVoice", titles),
            data=data,
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
        options = complete_options(self.config_entry.options)
        if user_input is not None:
            return self.async_create_entry(data={**options, **user_input})
        usable = usable_data(self.config_entry.data)
        region = CATALOGUE.regions[usable.get(CONF_REGION, DEFAULT_REGION)]
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(OPTIONS_SCHEMA, options),
            description_placeholders={"currency": region.currency},
        )
