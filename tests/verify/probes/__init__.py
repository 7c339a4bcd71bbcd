"""All probes, by what they are about; importing this registers them."""

from importlib import import_module
from pathlib import Path

for _path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
    import_module(f"{__package__}.{_path.stem}")
