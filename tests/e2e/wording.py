"""Find what a page shows in place of a text: a key, an unfilled placeholder, nothing."""

from collections.abc import Iterable, Iterator
import re
from typing import NamedTuple

from custom_components.cosyvoice.client import CATALOGUE
from tests.texts import leaves, read

SHOWN = """
() => {
  const texts = [];
  const unnamed = [];
  const NAMED = "ha-selector, ha-list-item, ha-combo-box-item, ha-md-list-item," +
    " ha-dropdown-item, ha-list-item-base, ha-button, [role=menuitem], [role=option]";
  const CODE = "script, style, code, pre, svg, ha-code-editor, ha-svg-icon";
  const isNamed = (element) => !!(element.label || element.ariaLabel || element.title ||
    element.innerText?.trim() || element.shadowRoot?.textContent.trim() ||
    element.querySelector("img, ha-icon, ha-svg-icon"));
  const visit = (node, isFlow) => {
    isFlow ||= node.localName === "dialog-data-entry-flow";
    if (node.nodeType === Node.TEXT_NODE) {
      texts.push(node.data.trim());
      return;
    }
    if (node.nodeType === Node.ELEMENT_NODE) {
      const style = getComputedStyle(node);
      if (node.matches(CODE) || style.display === "none" || style.visibility === "hidden") {
        return;
      }
      texts.push(node.placeholder, node.title, node.ariaLabel);
      if (isFlow && node.matches(NAMED) && !isNamed(node)) {
        unnamed.push(node.outerHTML);
      }
      if (isFlow && node.matches("ha-selector") && !node.helper) {
        unnamed.push(`no description: ${node.label}`);
      }
    }
    if (node.shadowRoot) {
      visit(node.shadowRoot, isFlow);
    }
    for (const child of node.childNodes) {
      // Of an element with a shadow, the page shows those children that have a slot
      if (!node.shadowRoot || child.assignedSlot) {
        visit(child, isFlow);
      }
    }
  };
  visit(document.body, false);
  return [texts.filter((text) => typeof text === "string" && text), unnamed];
}
"""
"""Returns the texts that a page shows, and the controls of a dialog that have none."""
PATH = re.compile(
    r"\b(?:component|config|config_subentries|entity|exceptions|issues|options|selector|services|state|ui)"
    r"(?:\.[\w-]+)+"
)
SNAKE = re.compile(r"(?<![\w./:-])[a-z]+(?:_[a-z0-9]+)+(?![\w./:-])")
"""A key of Home Assistant's kind; not a part of an entity id or of a path."""
VOICE = re.compile(r".*_v\d")
PLACEHOLDER = re.compile(r"\{\w*\}")
NOTHING = re.compile(r"\b(?:undefined|NaN)\b|\[object ")


class Wording(NamedTuple):
    """What the integration's texts in a language are, and what they are not.

    Attributes:
        keys: Whatever has a text, by its key.
        words: Keys that texts name, such as options of an action.
        foreign: English texts that have another one in this language.
    """

    keys: frozenset[str]
    words: frozenset[str]
    foreign: frozenset[str]

    @classmethod
    def of(cls, language: str) -> Wording:
        """Read the texts of a language."""
        texts = dict(leaves(read(language)))
        values = frozenset(texts.values())
        keys = {part for path in texts for part in path.split(".")}
        return cls(
            keys=frozenset(keys) - values - CATALOGUE.models.keys(),
            words=frozenset(SNAKE.findall("\n".join(values))),
            foreign=frozenset(dict(leaves(read("en"))).values()) - values,
        )

    def faults(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield those of a page's texts that should not be shown."""
        for text in dict.fromkeys(texts):
            if (
                text in self.keys
                or text in self.foreign
                or any(form.search(text) for form in (PATH, PLACEHOLDER, NOTHING))
                or any(self._is_key(word) for word in SNAKE.findall(text))
            ):
                yield text

    def _is_key(self, word: str) -> bool:
        return word not in self.words and not VOICE.fullmatch(word)
