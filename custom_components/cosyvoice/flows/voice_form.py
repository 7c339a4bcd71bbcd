"""The form of a voice: its fields, its checks and its values."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import voluptuous as vol

from homeassistant.const import CONF_LANGUAGE, Platform
from homeassistant.data_entry_flow import section
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
    TextSelector,
    TextSelectorConfig,
)

from ..client import CATALOGUE, ClonedVoice, OptionError, SynthesisOptions, wire_format
from ..const import (
    AUTO,
    CONF_FALLBACK_ENGINE,
    CONF_FORMAT,
    CONF_KIND,
    CONF_LANGUAGE_VOICES,
    CONF_MODEL,
    CONF_PRONUNCIATIONS,
    CONF_VOICE,
    VOICE_KIND,
)
from ..errors import error_translation
from ..settings import DEFAULT_SETTINGS, OPTIONS, SETTINGS, Kind, Setting, complete
from ..voices.kinds import (
    ALL_VOICES,
    YOURS,
    VoiceFilter,
    kinds_in,
    kinds_of,
    languages_in,
    speaks,
)
from ..voices.names import Words, voice_options, voice_selector
from .fields import dropdown

TOP = [key for key, setting in SETTINGS.items() if setting.section == ""]
"""The settings above the sections of the form."""
SECTIONS = {
    name: [key for key, setting in SETTINGS.items() if setting.section == name]
    for name in dict.fromkeys(setting.section for setting in SETTINGS.values())
    if name
}
"""The settings in each section of the form."""
ANY = "any"
"""The choice of a filter that narrows nothing."""
FILTERS = {CONF_LANGUAGE: CONF_LANGUAGE, CONF_KIND: VOICE_KIND}
"""The fields that only narrow the list of voices, and the names of their options."""


class VoiceForm:
    """The form of a voice, over all the times that one flow shows it.

    Attributes:
        shown: The values to show.
        errors: The translation key of an error by field or section.
        placeholders: The placeholders of the errors' texts.
    """

    def __init__(
        self,
        words: Words,
        region: str,
        clones: Collection[ClonedVoice],
        before: Mapping[str, Any] = DEFAULT_SETTINGS,
    ) -> None:
        """Show stored settings.

        Args:
            words: The words to describe voices with.
            region: The account's region.
            clones: The account's cloned voices.
            before: The stored settings.
        """
        self.shown = as_shown(before)
        self.errors: dict[str, str] = {}
        self.placeholders: dict[str, str] = {}
        self._before = before
        self._region = region
        self._clones = clones
        self._words = words
        self._chosen = dict.fromkeys(FILTERS, ANY)
        self._wanted = ALL_VOICES
        self._describe_voice(before[CONF_VOICE])

    def submit(self, user_input: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the settings if they can be used, None to show the form again.

        It is shown again after a mistake, and with another list of voices after a
        filter was changed and no other voice was chosen.
        """
        self.errors, self.placeholders = {}, {}
        settings = as_stored(user_input, self._before)
        voice: str = settings[CONF_VOICE]
        chosen = {name: user_input.get(name, ANY) for name in FILTERS}
        narrowed = chosen != self._chosen and voice == self.shown.get(CONF_VOICE)
        self._chosen, self.shown = chosen, {**user_input, CONF_VOICE: voice}
        self._wanted = VoiceFilter(
            **{name: None if key == ANY else key for name, key in chosen.items()},
            model=None if settings[CONF_MODEL] == AUTO else settings[CONF_MODEL],
        )
        self._check_filters(voice, narrowed=narrowed)
        if narrowed or self.errors:
            self._list_voice(voice)
        else:
            self._check(settings)
        self._describe_voice(self.shown[CONF_VOICE])
        return None if narrowed or self.errors else settings

    def basic_schema(self) -> vol.Schema:
        """Return the fields that a first voice needs."""
        return vol.Schema(self._fields((CONF_VOICE, CONF_MODEL), ()))

    def full_schema(self, own_engines: Collection[str]) -> vol.Schema:
        """Return all fields.

        Args:
            own_engines: Entity ids of the account's engines, none of which can be
                the fallback.
        """
        fields = self._fields(TOP, own_engines)
        _remove_refused(fields, self.shown)
        for name, keys in SECTIONS.items():
            inside = self._fields(keys, own_engines)
            _remove_refused(inside, self.shown.get(name, {}))
            fields[vol.Optional(name)] = section(
                vol.Schema(inside), {"collapsed": True}
            )
        return vol.Schema(fields)

    def _check_filters(self, voice: str, *, narrowed: bool) -> None:
        """Tell what the list is narrowed to, as an error: a form shows no other text.

        Args:
            voice: The chosen voice.
            narrowed: The filters were just changed.
        """
        language, kind = self._wanted.language, self._wanted.kind
        if language and (narrowed or not speaks(voice, language)):
            self.errors[CONF_VOICE] = "voice_language"
            self.placeholders["language"] = self._name_of(language)
        elif kind and (narrowed or kind not in kinds_of(voice)):
            self.errors[CONF_VOICE] = "voice_kind"
            self.placeholders["kind"] = self._words.name(VOICE_KIND, kind)

    def _list_voice(self, voice: str) -> None:
        """Show a voice of the narrowed list, or tell that it is empty."""
        listed = [option["value"] for option in self._options(self._wanted)]
        if not listed:
            self.errors[CONF_VOICE] = "no_voice"
        elif voice not in listed:
            self.shown[CONF_VOICE] = next(filter(CATALOGUE.voice, listed), listed[0])

    def _describe_voice(self, voice_id: str) -> None:
        """Name the voice that is shown, as the field shows its id."""
        system = CATALOGUE.voice(voice_id)
        line = self._words.of_voice(system) if system else voice_id
        self.placeholders["shown_voice"] = f"{voice_id} · {line}" if system else line

    def _check(self, settings: Mapping[str, Any]) -> None:
        """Fill in the errors of settings that cannot be used."""
        if "" in settings[CONF_PRONUNCIATIONS]:
            self._explain("empty_word", CONF_PRONUNCIATIONS)
        try:
            self._resolve(settings)
        except OptionError as err:
            self._explain_option(err, err.option)
        for voice in settings[CONF_LANGUAGE_VOICES].values():
            try:
                SynthesisOptions(voice=voice).resolve(self._region, self._clones)
            except OptionError as err:
                self._explain_option(err, CONF_LANGUAGE_VOICES)

    def _resolve(self, settings: Mapping[str, Any]) -> None:
        """Check the settings together, apart from what a player may ask for.

        A format that the model lacks is converted by Home Assistant.

        Raises:
            OptionError: They do not fit together.
        """
        values = {name: settings[name] for name in OPTIONS if name in settings}
        wanted = values.pop(CONF_FORMAT)
        options = SynthesisOptions(**values).resolve(self._region, self._clones)
        if wire_format(wanted) in CATALOGUE.models[options.model].formats:
            replace(options, format=wanted).resolve(self._region, self._clones)

    def _explain_option(self, error: OptionError, field: str) -> None:
        _, placeholders = error_translation(error)
        self._explain(error.reason, field)
        if error.reason == "voice_not_ready":
            placeholders["allowed"] = self._words.name("voice_status", error.allowed)
        self.placeholders = {**placeholders, **self.placeholders}

    def _explain(self, error: str, field: str) -> None:
        # A form cannot show an error at a field inside a section
        place = next((name for name, keys in SECTIONS.items() if field in keys), field)
        self.errors.setdefault(place, error)

    def _fields(
        self, keys: Iterable[str], own_engines: Collection[str]
    ) -> dict[vol.Marker, Any]:
        """Return the fields of settings, the filters before the voice."""
        fields: dict[vol.Marker, Any] = {}
        for setting in map(SETTINGS.__getitem__, keys):
            if setting.key == CONF_VOICE:
                fields |= self._filters()
            if setting.default is None or setting.kind is Kind.ROWS:
                marker = vol.Optional(setting.key)
            else:
                marker = vol.Required(setting.key, default=setting.default)
            fields[marker] = self._selector(setting, own_engines)
        return fields

    def _selector(
        self, setting: Setting, own_engines: Collection[str]
    ) -> Selector[Any]:
        if setting.key == CONF_VOICE:
            return self._voices(self._wanted)
        if setting.key == CONF_MODEL:
            return dropdown(self._models(), CONF_MODEL)
        if setting.key == CONF_LANGUAGE_VOICES:
            stored = self._before[CONF_LANGUAGE_VOICES]
            of_another_region = {code: self._name_of(code) for code in stored}
            languages = dropdown(of_another_region | self._languages())
            return _rows(setting, languages, self._voices())
        if setting.key == CONF_FALLBACK_ENGINE:
            return EntitySelector(
                EntitySelectorConfig(
                    domain=Platform.TTS, exclude_entities=list(own_engines)
                )
            )
        if setting.kind is Kind.CHOICE:
            return self._choices(setting)
        return _SELECTORS[setting.kind](setting)

    def _filters(self) -> dict[vol.Marker, Any]:
        """Return the fields that narrow the list of voices."""
        kinds = [ANY, *([YOURS] if self._clones else []), *kinds_in(self._region)]
        labels = {
            CONF_LANGUAGE: {ANY: self._name_of(ANY), **self._languages()},
            CONF_KIND: {kind: self._words.name(VOICE_KIND, kind) for kind in kinds},
        }
        return {
            # A field that can be cleared would keep its last choice then
            vol.Required(name, default=self._chosen[name]): dropdown(
                labels[name], selector
            )
            for name, selector in FILTERS.items()
        }

    def _choices(self, setting: Setting) -> SelectSelector:
        """Return a list of texts, which have translations, or of rates."""
        labels = {
            str(choice): self._words.number(f"{choice:,} Hz")
            if isinstance(choice, int)
            else choice
            for choice in setting.choices
        }
        return dropdown(labels, setting.key if setting.default else None)

    def _models(self) -> dict[str, str]:
        return {AUTO: self._words.name(CONF_MODEL, AUTO)} | {
            model.id: self._words.of_model(model, self._region)
            for model in CATALOGUE.models_in(self._region)
        }

    def _languages(self) -> dict[str, str]:
        return {code: self._name_of(code) for code in languages_in(self._region)}

    def _voices(self, wanted: VoiceFilter = ALL_VOICES) -> SelectSelector:
        return voice_selector(self._options(wanted))

    def _options(self, wanted: VoiceFilter) -> list[SelectOptionDict]:
        return voice_options(self._region, self._clones, self._words, wanted)

    def _name_of(self, language: str) -> str:
        return self._words.name(CONF_LANGUAGE, language)


def as_stored(
    user_input: Mapping[str, Any], before: Mapping[str, Any] = DEFAULT_SETTINGS
) -> dict[str, Any]:
    """Convert the input of the form to settings.

    An optional field that was left empty is removed. A section that was not sent
    stays unchanged.
    """
    sent = {**user_input}
    emptied = {*TOP}
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
    """Convert settings to the values of the form: the inverse of `as_stored`."""
    shown = {
        key: SETTINGS[key].shown(value)
        for key, value in settings.items()
        if key in SETTINGS
    }
    for name, keys in SECTIONS.items():
        shown[name] = {key: shown.pop(key) for key in keys if key in shown}
    return shown


def _remove_refused(fields: Mapping[vol.Marker, Any], shown: dict[str, Any]) -> None:
    """Remove stored values that Home Assistant would refuse in a submitted form.

    They are damaged, or of another region or release.
    """
    for marker, selector in fields.items():
        if (name := str(marker)) in shown:
            try:
                selector(shown[name])
            except vol.Invalid:
                del shown[name]


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
    Kind.TEXT: lambda _setting: TextSelector(TextSelectorConfig(multiline=True)),
    Kind.ROWS: lambda setting: _rows(setting, TextSelector(), TextSelector()),
}
