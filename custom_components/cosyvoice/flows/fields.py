"""Fields that several forms have."""

from collections.abc import Mapping

from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)


def dropdown(
    labels: Mapping[str, str], translation_key: str | None = None
) -> SelectSelector:
    """Return a list of values by their labels.

    Args:
        labels: The labels by value.
        translation_key: The selector whose translations replace the labels, if any.
    """
    options = [
        SelectOptionDict(value=value, label=label) for value, label in labels.items()
    ]
    config = SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
    if translation_key:
        config["translation_key"] = translation_key
    return SelectSelector(config)
