"""The pages that people read: READMEs, docs/, and those of GitHub."""

from pathlib import Path
import re
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
READMES = (ROOT / "README.md", ROOT / "README.zh-Hans.md")
DOCS = tuple(sorted((ROOT / "docs").glob("*.md")))
CHINESE = ".zh-Hans.md"
PAGES = (
    *READMES,
    *DOCS,
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / ".github").glob("*.md")),
)
"""Every page whose links and commands are checked."""
GUIDES = (*READMES, *DOCS)
"""The pages for users."""


def read(path: Path) -> str:
    """Return the text of a page."""
    return path.read_text(encoding="utf-8")


def links(text: str) -> list[str]:
    """Return the targets of a page's links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))


def code(text: str) -> list[str]:
    """Return what stands in single backticks."""
    return re.findall(r"`([^`\n]+)`", without_blocks(text))


def without_blocks(text: str) -> str:
    """Return a text without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    """Return a page's blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.+?)^```", text, re.DOTALL | re.MULTILINE)


def examples(path: Path) -> list[dict[str, Any]]:
    """Return a page's examples, each with the list ``actions``."""
    found = [yaml.safe_load(block) for block in blocks(read(path), "yaml")]
    return [item if "actions" in item else {"actions": [item]} for item in found]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all rows of a text's tables, headers included."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if set("".join(row)) - set("-: ")]


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    return re.split(r"^## ", text.split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]
