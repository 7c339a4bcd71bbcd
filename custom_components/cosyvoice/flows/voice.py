"""The form of a voice: adding one to an account and changing its settings."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_LANGUAGE, CONF_REGION, Platform
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
    CONF_FALLBACK_ENGINE,
    CONF_FORMAT,
    CONF_LANGUAGE_VOICES,
    CONF_MODEL,
    CONF_STYLE,
    CONF_VOICE,
    NO_STYLE,
)
from ..coordinator import CosyVoiceConfigEntry
from ..errors import error_translation
from ..settings import DEFAULT_SETTINGS, OPTIONS, SETTINGS, Kind, Setting, complete
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
    name: [key for key, setting in SETTINGS.items() if setting.section == name]
    for name in dict.fromkeys(setting.section for setting in SETTINGS.values())
    if name
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
        return vol.Schema(self._fields(None, (CONF_VOICE, CONF_MODEL)))

    def full_schema(self, entry: CosyVoiceConfigEntry) -> vol.Schema:
        """Return all fields of a voice of an account."""
        top = [key for key, setting in SETTINGS.items() if setting.section == ""]
        sections = {
            vol.Optional(name): section(
                vol.Schema(self._fields(entry, keys)), {"collapsed": True}
            )
            for name, keys in SECTIONS.items()
        }
        return vol.Schema({**self._fields(entry, top), **sections})

    def _fields(
        self, entry: CosyVoiceConfigEntry | None, keys: Iterable[str]
    ) -> dict[vol.Marker, Any]:
        """Return the fields of settings, the language filter before the voice."""
        fields: dict[vol.Marker, Any] = {}
        for setting in map(SETTINGS.__getitem__, keys):
            if setting.key == CONF_VOICE:
                languages = [
                    SelectOptionDict(
                        value=ANY_LANGUAGE,
                        label="全部语言" if self._chinese else "All languages",
                    ),
                    *self._languages(),
                ]
                marker = vol.Optional(CONF_LANGUAGE, default=ANY_LANGUAGE)
                fields[marker] = _dropdown(languages)
            if setting.default is None or setting.kind is Kind.ROWS:
                marker = vol.Optional(setting.key)
            else:
                marker = vol.Required(setting.key, default=setting.default)
            fields[marker] = self._selector(setting, entry)
        return fields

    def _selector(
        self, setting: Setting, entry: CosyVoiceConfigEntry | None
    ) -> Selector[Any]:
        if setting.key == CONF_VOICE:
            return voice_selector(self._voices(self._language))
        if setting.key == CONF_MODEL:
            return _dropdown(self._models())
        if setting.key == CONF_LANGUAGE_VOICES:
            voices = voice_selector(self._voices())
            return _rows(setting, _dropdown(self._languages()), voices)
        if setting.key == CONF_FALLBACK_ENGINE:
            return self._engines(entry)
        return _SELECTORS[setting.kind](setting)

    def _models(self) -> list[SelectOptionDict]:
        automatic = "自动（推荐）" if self._chinese else "Automatic"
        models = [model.id for model in CATALOGUE.models_in(self._region)]
        return [
            SelectOptionDict(value=AUTO, label=automatic),
            *(SelectOptionDict(value=model, label=model) for model in models),
        ]

    def _engines(self, entry: CosyVoiceConfigEntry | None) -> EntitySelector:
        """Return the engines of other integrations."""
        registry = er.async_get(self._hass)
        own = (
            er.async_entries_for_config_entry(registry, entry.entry_id) if entry else []
        )
        return EntitySelector(
            EntitySelectorConfig(
                domain=Platform.TTS,
                exclude_entities=[entity.entity_id for entity in own],
            )
        )

    def _languages(self) -> list[SelectOptionDict]:
        return [
            SelectOptionDict(value=code, label=self._name_of(code))
            for code in languages_in(self._region)
        ]

    def _voices(self, language: str | None = None) -> list[SelectOptionDict]:
        return voice_options(
            self._region, self._clones, chinese=self._chinese, language=language
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

    An optional field that was left empty is removed. A section that was not sent
    stays unchanged.
    """
    sent = {**user_input}
    emptied = {key for key, setting in SETTINGS.items() if setting.section == ""}
    for name, keys in SECTIONS.items():
        if name in sent:
            sent |= sent.pop(name)
            emptied |= {*keys}
    kept = {key: value for key, value in before.items() if key not in emptied}
    given = {
        key: SETTINGS[key].stored(value)
        for key, value in sent.items()
        if key in SETTINGS
    }
    return complete(kept | given)


def as_shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as a form's values: the inverse of `as_stored`."""
    shown = {
        key: SETTINGS[key].shown(value)
        for key, value in settings.items()
        if key in SETTINGS
    }
    for name, keys in SECTIONS.items():
        shown[name] = {key: shown.pop(key) for key in keys if key in shown}
    return shown


def unused_title(name: str, titles: Collection[str]) -> str:
    """Return a title that is not among the others: the name, numbered if needed."""
    title, number = name, 1
    while title in titles:
        number += 1
        title = f"{name} {number}"
    return title


def _dropdown(
    options: list[SelectOptionDict], translation_key: str | None = None
) -> SelectSelector:
    config = SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
    if translation_key:
        config["translation_key"] = translation_key
    return SelectSelector(config)


def _choices(setting: Setting) -> SelectSelector:
    """Return a list of texts, which have translations, or of rates."""
    return _dropdown(
        [
            SelectOptionDict(
                value=str(choice),
                label=f"{choice:,} Hz" if isinstance(choice, int) else choice,
            )
            for choice in setting.choices
        ],
        setting.key if setting.default else None,
    )


def _number(setting: Setting) -> NumberSelector:
    low, high = setting.range
    # A slider cannot be left empty
    optional = setting.default is None
    config = NumberSelectorConfig(
        min=low,
        max=high,
        step=setting.step,
        mode=NumberSelectorMode.BOX if optional else NumberSelectorMode.SLIDER,
    )
    if setting.unit:
        config["unit_of_measurement"] = setting.unit
    return NumberSelector(config)


def _rows(
    setting: Setting, key: Selector[Any], content: Selector[Any]
) -> ObjectSelector:
    """Return a list whose rows have two fields, both of them required."""
    fields = zip(setting.columns, (key, content), strict=True)
    return ObjectSelector(
        ObjectSelectorConfig(
            fields={
                # Home Assistant 2026.3 takes no selectors here, only their description
                name: {"required": True, "selector": selector.serialize()["selector"]}
                for name, selector in fields
            },
            multiple=True,
            label_field=setting.columns[0],
            description_field=setting.columns[1],
            translation_key=setting.key,
        )
    )


_SELECTORS: dict[Kind, Callable[[Setting], Selector[Any]]] = {
    Kind.NUMBER: _number,
    Kind.SWITCH: lambda _setting: BooleanSelector(),
    Kind.CHOICE: _choices,
    Kind.TEXT: lambda _setting: TextSelector(TextSelectorConfig(multiline=True)),
    Kind.ROWS: lambda setting: _rows(setting, TextSelector(), TextSelector()),
}


def _options_of(settings: Mapping[str, Any]) -> SynthesisOptions:
    """Return what the service would be asked for, without preferences of a player."""
    values = {name: settings[name] for name in OPTIONS if name in settings}
    if values[CONF_FORMAT] == AUTO:
        del values[CONF_FORMAT]
    return SynthesisOptions(**values)
