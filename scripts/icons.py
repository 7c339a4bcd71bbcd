"""Draw the brand pictures, 256 and 512 pixels wide, from docs/icon.svg."""

from pathlib import Path

import resvg_py

ROOT = Path(__file__).parent.parent
SIZES = {"icon.png": 256, "icon@2x.png": 512}


def main() -> None:
    """Write the pictures into the integration."""
    drawing = (ROOT / "docs/icon.svg").read_text()
    for name, size in SIZES.items():
        picture = resvg_py.svg_to_bytes(svg_string=drawing, width=size, height=size)
        (ROOT / "custom_components/cosyvoice/brand" / name).write_bytes(picture)


if __name__ == "__main__":
    main()
