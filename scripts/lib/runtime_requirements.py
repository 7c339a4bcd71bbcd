"""Print the packages that Home Assistant installs when it starts.

With the integrations that tests and demo use, those that Home Assistant always
starts, and their dependencies.
"""

import json
from pathlib import Path

from homeassistant import bootstrap, components
from homeassistant.requirements import DISCOVERY_INTEGRATIONS

USED = {
    # The camera's library is needed to describe any action
    *("assist_pipeline", "camera", "conversation", "diagnostics", "ffmpeg"),
    *(
        "frontend",
        "history",
        "logbook",
        "logger",
        "media_player",
        "media_source",
        "recorder",
    ),
    *("system_health", "tts", "wyoming"),
}


def main() -> None:
    """Print the requirements, one a line."""
    folder = Path(components.__path__[0])
    wanted = {
        *USED,
        *bootstrap.CORE_INTEGRATIONS,
        *bootstrap.DEFAULT_INTEGRATIONS,
    }
    wanted |= {"auth", "http", "onboarding", "persistent_notification", "system_log"}
    seen: set[str] = set()
    requirements: set[str] = set()
    while wanted:
        domain = wanted.pop()
        seen.add(domain)
        manifest = json.loads((folder / domain / "manifest.json").read_text())
        requirements.update(manifest.get("requirements", []))
        needed = {
            *manifest.get("dependencies", []),
            *manifest.get("after_dependencies", []),
        }
        needed.update(
            discovery
            for discovery, keys in DISCOVERY_INTEGRATIONS.items()
            if any(key in manifest for key in keys)
        )
        wanted |= needed - seen
    print("\n".join(sorted(requirements)))


if __name__ == "__main__":
    main()
