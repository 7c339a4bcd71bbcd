"""Pictures that tell kinds of voices apart."""

from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from homeassistant.helpers.http import HomeAssistantView

from ..const import DOMAIN
from .kinds import KINDS, YOURS, kinds_of

LANGUAGES: Final = "languages"
"""The picture of languages."""
PATH: Final = f"/api/{DOMAIN}/picture/"
_FOLDER: Final = Path(__file__).parent.parent / "pictures"
_HEADERS: Final = {hdrs.CACHE_CONTROL: "public, max-age=86400"}
_TELLING: Final = (
    YOURS,
    "children",
    "dialects",
    "characters",
    "women",
    "men",
    "others",
)
"""The kinds, those that say most about a voice first."""


class PictureView(HomeAssistantView):
    """Serves the pictures to everyone, as a page's images send no token."""

    url = f"{PATH}{{name}}"
    name = f"api:{DOMAIN}:picture"
    requires_auth = False

    async def get(self, request: web.Request, name: str) -> web.FileResponse:
        """Return a picture."""
        if name not in {*KINDS, LANGUAGES}:
            raise web.HTTPNotFound
        return web.FileResponse(_FOLDER / f"{name}.svg", headers=_HEADERS)


def picture(name: str) -> str:
    """Return the path of the picture of a kind, or of `LANGUAGES`."""
    return f"{PATH}{name}"


def picture_of(voice_id: str) -> str:
    """Return the path of the picture of a voice's most telling kind."""
    kinds = kinds_of(voice_id)
    return picture(next(kind for kind in _TELLING if kind in kinds))
