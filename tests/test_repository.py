"""The repository holds what stores and validators demand, and the checks would notice if not."""

from collections.abc import Callable
import json
from pathlib import Path
import re
import shutil
from typing import Any

import pytest

from .repository import checks
from .repository.checks import CHECKS, COMPONENT, Check

ROOT = Path(__file__).parent.parent

type Damage = Callable[[Path], object]


@pytest.mark.parametrize("check", CHECKS)
def test_repository(check: Check) -> None:
    assert list(check(ROOT)) == []


def edit(path: str | Path, change: Callable[[Any], object]) -> Damage:
    """Return a damage that changes the content of a JSON file of the integration."""

    def damage(root: Path) -> None:
        file = root / COMPONENT / path
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content, ensure_ascii=False))

    return damage


def put(path: str | Path, text: str) -> Damage:
    """Return a damage that writes a file."""

    def damage(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    return damage


def append(path: str | Path, text: str) -> Damage:
    """Return a damage that adds to a text file."""
    return lambda root: (root / path).write_text((root / path).read_text() + text)


def replace(path: str | Path, pattern: str, by: str) -> Damage:
    """Return a damage that replaces the first match in a text file."""

    def damage(root: Path) -> None:
        text, count = re.subn(pattern, by, (root / path).read_text(), count=1)
        assert count == 1
        (root / path).write_text(text)

    return damage


def manifest(**changes: Any) -> Damage:
    """Return a damage that changes the manifest's values, or removes those that are None."""

    def change(content: dict[str, Any]) -> None:
        content.update(changes)
        for key in [key for key, value in content.items() if value is None]:
            del content[key]

    return edit("manifest.json", change)


def text(language: str, change: Callable[[Any], object]) -> Damage:
    """Return a damage that changes the texts of a language."""
    return edit(f"translations/{language}.json", change)


def both(change: Callable[[Any], object]) -> Damage:
    """Return a damage that changes the texts of both languages alike."""

    def damage(root: Path) -> None:
        for language in checks.LANGUAGES:
            text(language, change)(root)

    return damage


def icons(change: Callable[[Any], object]) -> Damage:
    """Return a damage that changes the icons."""
    return edit("icons.json", change)


def user_step(content: Any) -> Any:
    """Return the texts of the first form."""
    return content["config"]["step"]["user"]


def shrink(root: Path) -> None:
    """Put the small icon in the large one's place."""
    folder = root / COMPONENT / "brand"
    shutil.copy(folder / "icon.png", folder / "icon@2x.png")


def make_opaque(root: Path) -> None:
    """Mark the icon as one without transparency."""
    file = root / COMPONENT / "brand/icon.png"
    content = bytearray(file.read_bytes())
    content[25] = 2
    file.write_bytes(content)


def delete(path: str | Path) -> Damage:
    """Return a damage that removes a file."""
    return lambda root: (root / path).unlink()


QUALITY = COMPONENT / "quality_scale.yaml"
TEST = Path(".github/workflows/test.yml")

DAMAGES: dict[Check, dict[str, Damage]] = {
    checks.check_layout: {
        "a second integration": put("custom_components/other/manifest.json", "{}"),
        "no readme": delete("README.md"),
        "another licence": put("LICENSE", "MIT License"),
    },
    checks.check_manifest: {
        "no version": manifest(version=None),
        "no issue tracker": manifest(issue_tracker=None),
        "no owner": manifest(codeowners=[]),
        "an owner without @": manifest(codeowners=["OWNER"]),
        "another domain": manifest(domain="other"),
        "no name": manifest(name=""),
        "no number as version": manifest(version="newest"),
        "an unknown key": manifest(homeassistant="2026.3.0"),
        "keys out of order": edit(
            "manifest.json", lambda content: content.update(name=content.pop("name"))
        ),
        "core's documentation": manifest(
            documentation="https://www.home-assistant.io/integrations/cosyvoice"
        ),
        "an unsafe address": manifest(documentation="http://example.org"),
        "an unknown type": manifest(integration_type="speech"),
        "an unknown class": manifest(iot_class="cloud"),
        "a requirement without version": manifest(requirements=["pyogg"]),
        "what Home Assistant brings": manifest(requirements=["voluptuous==0.16.0"]),
        "no config flow": delete(COMPONENT / "config_flow.py"),
    },
    checks.check_version: {
        "an older changelog": manifest(version="99.0.0"),
    },
    checks.check_dependencies: {
        "an unnamed integration": append(
            COMPONENT / "const.py",
            "\nfrom homeassistant.components.mqtt import client\n",
        ),
        "an unnamed integration, by its name": append(
            COMPONENT / "const.py", "\nfrom homeassistant.components import mqtt\n"
        ),
    },
    checks.check_module_length: {
        "a long module": append(COMPONENT / "const.py", "# more\n" * 600),
    },
    checks.check_translations: {
        "a key in one language": text(
            "en", lambda content: content["common"].update(a="A")
        ),
        "a text missing in one language": text(
            "zh-Hans", lambda content: user_step(content).pop("title")
        ),
        "an unknown part": both(lambda content: content.update(more={"a": "A"})),
        "an unknown key": both(lambda content: user_step(content).update(hint="A")),
        "an invalid key": both(
            lambda content: content["config"]["error"].update(aB="A")
        ),
        "no entry type": both(
            lambda content: content["config_subentries"]["voice"].pop("entry_type")
        ),
        "other placeholders": text(
            "zh-Hans", lambda content: user_step(content).update(description="{other}")
        ),
        "a placeholder that is no name": both(
            lambda content: user_step(content).update(title="{a b}")
        ),
        "a quoted placeholder": both(
            lambda content: user_step(content).update(title="'{a}'")
        ),
        "an address": both(
            lambda content: user_step(content).update(title="See https://example.org")
        ),
        "HTML": both(lambda content: user_step(content).update(title="<b>Key</b>")),
        "a space at the end": both(
            lambda content: user_step(content).update(title="Key ")
        ),
        "an empty text": both(lambda content: user_step(content).update(title="")),
        "a reference": both(
            lambda content: user_step(content).update(
                title="[%key:common::config_flow%]"
            )
        ),
        "a file that is not read": put(COMPONENT / "strings.json", "{}"),
    },
    checks.check_flow_texts: {
        "no title": both(lambda content: user_step(content).pop("title")),
        "no field": both(lambda content: user_step(content)["data"].pop("api_key")),
        "no description": both(
            lambda content: user_step(content)["data_description"].pop("api_key")
        ),
        "a description of nothing": both(
            lambda content: user_step(content)["data_description"].update(more="A")
        ),
        "no description in a section": both(
            lambda content: user_step(content)["sections"]["advanced"][
                "data_description"
            ].pop("base_url")
        ),
        "no name of a section": both(
            lambda content: user_step(content)["sections"]["advanced"].pop("name")
        ),
        "a new field": append(COMPONENT / "config_flow.py", '\nvol.Required("more")\n'),
    },
    checks.check_keys_used: {
        "an unused text": both(
            lambda content: content["exceptions"].update(more={"message": "A"})
        ),
        "an exception without text": append(
            COMPONENT / "tts.py",
            '\nHomeAssistantError(translation_domain=DOMAIN, translation_key="more")\n',
        ),
    },
    checks.check_entities: {
        "an entity without name": both(
            lambda content: content["entity"]["sensor"]["cost"].pop("name")
        ),
        "an entity without text": both(
            lambda content: content["entity"]["sensor"].pop("cost")
        ),
        "a text without entity": both(
            lambda content: content["entity"]["sensor"].update(more={"name": "A"})
        ),
        "an entity without icon": icons(
            lambda content: content["entity"]["sensor"].pop("characters")
        ),
        "an icon in place of the class's": icons(
            lambda content: content["entity"]["sensor"].update(
                cost={"default": "mdi:cash"}
            )
        ),
        "an icon without entity": icons(
            lambda content: content["entity"]["sensor"].update(
                more={"default": "mdi:abc"}
            )
        ),
        "an icon of no state": icons(
            lambda content: content["entity"]["select"]["format"].update(
                state={"flac": "mdi:abc"}
            )
        ),
    },
    checks.check_icons: {
        "no icon of Material Design": icons(
            lambda content: content["entity"]["sensor"]["characters"].update(
                default="hass:cash"
            )
        ),
        "an unknown key": icons(lambda content: content.update(more={})),
        "a state's icon that is the default": icons(
            lambda content: content["entity"]["select"]["format"].update(
                default="mdi:abc", state={"mp3": "mdi:abc"}
            )
        ),
    },
    checks.check_services: {
        "no description of services": delete(COMPONENT / "services.yaml"),
        "an undescribed action": append(COMPONENT / "services.yaml", "\nmore:\n"),
        "an action without texts": both(
            lambda content: content["services"].pop("get_usage")
        ),
        "an action without icon": icons(
            lambda content: content["services"].pop("get_usage")
        ),
        "a field without texts": both(
            lambda content: content["services"]["get_usage"]["fields"].pop("period")
        ),
        "an option without text": both(
            lambda content: content["selector"]["period"]["options"].pop("day")
        ),
    },
    checks.check_brand: {
        "no icon": delete(COMPONENT / "brand/icon.png"),
        "another picture": put(COMPONENT / "brand/banner.png", ""),
        "no picture": put(COMPONENT / "brand/icon.png", "GIF"),
        "a wrong size": shrink,
        "no transparency": make_opaque,
    },
    checks.check_quality_scale: {
        "a rule forgotten": replace(QUALITY, r"\n  brands: .*", ""),
        "an unknown rule": append(QUALITY, "  more: done\n"),
        "an unknown mark": replace(QUALITY, r"brands: done", "brands: perfect"),
        "an exemption without reason": replace(
            QUALITY, r"brands: done", "brands: exempt"
        ),
        "more claimed than done": lambda root: (
            manifest(quality_scale="bronze")(root),
            replace(QUALITY, r"brands: done", "brands: todo")(root),
        ),
    },
    checks.check_hacs: {
        "no name": put("hacs.json", '{"homeassistant": "2026.3.0"}'),
        "no version": put("hacs.json", '{"name": "CosyVoice", "homeassistant": "new"}'),
        "an archive": put(
            "hacs.json",
            '{"name": "CosyVoice", "homeassistant": "2026.3.0", "zip_release": true}',
        ),
    },
    checks.check_pins: {
        "no version": append("requirements.txt", "more\n"),
        "a range": append("requirements.txt", "more>=1.0\n"),
        "an index": append("requirements.txt", "--index-url file:///srv\n"),
        "a registry": append("scripts/setup", "# pythonhosted" + ".org\n"),
        "a lock file": put("uv.lock", ""),
    },
    checks.check_workflows: {
        "an action by its tag": replace(TEST, r"checkout@\w+ # (\S+)", r"checkout@\1"),
        "a commit without its version": replace(TEST, r"(checkout@\w+) # \S+", r"\1"),
        "rights by default": replace(
            TEST, r"permissions: \{\}", "permissions: write-all"
        ),
    },
}


def test_every_check_is_shown_to_fail() -> None:
    assert DAMAGES.keys() == set(CHECKS)


@pytest.mark.parametrize(
    ("check", "damage"),
    [
        pytest.param(check, damage, id=f"{check.__name__}: {name}")
        for check, damages in DAMAGES.items()
        for name, damage in damages.items()
    ],
)
def test_damage_is_noticed(check: Check, damage: Damage, tmp_path: Path) -> None:
    root = tmp_path / "repository"
    for name in ("custom_components", "scripts", ".github"):
        shutil.copytree(
            ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, root)
    before = list(check(root))
    damage(root)
    assert list(check(root)) != before
