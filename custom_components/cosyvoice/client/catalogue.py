"""The service's regions, models, voices, styles and prices.

A new model, voice, price or region is a change of ``catalogue.json`` only. Source:
Model Studio's lists of models, prices and voices.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
import json
from pathlib import Path
import re
from types import MappingProxyType
from typing import Any, Final, Literal, Self

TOKENS_PER_SECOND: Final = Decimal("12.5")
"""Tokens in a second of audio, as Qwen-Audio-TTS was seen to bill it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of the service. An API key is valid in one region only.

    Attributes:
        id: The region's id, such as ``cn-beijing``.
        currency: ISO 4217 code of the currency its prices are in.
        websocket_url: Address of the speech synthesis.
        http_url: Root of the HTTP API.
        workspace_host: Host of one workspace, with a placeholder ``workspace_id``.
        console_url: Web page for keys, models and payment.
    """

    id: str
    currency: str
    websocket_url: str
    http_url: str
    workspace_host: str
    console_url: str


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a model in a region, by characters or by tokens.

    Attributes:
        currency: ISO 4217 code.
        per_10k_characters: Price of 10,000 billed characters.
        per_million_input_tokens: Price of a million tokens of text.
        per_million_output_tokens: Price of a million tokens of audio.
    """

    currency: str
    per_10k_characters: Decimal = Decimal()
    per_million_input_tokens: Decimal = Decimal()
    per_million_output_tokens: Decimal = Decimal()

    @property
    def is_by_tokens(self) -> bool:
        """True if tokens are billed, not characters."""
        return self.per_million_output_tokens > 0

    @property
    def of_an_hour(self) -> Decimal:
        """About the price of an hour of speech, to two digits.

        That is 36,000 billed characters of Chinese, or an hour's tokens of audio and
        16,000 of text (users measured about one token for each character of Chinese).
        """
        exact = self.cost(36_000, 16_000, int(3600 * TOKENS_PER_SECOND))
        return round(exact, 1 - exact.adjusted())

    def cost(
        self, characters: int, input_tokens: int = 0, output_tokens: int = 0
    ) -> Decimal:
        """Return the exact price of billed characters and tokens."""
        tokens = (
            input_tokens * self.per_million_input_tokens
            + output_tokens * self.per_million_output_tokens
        )
        return characters * self.per_10k_characters / 10_000 + tokens / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A synthesis model.

    Attributes:
        id: The model's id, such as ``cosyvoice-v3-flash``.
        regions: Ids of the regions that offer the model to every account.
        prices: The price by region id, also in regions where only some accounts may
            use the model.
        starts_per_second: How many tasks an account may start each second.
        cancellable_in: Ids of the regions in which a running task can be cancelled
            (Model Studio, CosyVoice client events).
        features: Names of the fields of `SynthesisOptions` that only some models
            support and that this one does.
        language_hints: The possible language hints.
        instruction: ``none``, ``fixed`` (the phrases of a system voice's styles),
            ``free`` (also free text for cloned voices) or ``any`` (free text for every
            voice).
        formats: Sample rates in Hz by the service's audio format.
        bit_rate_formats: The formats whose bit rate can be chosen.
        tags: Whether it makes feelings and sounds of tags such as ``[laughing]`` when
            the text comes in parts.
        basic_voices: Whether it has the basic voices, see `Catalogue.voice`.
        clones_in: Ids of the regions in which voices can be cloned for it.
        designs_in: Ids of the regions in which voices can be designed for it.
        clone_hints: The possible languages of a recording.
        clone_parameters: The optional parameters of cloning that it takes.
    """

    id: str
    regions: tuple[str, ...]
    prices: Mapping[str, Price]
    starts_per_second: int
    cancellable_in: frozenset[str]
    features: frozenset[str]
    language_hints: tuple[str, ...]
    instruction: Literal["none", "fixed", "free", "any"]
    formats: Mapping[str, tuple[int, ...]]
    bit_rate_formats: tuple[str, ...]
    tags: bool
    basic_voices: bool
    clones_in: frozenset[str]
    designs_in: frozenset[str]
    clone_hints: tuple[str, ...]
    clone_parameters: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A way of speaking of a system voice.

    Attributes:
        key: Key of ``[a-z0-9_]``, the same for this style at every voice.
        instruction: The exact text for the service, punctuation included.
        models: The models that have the style with this voice.
    """

    key: str
    instruction: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A system voice.

    Attributes:
        id: The voice's id, such as ``longanyang``.
        name: Its name in English.
        name_zh: Its name in Chinese.
        description: How it sounds, in English.
        description_zh: How it sounds, in Chinese.
        scenario: Its purpose, in English.
        scenario_zh: Its purpose, in Chinese.
        gender: ``female``, ``male`` or None if the service gives none.
        models: The models that have the voice.
        languages: BCP 47 tags of its languages: ``zh``, ``yue`` (Cantonese), ``nan``
            (Southern Min), ``en``, ``en-GB``, ``en-US``, ``ja``, ``ko``, ``id``,
            ``fr``, ``de``, ``pt``, ``it``, ``vi``.
        dialect: Key of the dialect that it always speaks, if any.
        regions: Ids of the regions that offer it.
        features: Of the features that its models have and not every voice supports,
            those that this voice supports: ``ssml`` and ``word_timestamps``.
        styles: Its styles, if any.
    """

    id: str
    name: str
    name_zh: str
    description: str
    description_zh: str
    scenario: str
    scenario_zh: str
    gender: str | None
    models: tuple[str, ...]
    languages: tuple[str, ...]
    dialect: str | None
    regions: tuple[str, ...]
    features: frozenset[str]
    styles: tuple[Style, ...] = ()

    def styles_with(self, model: str) -> tuple[Style, ...]:
        """Return the styles that a model has with the voice."""
        return tuple(style for style in self.styles if model in style.models)


@dataclass(frozen=True)
class Catalogue:
    """The regions, models and voices of the service.

    Attributes:
        version: The day (ISO 8601) on which the service's lists were read.
        regions: The regions by id, the default one first.
        models: The models by id, the recommended one first.
        voices: The system voices by id.
        free_styles: Ready-made instructions by key, for each system voice of a model
            that takes any instruction.
    """

    version: str
    regions: Mapping[str, Region]
    models: Mapping[str, Model]
    voices: Mapping[str, Voice]
    free_styles: Mapping[str, str]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a catalogue from the text of a ``catalogue.json``.

        Raises:
            KeyError: A part is missing, or an entry refers to a missing one.
            TypeError: An entry has an unknown key or lacks one.
            ValueError: The text is not JSON.
        """
        data = json.loads(text, parse_float=Decimal)
        regions = {item["id"]: Region(**item) for item in data["regions"]}
        models = {item["id"]: _model(item, regions) for item in data["models"]}
        return cls(
            version=data["version"],
            regions=MappingProxyType(regions),
            models=MappingProxyType(models),
            voices=MappingProxyType(
                {item["id"]: _voice(item, models, data) for item in data["voices"]}
            ),
            free_styles=MappingProxyType(data["free_styles"]),
        )

    def voices_in(self, region: str) -> tuple[Voice, ...]:
        """Return the system voices that a region offers to every account."""
        return tuple(voice for voice in self.voices.values() if region in voice.regions)

    def voice(self, voice_id: str) -> Voice | None:
        """Return a system voice.

        None for any other id.

        Ids are case-sensitive. A basic voice is named ``{model}-{suffix}``, the suffix
        being one word. Source: Model Studio's list of Qwen-Audio-TTS voices, which
        counts more than 500 basic voices.
        """
        if (voice := self.voices.get(voice_id)) is not None:
            return voice
        model = self.models.get(self._owner(voice_id) or "")
        if model is None or not model.basic_voices:
            return None
        suffix = voice_id.removeprefix(f"{model.id}-")
        if not _WORD.fullmatch(suffix):
            return None
        return _basic_voice(voice_id, model, self.free_styles)

    def models_in(self, region: str) -> tuple[Model, ...]:
        """Return the models that a region offers to every account.

        The recommended one comes first.
        """
        return tuple(model for model in self.models.values() if region in model.regions)

    def models_of(self, voice_id: str, region: str) -> tuple[str, ...]:
        """Return the models of a voice in a region, the recommended one first.

        A cloned or designed voice has the model that it was created for. The models
        include those that only some accounts may use in the region. The result is
        empty for a voice that is unknown or not possible in the region.
        """
        having: tuple[str | None, ...]
        if (voice := self.voice(voice_id)) is None:
            having = (self.model_of_clone(voice_id),)
            is_offered = True
        else:
            having, is_offered = voice.models, region in voice.regions
        return tuple(
            model.id
            for model in self.models.values()
            if model.id in having
            and region in model.prices
            and (is_offered or region not in model.regions)
        )

    def model_of_clone(self, voice_id: str) -> str | None:
        """Return the model that a cloned or designed voice was created for.

        The service names such voices ``{model}-{prefix}-{uid}`` or
        ``{model}-vd-{prefix}-{uid}``; None for any other id.
        """
        return None if self.voice(voice_id) else self._owner(voice_id)

    def _owner(self, voice_id: str) -> str | None:
        """Return the longest id of a model that a voice's id begins with."""
        return next(
            (
                model
                for model in self._longest_ids_first
                if voice_id.startswith(f"{model}-") and len(voice_id) > len(model) + 1
            ),
            None,
        )

    @cached_property
    def _longest_ids_first(self) -> list[str]:
        return sorted(self.models, key=len, reverse=True)


def _model(item: Mapping[str, Any], regions: Mapping[str, Region]) -> Model:
    return Model(
        **{
            **item,
            "regions": tuple(item["regions"]),
            "prices": MappingProxyType(
                {
                    region: _price(regions[region].currency, price)
                    for region, price in item["prices"].items()
                }
            ),
            "cancellable_in": frozenset(item["cancellable_in"]),
            "features": frozenset(item["features"]),
            "language_hints": tuple(item["language_hints"]),
            "formats": MappingProxyType(
                {name: tuple(rates) for name, rates in item["formats"].items()}
            ),
            "bit_rate_formats": tuple(item["bit_rate_formats"]),
            "clones_in": frozenset(item["clones_in"]),
            "designs_in": frozenset(item["designs_in"]),
            "clone_hints": tuple(item["clone_hints"]),
            "clone_parameters": frozenset(item["clone_parameters"]),
        }
    )


def _price(currency: str, price: Decimal | int | Mapping[str, Decimal | int]) -> Price:
    """Return a price of 10,000 characters, or of a million tokens each way."""
    if isinstance(price, Mapping):
        by_token = [Decimal(price[name]) for name in ("input", "output")]
        return Price(currency, Decimal(), *by_token)
    return Price(currency, Decimal(price))


def _voice(
    item: Mapping[str, Any], models: Mapping[str, Model], data: Mapping[str, Any]
) -> Voice:
    styles = [
        style
        for template in data["styles"].get(item["id"], ())
        for style in _fixed_styles(template, data["emotions"], item["models"])
    ]
    free = tuple(name for name in item["models"] if models[name].instruction == "any")
    if free:
        styles += _free_styles(tuple(data["free_styles"].items()), free)
        for group in data["dialect_styles"]:
            if item["id"] in group["voices"]:
                styles += _free_styles(tuple(group["styles"].items()), free)
    return Voice(
        **{
            **item,
            "models": tuple(item["models"]),
            "languages": tuple(item["languages"]),
            "regions": tuple(item["regions"]),
            "features": frozenset(item["features"]),
            "styles": tuple(styles),
        }
    )


def _basic_voice(voice_id: str, model: Model, styles: Mapping[str, str]) -> Voice:
    """Return a basic voice, of which little is known. All of them speak Chinese."""
    return Voice(
        id=voice_id,
        name=voice_id.rpartition("-")[2].capitalize(),
        name_zh="",
        description="",
        description_zh="",
        scenario="",
        scenario_zh="",
        gender=None,
        models=(model.id,),
        languages=("zh",),
        dialect=None,
        regions=model.regions,
        features=frozenset(),
        styles=_free_styles(tuple(styles.items()), (model.id,)),
    )


@cache
def _free_styles(
    instructions: tuple[tuple[str, str], ...], models: tuple[str, ...]
) -> tuple[Style, ...]:
    """Return the styles of instructions by key, which many voices share."""
    return tuple(
        Style(key=key, instruction=instruction, models=models)
        for key, instruction in instructions
    )


def _fixed_styles(
    template: Mapping[str, Any], emotions: Iterable[str], models: Iterable[str]
) -> Iterator[Style]:
    """Yield one style, or one for each emotion if the phrase contains one."""
    takes_emotion = "{emotion}" in template["instruction"]
    for emotion in emotions if takes_emotion else ("",):
        yield Style(
            key="_".join(filter(None, (template["key"], emotion))),
            instruction=template["instruction"].format(emotion=emotion),
            models=tuple(template.get("models", models)),
        )


_WORD = re.compile("[a-z]+")

CATALOGUE = Catalogue.from_json(
    Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8")
)
"""The catalogue of this package."""
