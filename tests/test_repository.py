"""The repository's files agree with each other; hassfest and HACS check the rest."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import hass_frontend
import pytest
import yaml

from custom_components.cosyvoice.client import CATALOGUE
from homeassistant.components import tts
from homeassistant.helpers.selector import validate_selector

from .texts import LANGUAGES, leaves, placeholders, read

ROOT = Path(__file__).parent.parent
COMPONENT = ROOT / "custom_components/cosyvoice"
MODULES = sorted(COMPONENT.rglob("*.py"))
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
# A mirror's address comes from the configuration of each machine
REGISTRIES = re.compile(r"(pypi|pythonhosted|deb\.debian|registry\.npmjs)\.(org|com)")
# Before a comment: Japanese kana, Chinese characters, Korean syllables
EAST_ASIAN = re.compile(r"^[^#]*[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
TIERS = ("Bronze", "Silver", "Gold", "Platinum")
# The button "Learn more" has these words in Home Assistant 2026.10, not yet in 2026.3
NEWER_LABELS = {"もっと詳しく", "자세히 알아보기"}
PICTURES_AND_SOUNDS = (".gif", ".mp3", ".opus", ".png", ".wav")


def text_files() -> Iterator[Path]:
    """Yield the files of the repository that hold text."""
    for folder, names, contents in ROOT.walk():
        names[:] = [
            name
            for name in names
            if name in {".ci", ".devcontainer", ".github"}
            or (not name.startswith(".") and name != "__pycache__")
        ]
        for name in contents:
            if not name.startswith(".") and not name.endswith(PICTURES_AND_SOUNDS):
                yield folder / name


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_texts_and_placeholders(language: str) -> None:
    english, other = dict(leaves(read("en"))), dict(leaves(read(language)))
    assert other.keys() == english.keys()
    for key, text in english.items():
        assert placeholders(other[key]) == placeholders(text), key


def home_assistant(language: str) -> dict[str, str]:
    """Return Home Assistant's labels that the texts name, by dotted key."""
    frontend = Path(hass_frontend.where()) / "static/translations/config"
    # es-419-… is another language than es-…
    [path] = [
        path
        for path in frontend.glob(f"{language}-*.json")
        if re.fullmatch(rf"{language}-[0-9a-f]{{32}}", path.stem)
    ]
    return {
        key: text
        for file in (path, Path(tts.__path__[0], f"translations/{language}.json"))
        for key, text in leaves(json.loads(file.read_text(encoding="utf-8")))
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_buttons_and_actions_are_named_as_they_are_labelled(language: str) -> None:
    texts, theirs = dict(leaves(read(language))), home_assistant(language)
    ours = {
        texts["entity.number.monthly_budget.name"],
        texts["config_subentries.voice.initiate_flow.reconfigure"],
        texts["services.delete_voice.name"],
    }
    bold = set(re.findall(r"\*\*([^*]+)\*\*", " ".join(texts.values())))
    assert bold >= ours
    assert bold - ours - NEWER_LABELS <= {
        theirs["ui.panel.config.repairs.dialog.learn"],
        theirs["services.speak.name"],
    }
    for key, name in {
        "exceptions.no_custom_voice.message": "services.list_voices.name",
        "services.delete_voice.fields.voice_id.description": "services.list_voices.name",
        "config_subentries.voice.step.voice.data_description.instruction": (
            "entity.select.style.name"
        ),
    }.items():
        assert texts[name].lower() in texts[key].lower(), key


def test_what_the_catalogue_lists_has_names() -> None:
    texts = read("en")
    lists = {
        name: set(item.get("options", ())) for name, item in texts["selector"].items()
    }
    voices = CATALOGUE.voices.values()
    styles = {style.key for voice in voices for style in voice.styles}
    assert styles | {"none"} == set(texts["entity"]["select"]["style"]["state"])
    assert lists["region"] == set(CATALOGUE.regions)
    models = {model.replace(".", "_") for model in CATALOGUE.models}
    assert lists["model_purpose"] == models
    assert lists["dialect"] == {voice.dialect for voice in voices} - {None}
    spoken = {language.lower() for voice in voices for language in voice.languages}
    assert spoken | {"any"} <= lists["language"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_has_no_text_in_an_east_asian_language(path: Path) -> None:
    """Comments may have some; texts for people belong into the translations."""
    for line in path.read_text(encoding="utf-8").splitlines():
        assert not EAST_ASIAN.search(line), line


def test_every_text_is_used() -> None:
    """Of exceptions, issues and entities, whose keys stand in the code."""
    strings = {
        node.value
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    prefixes = tuple(text for text in strings if text.endswith("_"))
    texts = read("en")
    keys = {*texts["exceptions"], *texts["issues"]}.union(*texts["entity"].values())
    unused = [key for key in keys - strings if not key.startswith(prefixes)]
    assert unused == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 500


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name
)
def test_requirements_are_pinned(path: Path) -> None:
    for line in path.read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[\w.]+", line)


def test_no_file_names_a_registry() -> None:
    for path in text_files():
        assert path.suffix != ".lock", path
        assert not REGISTRIES.search(path.read_text()), path


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_pin_actions_and_have_no_rights_by_default(path: Path) -> None:
    text = path.read_text()
    assert yaml.safe_load(text)["permissions"] == {}
    for action in re.findall(r"uses: *(.+)", text):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # \S.*", action), action


def test_the_manifest_claims_the_tier_whose_rules_are_met() -> None:
    text = (COMPONENT / "quality_scale.yaml").read_text()
    rules = yaml.safe_load(text)["rules"]
    met = ""
    for tier, rest in zip(TIERS, re.split(r"# (?:\w+)\n", text)[1:], strict=True):
        names = re.findall(r"^  ([a-z-]+):", rest, re.MULTILINE)
        found = [rules[name] for name in names]
        if any(_status(rule) == "todo" for rule in found):
            break
        met = tier.lower()
    assert len(rules) == 54
    assert json.loads((COMPONENT / "manifest.json").read_text())["quality_scale"] == met
    for name, rule in rules.items():
        assert _status(rule) in {"done", "exempt", "todo"}
        assert _status(rule) == "done" or rule["comment"], name


def _status(rule: Any) -> str:
    return str(rule if isinstance(rule, str) else rule["status"])


def test_icons_are_those_that_home_assistant_has() -> None:
    metadata = Path(hass_frontend.where()) / "static/mdi/iconList.json"
    known = {f"mdi:{icon['name']}" for icon in json.loads(metadata.read_text())}
    icons = {
        icon for _, icon in leaves(json.loads((COMPONENT / "icons.json").read_text()))
    }
    assert icons and icons <= known


def test_fields_of_actions_have_selectors_that_home_assistant_knows() -> None:
    services = yaml.safe_load((COMPONENT / "services.yaml").read_text())
    texts = read("en")["services"]
    icons = json.loads((COMPONENT / "icons.json").read_text())["services"]
    assert services.keys() == texts.keys() == icons.keys()
    for name, service in services.items():
        for field in service["fields"].values():
            validate_selector(field["selector"])
        assert service["fields"].keys() == texts[name]["fields"].keys()
