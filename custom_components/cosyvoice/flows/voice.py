"""The form of a voice: adding one to an account and changing its settings."""

from collections.abc import Collection, Mapping
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import (
    CONF_LANGUAGE,
    CONF_REGION,
    PERCENTAGE,
    Platform,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    ObjectSelector,
    ObjectSelectorConfig,
    SelectOptionDict,
    Selector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)

from ..client import CATALOGUE, ClonedVoice, OptionError, SynthesisOptions
from ..const import (
    AUTO,
    CONF_CLEAN_TEXT,
    CONF_FALLBACK_ENGINE,
    CONF_FORMAT,
    CONF_INSTRUCTION,
    CONF_LANGUAGE_VOICES,
    CONF_LEAD_IN,
    CONF_MODEL,
    CONF_PITCH_RATE,
    CONF_PRONUNCIATIONS,
    CONF_REPLACEMENT,
    CONF_SAMPLE_RATE,
    CONF_SEED,
    CONF_SPEECH_RATE,
    CONF_STYLE,
    CONF_TRAILING,
    CONF_VOICE,
    CONF_VOLUME,
    CONF_WORD,
    DEFAULT_SETTINGS,
    FORMATS,
    MAX_SILENCE_MS,
    NO_STYLE,
    SAMPLE_RATES,
)
from ..coordinator import CosyVoiceConfigEntry
from ..errors import error_translation
from ..voices.names import (
    in_chinese,
    language_name,
    languages_in,
    speaks,
    voice_name,
    voice_options,
    voice_selector,
)

SECTIONS = {
    "sound": (CONF_SPEECH_RATE, CONF_PITCH_RATE, CONF_VOLUME, CONF_SEED),
    "text": (CONF_CLEAN_TEXT, CONF_PRONUNCIATIONS, CONF_LANGUAGE_VOICES),
    "safety": (CONF_FALLBACK_ENGINE, CONF_LEAD_IN, CONF_TRAILING),
}
"""The settings in each section of the form."""
ANY_LANGUAGE = "any"


class VoiceSubentryFlow(ConfigSubentryFlow):
    """Adds a voice to an account, or changes its settings."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for a new voice."""
        return self._form("user", user_input, DEFAULT_SETTINGS)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for changes to a voice."""
        before = self._get_reconfigure_subentry().data
        return self._form("reconfigure", user_input, {**DEFAULT_SETTINGS, **before})

    def _form(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        before: Mapping[str, Any],
    ) -> SubentryFlowResult:
        entry: CosyVoiceConfigEntry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        form = VoiceForm(
            self.hass,
            entry.data[CONF_REGION],
            tuple(entry.runtime_data.voices.data.values()),
        )
        shown = as_shown(before)
        if user_input is not None:
            settings = as_stored(user_input, before)
            if form.check(user_input, settings):
                return self._save(entry, settings, before)
            shown = form.narrowed(user_input)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                form.full_schema(entry), shown
            ),
            errors=form.errors,
            description_placeholders=form.placeholders,
        )

    def _save(
        self,
        entry: CosyVoiceConfigEntry,
        settings: dict[str, Any],
        before: Mapping[str, Any],
    ) -> SubentryFlowResult:
        chinese = in_chinese(self.hass)
        name = voice_name(settings[CONF_VOICE], chinese=chinese)
        titles = {subentry.title for subentry in entry.subentries.values()}
        if self.source != SOURCE_RECONFIGURE:
            return self.async_create_entry(
                title=unused_title(name, titles), data=settings
            )
        subentry = self._get_reconfigure_subentry()
        title = subentry.title
        if settings[CONF_VOICE] != before[CONF_VOICE]:
            settings[CONF_STYLE] = NO_STYLE
            # A title that a person chose stays
            if title == voice_name(before[CONF_VOICE], chinese=chinese):
                title = unused_title(name, titles - {title})
        return self.async_update_and_abort(entry, subentry, title=title, data=settings)


class VoiceForm:
    """The form's fields for one account, and what is wrong with what was entered.

    Attributes:
        errors: The translation key of an error by field or section.
        placeholders: What the errors' texts refer to.
    """

    def __init__(
        self, hass: HomeAssistant, region: str, clones: Collection[ClonedVoice]
    ) -> None:
        """Prepare the form for a region and the account's cloned voices."""
        self.errors: dict[str, str] = {}
        self.placeholders: dict[str, str] = {}
        self._hass = hass
        self._region = region
        self._clones = clones
        self._chinese = in_chinese(hass)
        self._language: str | None = None

    def check(self, user_input: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
        """Return whether the settings can be used; otherwise fill in the errors."""
        language = user_input.get(CONF_LANGUAGE, ANY_LANGUAGE)
        if language != ANY_LANGUAGE and not speaks(settings[CONF_VOICE], language):
            self._language = language
            self.errors[CONF_VOICE] = "voice_language"
            self.placeholders["language"] = self._name_of(language)
            return False
        try:
            _options_of(settings).resolve(self._region, self._clones)
        except OptionError as err:
            self._explain(err, err.option)
        for voice in settings[CONF_LANGUAGE_VOICES].values():
            try:
                SynthesisOptions(voice=voice).resolve(self._region, self._clones)
            except OptionError as err:
                self._explain(err, CONF_LANGUAGE_VOICES)
        return not self.errors

    def narrowed(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        """Return what to show again: a voice of the language that was asked for."""
        if (language := self._language) is None:
            return dict(user_input)
        return {
            **user_input,
            CONF_VOICE: next(
                voice.id
                for voice in CATALOGUE.voices_in(self._region)
                if speaks(voice.id, language)
            ),
        }

    def basic_schema(self) -> vol.Schema:
        """Return the fields that a first voice needs."""
        return vol.Schema(self._basic_fields())

    def full_schema(self, entry: CosyVoiceConfigEntry) -> vol.Schema:
        """Return all fields of a voice of an account."""
        return vol.Schema(
            {
                **self._basic_fields(),
                vol.Required(
                    CONF_FORMAT, default=DEFAULT_SETTINGS[CONF_FORMAT]
                ): SelectSelector(
                    SelectSelectorConfig(
                        options=list(FORMATS),
                        translation_key="format",
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                ),
                vol.Optional(CONF_SAMPLE_RATE): SelectSelector(
                    SelectSelectorConfig(
                        options=[
                            SelectOptionDict(value=str(rate), label=f"{rate:,} Hz")
                            for rate in SAMPLE_RATES
                        ],
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                ),
                vol.Optional(CONF_INSTRUCTION): TextSelector(
                    TextSelectorConfig(multiline=True)
                ),
                vol.Optional("sound"): _collapsed(_SOUND_FIELDS),
                vol.Optional("text"): _collapsed(self._text_fields()),
                vol.Optional("safety"): _collapsed(self._safety_fields(entry)),
            }
        )

    def _basic_fields(self) -> dict[vol.Marker, Any]:
        models = [
            SelectOptionDict(
                value=AUTO, label="自动（推荐）" if self._chinese else "Automatic"
            )
        ] + [
            SelectOptionDict(value=model.id, label=model.id)
            for model in CATALOGUE.models_in(self._region)
        ]
        return {
            vol.Optional(CONF_LANGUAGE, default=ANY_LANGUAGE): _dropdown(
                [
                    SelectOptionDict(
                        value=ANY_LANGUAGE,
                        label="全部语言" if self._chinese else "All languages",
                    ),
                    *self._languages(),
                ]
            ),
            vol.Required(
                CONF_VOICE, default=DEFAULT_SETTINGS[CONF_VOICE]
            ): voice_selector(self._voices()),
            vol.Required(CONF_MODEL, default=DEFAULT_SETTINGS[CONF_MODEL]): _dropdown(
                models
            ),
        }

    def _text_fields(self) -> dict[vol.Marker, Any]:
        voices = voice_options(self._region, self._clones, chinese=self._chinese)
        return {
            vol.Required(
                CONF_CLEAN_TEXT, default=DEFAULT_SETTINGS[CONF_CLEAN_TEXT]
            ): BooleanSelector(),
            vol.Optional(CONF_PRONUNCIATIONS): _rows(
                CONF_PRONUNCIATIONS,
                {CONF_WORD: TextSelector(), CONF_REPLACEMENT: TextSelector()},
            ),
            vol.Optional(CONF_LANGUAGE_VOICES): _rows(
                CONF_LANGUAGE_VOICES,
                {
                    CONF_LANGUAGE: _dropdown(self._languages()),
                    CONF_VOICE: voice_selector(voices),
                },
            ),
        }

    def _safety_fields(self, entry: CosyVoiceConfigEntry) -> dict[vol.Marker, Any]:
        own = er.async_entries_for_config_entry(
            er.async_get(self._hass), entry.entry_id
        )
        return {
            vol.Optional(CONF_FALLBACK_ENGINE): EntitySelector(
                EntitySelectorConfig(
                    domain=Platform.TTS,
                    exclude_entities=[entity.entity_id for entity in own],
                )
            ),
            vol.Required(CONF_LEAD_IN, default=0): _milliseconds(),
            vol.Required(CONF_TRAILING, default=0): _milliseconds(),
        }

    def _languages(self) -> list[SelectOptionDict]:
        return [
            SelectOptionDict(value=code, label=self._name_of(code))
            for code in languages_in(self._region)
        ]

    def _voices(self) -> list[SelectOptionDict]:
        return voice_options(
            self._region,
            self._clones,
            chinese=self._chinese,
            language=self._language,
        )

    def _name_of(self, language: str) -> str:
        return language_name(language, chinese=self._chinese)

    def _explain(self, error: OptionError, field: str) -> None:
        # A form cannot show an error at a field inside a section
        place = next(
            (name for name, fields in SECTIONS.items() if field in fields), field
        )
        key, placeholders = error_translation(error)
        self.errors.setdefault(place, key)
        self.placeholders = {**placeholders, **self.placeholders}


def as_stored(
    user_input: Mapping[str, Any], before: Mapping[str, Any] = DEFAULT_SETTINGS
) -> dict[str, Any]:
    """Return the settings that a filled-in form stands for.

    An optional field that was left empty is removed; a section that was not sent
    stays as it was.
    """
    given = {key: value for key, value in user_input.items() if key not in SECTIONS}
    given.pop(CONF_LANGUAGE, None)
    emptied = {CONF_SAMPLE_RATE, CONF_INSTRUCTION}
    for name, fields in SECTIONS.items():
        if name in user_input:
            given |= user_input[name]
            emptied |= set(fields)
    kept = {key: value for key, value in before.items() if key not in emptied}
    for field in _WHOLE_NUMBERS & given.keys():
        given[field] = int(given[field])
    given[CONF_VOICE] = given[CONF_VOICE].strip()
    if CONF_PRONUNCIATIONS in given:
        given[CONF_PRONUNCIATIONS] = {
            item[CONF_WORD]: item[CONF_REPLACEMENT]
            for item in given[CONF_PRONUNCIATIONS]
        }
    if CONF_LANGUAGE_VOICES in given:
        given[CONF_LANGUAGE_VOICES] = {
            item[CONF_LANGUAGE]: item[CONF_VOICE]
            for item in given[CONF_LANGUAGE_VOICES]
        }
    return {**DEFAULT_SETTINGS, **kept, **given}


def as_shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as a form's values: the inverse of `as_stored`."""
    shown = dict(settings)
    if CONF_SAMPLE_RATE in shown:
        shown[CONF_SAMPLE_RATE] = str(shown[CONF_SAMPLE_RATE])
    shown[CONF_PRONUNCIATIONS] = [
        {CONF_WORD: word, CONF_REPLACEMENT: replacement}
        for word, replacement in settings[CONF_PRONUNCIATIONS].items()
    ]
    shown[CONF_LANGUAGE_VOICES] = [
        {CONF_LANGUAGE: language, CONF_VOICE: voice}
        for language, voice in settings[CONF_LANGUAGE_VOICES].items()
    ]
    for name, fields in SECTIONS.items():
        shown[name] = {field: shown.pop(field) for field in fields if field in shown}
    return shown


def unused_title(name: str, titles: Collection[str]) -> str:
    """Return a title that is not among the others: the name, numbered if needed."""
    title, number = name, 1
    while title in titles:
        number += 1
        title = f"{name} {number}"
    return title


_WHOLE_NUMBERS = {
    CONF_SAMPLE_RATE,
    CONF_VOLUME,
    CONF_SEED,
    CONF_LEAD_IN,
    CONF_TRAILING,
}


def _slider(
    low: float, high: float, step: float, unit: str | None = None
) -> NumberSelector:
    config = NumberSelectorConfig(
        min=low, max=high, step=step, mode=NumberSelectorMode.SLIDER
    )
    if unit:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def _milliseconds() -> NumberSelector:
    return _slider(0, MAX_SILENCE_MS, 50, UnitOfTime.MILLISECONDS)


def _dropdown(options: list[SelectOptionDict]) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
    )


def _rows(name: str, fields: dict[str, Selector[Any]]) -> ObjectSelector:
    """Return a list whose rows have two fields, both of them required."""
    label_field, description_field = fields
    return ObjectSelector(
        ObjectSelectorConfig(
            fields={
                # Home Assistant 2026.3 takes no selectors here, only their description
                field: {"required": True, "selector": selector.serialize()["selector"]}
                for field, selector in fields.items()
            },
            multiple=True,
            label_field=label_field,
            description_field=description_field,
            translation_key=name,
        )
    )


def _collapsed(fields: dict[vol.Marker, Any]) -> section:
    return section(vol.Schema(fields), {"collapsed": True})


_SOUND_FIELDS = {
    vol.Required(CONF_SPEECH_RATE, default=DEFAULT_SETTINGS[CONF_SPEECH_RATE]): _slider(
        0.5, 2, 0.05
    ),
    vol.Required(CONF_PITCH_RATE, default=DEFAULT_SETTINGS[CONF_PITCH_RATE]): _slider(
        0.5, 2, 0.05
    ),
    vol.Required(CONF_VOLUME, default=DEFAULT_SETTINGS[CONF_VOLUME]): _slider(
        0, 100, 1, PERCENTAGE
    ),
    vol.Optional(CONF_SEED): NumberSelector(
        NumberSelectorConfig(min=0, max=65535, step=1, mode=NumberSelectorMode.BOX)
    ),
}


def _options_of(settings: Mapping[str, Any]) -> SynthesisOptions:
    """Return what the service would be asked for, without preferences of a player."""
    values = {
        name: settings[name]
        for name in (
            CONF_VOICE,
            CONF_MODEL,
            CONF_FORMAT,
            CONF_SAMPLE_RATE,
            CONF_SPEECH_RATE,
            CONF_PITCH_RATE,
            CONF_VOLUME,
            CONF_SEED,
            CONF_INSTRUCTION,
        )
        if name in settings
    }
    if values[CONF_FORMAT] == AUTO:
        del values[CONF_FORMAT]
    return SynthesisOptions(**values)
