"""Checks of the repository: what Home Assistant's hassfest, the store and this project demand.

Each check takes the repository's folder and yields a line for every fault.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
import re
import struct

import voluptuous as vol
import yaml

from homeassistant.const import Platform

from .reading import (
    constants,
    entity_keys,
    error_keys,
    files,
    form_fields,
    imports,
    leaves,
    modules,
    placeholders,
    read_json,
    steps,
    text_faults,
)
from .shapes import (
    BRAND_SIZES,
    FREE_IMPORTS,
    HACS_KEYS,
    ICON_SCHEMA,
    INTEGRATION_TYPES,
    IOT_CLASSES,
    MANIFEST_KEYS,
    QUALITY_RULES,
    REQUIRED_KEYS,
    TRANSLATION_SCHEMA,
)

type Check = Callable[[Path], Iterable[str]]

DOMAIN = "cosyvoice"
COMPONENT = Path("custom_components") / DOMAIN
LANGUAGES = ("en", "zh-Hans")
# A mirror's address comes from the machine's own configuration
REGISTRIES = re.compile(r"(pypi|pythonhosted|deb\.debian|registry\.npmjs)\.(org|com)")


def check_layout(root: Path) -> Iterator[str]:
    """One integration, in a folder named as its domain, under a licence."""
    folders = [
        path.name for path in (root / "custom_components").iterdir() if path.is_dir()
    ]
    if [name for name in folders if name != "__pycache__"] != [DOMAIN]:
        yield f"custom_components holds {folders}"
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"):
        if not (root / name).is_file():
            yield f"{name} is missing"
    if not (root / "LICENSE").read_text().lstrip().startswith("Apache License"):
        yield "LICENSE is not Apache's"


def check_manifest(root: Path) -> Iterator[str]:
    """The manifest's keys, their order and their values."""
    manifest = read_json(root / COMPONENT / "manifest.json")
    keys = list(manifest)
    if keys != (ordered := ["domain", "name", *sorted(set(keys) - {"domain", "name"})]):
        yield f"keys are {keys}, not {ordered}"
    yield from (f"unknown key {key}" for key in sorted(set(keys) - MANIFEST_KEYS))
    missing = sorted(REQUIRED_KEYS - set(keys))
    if missing:
        yield f"keys {missing} are missing"
        return
    if manifest["domain"] != DOMAIN:
        yield f"domain is {manifest['domain']}"
    if not manifest["name"]:
        yield "name is empty"
    for key in ("documentation", "issue_tracker"):
        if (
            not manifest[key].startswith("https://")
            or "www.home-assistant.io" in manifest[key]
        ):
            yield f"{key} is no address of this project"
    owners = manifest["codeowners"]
    if not owners or not all(owner.startswith("@") for owner in owners):
        yield f"codeowners are {owners}"
    if manifest["integration_type"] not in INTEGRATION_TYPES:
        yield f"integration_type is {manifest['integration_type']}"
    if manifest["iot_class"] not in IOT_CLASSES:
        yield f"iot_class is {manifest['iot_class']}"
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", manifest["version"]):
        yield f"version is {manifest['version']}"
    for requirement in manifest.get("requirements", []):
        if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+", requirement):
            yield f"requirement {requirement} names no exact version"
        if re.match("aiohttp|voluptuous", requirement):
            yield f"{requirement} comes with Home Assistant"
    if (
        manifest.get("config_flow")
        and not (root / COMPONENT / "config_flow.py").is_file()
    ):
        yield "config_flow.py is missing"


def check_version(root: Path) -> Iterator[str]:
    """The changelog's newest version is the manifest's."""
    version = read_json(root / COMPONENT / "manifest.json")["version"]
    headings = re.findall(
        r"^## (\S+)", (root / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    if headings[:1] != [version]:
        yield f"the manifest has version {version}, the changelog begins with {headings[:1]}"


def check_dependencies(root: Path) -> Iterator[str]:
    """Every integration that is imported stands in the manifest."""
    manifest = read_json(root / COMPONENT / "manifest.json")
    named = {*manifest.get("dependencies", []), *manifest.get("after_dependencies", [])}
    for path in modules(root / COMPONENT):
        for module in imports(path):
            parts = module.split(".")
            if parts[:2] != ["homeassistant", "components"] or len(parts) < 3:
                continue
            if parts[2] not in FREE_IMPORTS | named | {path.stem}:
                yield f"{path.name} imports {parts[2]}, which the manifest does not name"


def check_module_length(root: Path) -> Iterator[str]:
    """A module can be read in one sitting."""
    for path in modules(root / COMPONENT):
        if (length := len(path.read_text().splitlines())) > 520:
            yield f"{path.relative_to(root)} has {length} lines"


def check_translations(root: Path) -> Iterator[str]:
    """Both languages have the shape that hassfest demands, the same keys and placeholders."""
    folder = root / COMPONENT / "translations"
    if (root / COMPONENT / "strings.json").exists():
        yield "strings.json is not read for a custom integration"
    texts = {}
    for language in LANGUAGES:
        content = read_json(folder / f"{language}.json")
        try:
            TRANSLATION_SCHEMA(content)
        except vol.MultipleInvalid as err:
            yield from (f"{language}: {fault}" for fault in err.errors)
        texts[language] = dict(leaves(content))
        for key, text in texts[language].items():
            yield from (f"{language} {key} {fault}" for fault in text_faults(text))
    english, chinese = texts.values()
    for key in sorted(english.keys() ^ chinese.keys()):
        yield f"{key} is in one language only"
    for key in sorted(english.keys() & chinese.keys()):
        if placeholders(english[key]) != placeholders(chinese[key]):
            yield f"{key} has other placeholders in the other language"


def check_flow_texts(root: Path) -> Iterator[str]:
    """Every step has a title, every field a name and a description."""
    content = read_json(root / COMPONENT / "translations" / "en.json")
    described: set[str] = set()
    for flow, step_id, step in steps(content):
        place = f"{flow} {step_id}"
        if "title" not in step and not step_id.endswith("confirm"):
            yield f"{place} has no title"
        parts = {"": step, **step.get("sections", {})}
        described |= parts.keys()
        for name, part in parts.items():
            fields = part.get("data", {}).keys()
            described |= fields
            for field in sorted(fields ^ part.get("data_description", {}).keys()):
                yield f"{place} {name} {field} has no name or no description"
            if name and "name" not in part:
                yield f"{place} {name} has no name"
    known = constants(root / COMPONENT / "const.py")
    for path in (root / COMPONENT).glob("*flow.py"):
        for field in sorted(form_fields(path, known) - described):
            yield f"{path.name} asks for {field}, which has no text"


def check_keys_used(root: Path) -> Iterator[str]:
    """Every error text is used, and every text that the code names exists."""
    content = read_json(root / COMPONENT / "translations" / "en.json")
    code = modules(root / COMPONENT)
    strings = {
        node.value
        for path in code
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    known = {*content.get("exceptions", {}), *content.get("issues", {})}
    for key in sorted(known - strings):
        if not any(
            key.startswith(prefix) for prefix in strings if prefix.endswith("_")
        ):
            yield f"no code uses the text {key}"
    for path in code:
        for key in error_keys(path):
            if key not in known:
                yield f"{path.name} raises {key}, which has no text"


def check_entities(root: Path) -> Iterator[str]:
    """Every entity of a platform has a name, and an icon unless its class gives one."""
    names = read_json(root / COMPONENT / "translations" / "en.json").get("entity", {})
    icons = read_json(root / COMPONENT / "icons.json").get("entity", {})
    known = constants(root / COMPONENT / "const.py")
    for platform in Platform:
        path = root / COMPONENT / f"{platform}.py"
        used = entity_keys(path, known) if path.is_file() else set()
        named = names.get(platform, {})
        yield from (
            f"{platform} {key} has no name" for key in sorted(used - named.keys())
        )
        yield from (
            f"{platform} {key} is no entity" for key in sorted(named.keys() - used)
        )
        classed = entity_keys(path, known, "device_class") if used else set()
        for key in sorted(used - classed - icons.get(platform, {}).keys()):
            yield f"{platform} {key} has no icon"
        for key in sorted(classed & icons.get(platform, {}).keys()):
            yield f"{platform} {key} has an icon in place of its class's"
        for key in sorted(icons.get(platform, {}).keys() - used):
            yield f"{platform} {key} has an icon and is no entity"
        for key, text in named.items():
            if "name" not in text:
                yield f"{platform} {key} has no name"
            states = icons.get(platform, {}).get(key, {}).get("state", {})
            for state in sorted(states.keys() - text.get("state", {}).keys()):
                yield f"{platform} {key} has an icon for {state}, which is no state"


def check_icons(root: Path) -> Iterator[str]:
    """The icons have the shape that hassfest demands."""
    icons = read_json(root / COMPONENT / "icons.json")
    try:
        ICON_SCHEMA(icons)
    except vol.MultipleInvalid as err:
        yield from map(str, err.errors)
        return
    for platform in icons["entity"].values():
        for key, icon in platform.items():
            if icon["default"] in icon.get("state", {}).values():
                yield f"{key} has a state's icon that equals its default"


def check_services(root: Path) -> Iterator[str]:
    """Actions and their fields are described alike in services.yaml, texts and icons."""
    path = root / COMPONENT / "services.yaml"
    services = yaml.safe_load(path.read_text()) if path.is_file() else {}
    content = read_json(root / COMPONENT / "translations" / "en.json")
    texts = content.get("services", {})
    icons = read_json(root / COMPONENT / "icons.json").get("services", {})
    code = "".join(module.read_text() for module in modules(root / COMPONENT))
    if "async_register" in code and not services:
        yield "services are registered, and services.yaml describes none"
    for name in sorted(services.keys() ^ texts.keys()):
        yield f"{name} is not both in services.yaml and in the texts"
    for name in sorted(services.keys() ^ icons.keys()):
        yield f"{name} is not both in services.yaml and in the icons"
    for name in services.keys() & texts.keys():
        fields = services[name].get("fields", {})
        for field in sorted(fields.keys() ^ texts[name].get("fields", {}).keys()):
            yield f"{name} {field} is not both in services.yaml and in the texts"
        for field, details in fields.items():
            select = (details.get("selector") or {}).get("select") or {}
            options = content.get("selector", {}).get(select.get("translation_key"), {})
            if "translation_key" in select and set(select["options"]) != set(
                options.get("options", {})
            ):
                yield f"{name} {field} has options without a text, or texts without an option"


def check_brand(root: Path) -> Iterator[str]:
    """The icons are PNG files of the right size, with transparency."""
    folder = root / COMPONENT / "brand"
    for name in sorted({path.name for path in folder.glob("*")} ^ BRAND_SIZES.keys()):
        yield f"{name} is missing, or unknown"
    for name, size in BRAND_SIZES.items():
        head = (folder / name).read_bytes()[:26] if (folder / name).is_file() else b""
        if head[:8] != b"\x89PNG\r\n\x1a\n":
            yield f"{name} is no PNG file"
            continue
        width, height, _, colour = struct.unpack(">IIBB", head[16:26])
        if (width, height) != (size, size):
            yield f"{name} has {width} x {height} pixels"
        if colour not in {4, 6}:
            yield f"{name} has no transparency"


def check_quality_scale(root: Path) -> Iterator[str]:
    """Every rule is marked, and the manifest claims no more than is done."""
    rules = yaml.safe_load((root / COMPONENT / "quality_scale.yaml").read_text())[
        "rules"
    ]
    known = {rule for tier in QUALITY_RULES.values() for rule in tier}
    for rule in sorted(rules.keys() ^ known):
        yield f"{rule} is missing, or unknown"
    done = set()
    for rule, mark in rules.items():
        status = mark if isinstance(mark, str) else mark.get("status")
        if status not in {"done", "exempt", "todo"}:
            yield f"{rule} is {status}"
        if status == "exempt" and (isinstance(mark, str) or not mark.get("comment")):
            yield f"{rule} is exempt without a reason"
        if status != "todo":
            done.add(rule)
    claim = read_json(root / COMPONENT / "manifest.json").get("quality_scale")
    tiers = list(QUALITY_RULES)
    for tier in tiers[: tiers.index(claim) + 1] if claim else []:
        for rule in QUALITY_RULES[tier]:
            if rule not in done:
                yield f"the manifest claims {claim}, but {rule} is not done"


def check_hacs(root: Path) -> Iterator[str]:
    """The store's file has a name and a version, and asks for nothing that it refuses."""
    content = read_json(root / "hacs.json")
    for key in sorted(content.keys() - HACS_KEYS):
        yield f"unknown or unwanted key {key}"
    if not content.get("name"):
        yield "name is missing"
    if not re.fullmatch(r"20\d\d\.\d{1,2}\.\d+", content.get("homeassistant", "")):
        yield "homeassistant is no version"


def check_pins(root: Path) -> Iterator[str]:
    """Everything that is installed is pinned, and no file names a registry's host."""
    for name in (
        "requirements.txt",
        "requirements-oldest.txt",
        "requirements-build.txt",
    ):
        for line in (root / name).read_text().splitlines():
            if not line.startswith("#") and not re.fullmatch(
                r"[a-z0-9-]+==[\w.]+", line
            ):
                yield f"{name}: {line}"
    for path in files(root):
        if path.suffix == ".lock" or REGISTRIES.search(path.read_text()):
            yield f"{path.relative_to(root)} names a registry's host"


def check_workflows(root: Path) -> Iterator[str]:
    """Workflows name every action by its commit and have no rights by default."""
    for path in sorted((root / ".github/workflows").glob("*.yml")):
        text = path.read_text()
        if yaml.safe_load(text).get("permissions") != {}:
            yield f"{path.name} has rights by default"
        for action in re.findall(r"uses: *(.+)", text):
            if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # \S.*", action):
                yield f"{path.name} uses {action}"


CHECKS: tuple[Check, ...] = (
    check_layout,
    check_manifest,
    check_version,
    check_dependencies,
    check_module_length,
    check_translations,
    check_flow_texts,
    check_keys_used,
    check_entities,
    check_icons,
    check_services,
    check_brand,
    check_quality_scale,
    check_hacs,
    check_pins,
    check_workflows,
)
