"""READMEs and docs/ agree with the code, with each other and with the files."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
import json
import os
from pathlib import Path
import re
from urllib.parse import parse_qs, urlsplit

import hass_frontend
import pytest
import voluptuous as vol
import yaml

from custom_components.cosyvoice import services as actions
from custom_components.cosyvoice.client import CATALOGUE
from custom_components.cosyvoice.client.catalogue import Model
from custom_components.cosyvoice.speech.request import SUPPORTED_OPTIONS

from . import texts
from .documents import (
    CHINESE,
    DOCS,
    GUIDES,
    PAGES,
    READMES,
    ROOT,
    code,
    links,
    read,
    rows,
    section,
    without_blocks,
)

COMPONENT = ROOT / "custom_components/cosyvoice"
REPOSITORY = "https://github.com/OWNER/cosyvoice-home-assistant"
HOSTS = {
    "bailian.console.aliyun.com": "API key in Beijing",
    "docs.astral.sh": "uv",
    "github.com": "this repository and those of peers",
    "hacs.xyz": "HACS",
    "help.aliyun.com": "the vendor's documentation in Chinese",
    "img.shields.io": "badges",
    "modelstudio.console.alibabacloud.com": "API key in Singapore",
    "my.home-assistant.io": "buttons",
    "www.alibabacloud.com": "the vendor's documentation",
    "www.aliyun.com": "the product's page in Chinese",
    "www.home-assistant.io": "Home Assistant",
}
"""Every host that a page links to, and what for."""
ONE_LANGUAGE = {"architecture.md", "formats.md", "verify.md"}
"""Pages for developers."""
NEWER_LABELS = {"Marketplace", "Add from link", "从链接添加", "Tools", "工具"}
"""Of the user interface, but not yet in the oldest Home Assistant."""
REGIONS = {
    "cn-beijing": ("Beijing", "北京"),
    "ap-southeast-1": ("Singapore", "新加坡"),
}
UNITS = {"CNY": ("CNY", "元"), "USD": ("USD", "美元")}
HAN_PER_HOUR = 36_000
TOKENS_PER_HOUR = (16_000, 45_000)


def page_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def shown_language(path: Path) -> str:
    return "zh-Hans" if path.name.endswith(CHINESE) else "en"


def page(name: str, language: str) -> str:
    suffix = ".md" if language == "en" else CHINESE
    return read(ROOT / "docs" / f"{name}{suffix}")


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_links_within_the_repository_lead_somewhere(path: Path) -> None:
    for link in links(read(path)):
        if "://" not in link:
            # The Marketplace gives headings no ids
            assert "#" not in link, link
            assert (path.parent / link).exists(), link


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_links_to_other_places_are_well_formed(path: Path) -> None:
    for link in links(read(path)):
        if "://" not in link:
            continue
        parts = urlsplit(link)
        assert parts.scheme == "https", link
        assert parts.hostname in HOSTS, link
        if "OWNER" in link and parts.hostname == "github.com":
            assert link.startswith(REPOSITORY), link
            kept = re.search(r"/(?:blob|raw)/main/(.+)|/workflows/(\w+\.yml)", link)
            if kept:
                name = kept[1] or f".github/workflows/{kept[2]}"
                assert (ROOT / name).exists(), link


@pytest.mark.parametrize("path", READMES, ids=page_id)
def test_buttons_open_what_they_promise(path: Path) -> None:
    opened = {}
    blueprints = set()
    for link in links(read(path)):
        parts = urlsplit(link)
        if parts.hostname == "my.home-assistant.io" and "redirect" in parts.path:
            query = {key: value for key, (value,) in parse_qs(parts.query).items()}
            opened[parts.path.split("/")[2]] = query
            if address := query.get("blueprint_url"):
                blueprints.add(address.removeprefix(f"{REPOSITORY}/blob/main/"))
    _, owner, repository = urlsplit(REPOSITORY).path.split("/")
    assert opened["hacs_repository"] == {
        "owner": owner,
        "repository": repository,
        "category": "integration",
    }
    assert opened["config_flow_start"] == {"domain": "cosyvoice"}
    assert blueprints == {
        str(found.relative_to(ROOT)) for found in ROOT.glob("blueprints/**/*.yaml")
    }


def test_every_picture_is_shown_by_a_page() -> None:
    used = {
        (path.parent / link).resolve()
        for path in PAGES
        for link in links(read(path))
        if "://" not in link
    }
    pictures = {found.resolve() for found in (ROOT / "docs/images").iterdir()}
    assert pictures - used == set()


@pytest.mark.parametrize("path", READMES, ids=page_id)
def test_a_readme_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(read(path).splitlines()) < 200


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in (*READMES[:1], *DOCS)
        if path.name not in ONE_LANGUAGE and not path.name.endswith(CHINESE)
    ],
    ids=page_id,
)
def test_both_languages_have_the_same_parts(path: Path) -> None:
    english, chinese = read(path), read(path.with_name(f"{path.stem}{CHINESE}"))
    if path.stem == "performance":
        return
    for parts in (r"^#+ ", r"^\|", r"^```", r"^\d\. ", r"^- "):
        found = [
            len(re.findall(parts, text, re.MULTILINE)) for text in (english, chinese)
        ]
        assert found[0] == found[1], parts
    codes = [
        {name for name in code(text) if re.fullmatch(r"[\w./ -]+", name)}
        for text in (english, chinese)
    ]
    assert codes[0] == codes[1]


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_commands_exist(path: Path) -> None:
    text = read(path)
    for name, arguments in re.findall(r"\bscripts/([\w./-]*\w)([^`\n]*)", text):
        script = ROOT / "scripts" / name
        assert script.exists(), name
        if script.is_file() and script.suffix == "":
            assert os.access(script, os.X_OK), name
            for option in re.findall(r"(?<= )--[a-z-]+", arguments.split("#")[0]):
                assert option in _explained(script), f"{name} {option}"


def _explained(script: Path) -> str:
    """Return what a script says of itself, with the options of what it runs."""
    pytest_options = "--snapshot-update" if script.name == "test" else ""
    return f"{script.read_text()} {pytest_options} --help"


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_files_that_are_named_exist(path: Path) -> None:
    for name in code(read(path)):
        if re.fullmatch(
            r"(tests|docs|scripts|blueprints|custom_components)/[\w./-]+", name
        ):
            assert (ROOT / name).exists(), name


@cache
def _labels(language: str) -> set[str]:
    """Return what is written in the user interface, Home Assistant's and ours."""
    labels = {label for _, label in texts.leaves(texts.read(language))}
    folder = Path(hass_frontend.where()) / "static/translations"
    for path in folder.rglob(f"{language}-*.json"):
        if not path.name.startswith("en-GB"):
            labels |= {label for _, label in texts.leaves(json.loads(path.read_text()))}
    return labels | NEWER_LABELS | {"CosyVoice", "cosyvoice", "My media"}


@pytest.mark.parametrize("path", GUIDES, ids=page_id)
def test_paths_through_the_user_interface_exist(path: Path) -> None:
    labels = _labels(shown_language(path))
    bold = re.findall(r"\*\*([^*\n]+)\*\*", read(path))
    for way in bold:
        for label in way.split(" > ") if " > " in way else ():
            assert label in labels, way


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_field_of_a_form_is_explained(language: str) -> None:
    text = page("settings", language)
    strings = dict(texts.leaves(texts.read(language)))
    labels = {
        label
        for key, label in strings.items()
        if re.match(
            r"(config\.step\.(user|voice)|config_subentries\.voice\.step\.voice"
            r"|options\.step\.init)\.(sections\.\w+\.)?data\.",
            key,
        )
    }
    assert {label for label in labels if label.lower() not in text.lower()} == set()


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_option_of_a_message_is_explained(language: str) -> None:
    table = rows(page("options", language))[1:]
    named = {name for row in table for name in code(row[0])}
    assert named == set(SUPPORTED_OPTIONS)


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_field_of_an_action_is_explained(language: str) -> None:
    text = page("actions", language)
    services = yaml.safe_load((COMPONENT / "services.yaml").read_text())
    headings = re.findall(r"^## cosyvoice\.(\w+)$", text, re.MULTILINE)
    assert sorted(headings) == sorted(services)
    yes = {"en": "yes", "zh-Hans": "是"}[language]
    for action in headings:
        table = [row for row in rows(section(text, f"cosyvoice.{action}")) if row[2:]]
        explained = {row[0].strip("`"): row[1] == yes for row in table[1:]}
        fields = services[action]["fields"]
        assert explained.keys() == fields.keys()
        for marker in _schema(action):
            required = isinstance(marker, vol.Required)
            assert explained[str(marker)] == required, marker


def _schema(action: str) -> Iterable[vol.Marker]:
    """Return the fields of an action, each required or optional."""
    if action == "synthesize":
        return actions.SYNTHESIZE_SCHEMA
    fields: Iterable[vol.Marker] = getattr(actions, f"{action.upper()}_SCHEMA").schema
    return fields


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_prices_are_those_of_the_catalogue(language: str) -> None:
    found = {}
    for row in rows(page("models", language))[1:]:
        model = CATALOGUE.models[row[0].strip("`")]
        found[model.id] = row
        for region, names in REGIONS.items():
            assert (region in model.prices) == any(name in row[1] for name in names)
        prices, hours = expected(model)
        assert money(row[2]) == prices, model.id
        assert money(row[3]) == hours, model.id
        voices = [
            voice for voice in CATALOGUE.voices.values() if voice.models[0] == model.id
        ]
        named = re.match(r"(\d+) (?:voices|个音色)", row[4])
        assert int(named[1]) if named else not voices
    assert found.keys() == CATALOGUE.models.keys()


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_models_of_custom_voices_are_those_of_the_catalogue(language: str) -> None:
    table = rows(page("voices", language))[1:]
    models = [CATALOGUE.models[row[0].strip("`")] for row in table]
    assert models == list(CATALOGUE.models.values())
    for row, model in zip(table, models, strict=True):
        for cell, regions in zip(
            row[1:], (model.clones_in, model.designs_in), strict=True
        ):
            for region, names in REGIONS.items():
                assert (region in regions) == any(name in cell for name in names)


def money(text: str) -> dict[str, list[Decimal]]:
    """Return the amounts in a text by currency."""
    found: dict[str, list[Decimal]] = {}
    for amount, unit in re.findall(r"([\d.]+) (CNY|USD|元|美元)", text):
        currency = next(key for key, names in UNITS.items() if unit in names)
        found.setdefault(currency, []).append(Decimal(amount))
    return found


def expected(
    model: Model,
) -> tuple[dict[str, list[Decimal]], dict[str, list[Decimal]]]:
    """Return a model's prices, and those of an hour of speech, by currency."""
    prices, hours = {}, {}
    for price in model.prices.values():
        if price.per_10k_characters:
            prices[price.currency] = [price.per_10k_characters]
            hour = price.per_10k_characters * HAN_PER_HOUR / 10_000
        else:
            each = [price.per_million_input_tokens, price.per_million_output_tokens]
            prices[price.currency] = each
            tokens = zip(each, TOKENS_PER_HOUR, strict=True)
            hour = sum((rate * count for rate, count in tokens), Decimal(0)) / 1_000_000
        hours[price.currency] = [round(hour, 1 - hour.adjusted())]
    return prices, hours


@pytest.mark.parametrize("path", READMES, ids=page_id)
def test_the_cost_in_a_readme_is_that_of_the_models(path: Path) -> None:
    hours = [expected(model)[1] for model in CATALOGUE.models.values()]
    cny = [hour["CNY"][0] for hour in hours]
    flash = expected(CATALOGUE.models["cosyvoice-v3-flash"])[1]
    named = {amount for amounts in money(read(path)).values() for amount in amounts}
    assert {max(cny), flash["CNY"][0], flash["USD"][0], Decimal(12)} <= named
    assert str(min(cny)) in read(path)
    # 100 announcements of 20 Chinese characters a day, for 30 days
    price = CATALOGUE.models["cosyvoice-v3-flash"].prices["cn-beijing"]
    assert 100 * 20 * 2 * 30 * price.per_10k_characters / 10_000 == 12


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_a_readme_has_the_models_of_their_page(language: str) -> None:
    """What an hour costs, where, and what for; the page has the prices as well."""
    readme = READMES[language != "en"]
    found = [row for row in rows(read(readme)) if row[0].strip("`") in CATALOGUE.models]
    table = rows(page("models", language))[1:]
    assert found == [[row[0], row[3], row[1], row[4]] for row in table]


@pytest.mark.parametrize("path", GUIDES, ids=page_id)
def test_numbers_of_voices_are_those_of_the_catalogue(path: Path) -> None:
    text = without_blocks(read(path))
    counts = {
        region: len(list(CATALOGUE.voices_in(region))) for region in CATALOGUE.regions
    }
    if path.stem.startswith("README"):
        assert f"{len(CATALOGUE.voices)} " in text
    if path.stem.startswith(("settings", "models")):
        assert all(str(count) in text for count in counts.values())


@pytest.mark.parametrize(
    "path", [*READMES, ROOT / "docs/performance.zh-Hans.md"], ids=page_id
)
def test_times_are_those_that_were_measured(path: Path) -> None:
    measured = read(ROOT / "docs/performance.md")
    for time in re.findall(r"\b(\d{3,4})\b(?: ms| 毫秒)", read(path)):
        assert re.search(rf"\b{time}\b", measured), time
    for row in rows(read(path)):
        for cell in row[1:]:
            if path not in READMES and cell.isdecimal():
                assert re.search(rf"\b{cell}\b", measured), cell


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_messages_in_the_troubleshooting_are_real(language: str) -> None:
    strings = [text for _, text in texts.leaves(texts.read(language))]
    table = rows(page("troubleshooting", language))[1:]
    assert len(table) > 25
    for message, _ in table:
        parts = [re.escape(part.strip()) for part in re.split(r"“?…”?", message)]
        pattern = re.compile(".{0,30}?".join(parts), re.DOTALL)
        assert any(pattern.search(text) for text in strings), message


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_every_repair_issue_is_in_the_troubleshooting(language: str) -> None:
    messages = " ".join(row[0] for row in rows(page("troubleshooting", language)))
    for key, issue in texts.read(language)["issues"].items():
        if not key.startswith("budget_"):
            part = max(re.split(r"\{\w+\}", issue["title"]), key=len).strip(" ：:")
            assert part in messages, key


def test_versions_agree() -> None:
    version = json.loads((COMPONENT / "manifest.json").read_text())["version"]
    project = re.search(
        r'^version = "(.+)"$', read(ROOT / "pyproject.toml"), re.MULTILINE
    )
    assert project and project[1] == version
    headings = re.findall(
        r"^## \[?([^\s\]]+)", read(ROOT / "CHANGELOG.md"), re.MULTILINE
    )
    assert version == next(name for name in headings if name != "Unreleased")
    form = read(ROOT / ".github/ISSUE_TEMPLATE/bug_report.yml")
    assert f"placeholder: {version}" in form
