"""Pictures of the kinds of voices."""

from pathlib import Path
from typing import Final

from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

from ..const import DOMAIN
from .kinds import YOURS, kinds_of

LANGUAGES: Final = "languages"
"""The picture of languages."""
PATH: Final = f"/{DOMAIN}/pictures"
_FOLDER: Final = Path(__file__).parent.parent / "pictures"
_MOST_SPECIFIC_FIRST: Final = (
    YOURS,
    "children",
    "dialects",
    "characters",
    "women",
    "men",
    "others",
)


async def async_serve_pictures(hass: HomeAssistant) -> None:
    """Serve the pictures to everyone, as a page's images send no token."""
    await hass.http.async_register_static_paths([StaticPathConfig(PATH, str(_FOLDER))])


def picture(name: str) -> str:
    """Return the path of the picture of a kind, or of `LANGUAGES`."""
    return f"{PATH}/{name}.svg"


def picture_of(voice_id: str) -> str:
    """Return the path of the picture of a voice's most specific kind."""
    kinds = kinds_of(voice_id)
    return picture(next(kind for kind in _MOST_SPECIFIC_FIRST if kind in kinds))
