"""The marks of Markdown, HTML and LaTeX, as regular expressions.

A pattern named ``…_BEGUN`` matches text that may become a match of the pattern without
that ending when more arrives. Quantifiers are possessive: no text takes long to refuse.
"""

import re

from ..characters import EMOJI, KEYCAP, STOPS
from ..tags import CONTROL_TAGS, SOUND_TAGS

# A terminal's colors and the like.
ESCAPE = re.compile(r"\x1b\[[0-9;]{0,16}[A-Za-z]")
ESCAPE_BEGUN = re.compile(r"\x1b(?:\[[0-9;]{0,16})?\Z")

# At the start of a line.
LINE_MARKS = "-*+_=#>|~`•‣·–:"
MARK_RUN = re.compile(f"[{LINE_MARKS} ]+".replace("-", r"\-", 1))
# A code block that begins in an item or a quote.
FENCE_INSIDE = re.compile(r"[-*+>•‣·– ]++(?:`{3}|~{3})")
FENCE = re.compile("`{3,64}|~{3,64}")
FENCE_LINE = re.compile(r"[^`~\n]*+")
# A lone word after it is the language of another block.
FENCE_END = re.compile("[ >]*+(`{3,}+|~{3,}+)(?! *+[A-Za-z][!-~]*+ *+$) *+")
HEADING = re.compile(r"#{1,6}+(?= )|#{2,6}+(?=[^\s#])|#(?=[\u2e80-\uffff])")
HEADING_END = re.compile("#{1,64} {0,64}")
BULLET = re.compile(r"[-*+–] |[•‣·]")
QUOTE = re.compile(r">(?![\d=])")
DIGITS = re.compile("[0-9]{1,3}")
CHECKBOX = re.compile(r"\[[ xX]\](?= )")
CHECKBOX_BEGUN = re.compile(r"\[(?:[ xX]\]?)?")
TEXT_BLOCKS = frozenset(("text", "txt", "plain", "plaintext", "markdown", "md"))

# Inside a line.
ARROWS = "→⇒⟶⟹➔➜➝➞➡"
PICTURE = re.compile(f"[{EMOJI}]")
_ADDRESS = r"(?<![A-Za-z0-9@.])(?i:https?://|www\.)"
_ADDRESS_BEGUN = (
    r"(?<![A-Za-z0-9@.])(?i:h(?:t(?:t(?:p(?:s?(?::/?)?)?)?)?)?|w(?:ww?)?)\Z"
)
_ARROW = "(?<= )(?:--?|=)>(?= )"
_ARROW_BEGUN = r"(?<= )(?:--?|=)>?\Z"
SPECIAL = re.compile(
    rf"(?P<address>{_ADDRESS})|(?P<arrow>{_ARROW}|[{ARROWS}])"
    rf"|(?P<begun>{_ADDRESS_BEGUN}|{_ARROW_BEGUN})"
    rf"|(?P<picture>[{KEYCAP}{EMOJI}])|(?P<mark>[ \n*_~`$\\<&!\[\]|#【])"
)
STARS = re.compile(r"\*{1,64}")
UNTIL_STAR = re.compile(r"[^*\n]{0,40}")
DIMENSIONS = frozenset(
    "\u957f\u5bbd\u9ad8\u6df1\u539a\u5e95"
)  # Of which the products are areas and volumes.
UNDERSCORES = re.compile("_{1,64}")
TILDES = re.compile("~{1,64}")
FACES = frozenset(("^^", "><", "--", "==", "..", ";;"))  # Around "_".
BACKTICKS = re.compile("`{1,64}")
ESCAPABLE = "\\`*_{}#+-.!|>~$<&"

# Formulas end at the latest with the line or the paragraph.
FORMULA_ENDS = {
    "$$": re.compile(r"\$\$|(?=\n\n)"),
    "\\(": re.compile(r"\\\)|(?=\n)"),
    "\\[": re.compile(r"\\\]|(?=\n\n)"),
}
# A tag such as "[laughing]" with escaped brackets, which is no formula.
ESCAPED_TAG = re.compile(rf"\\\[(?:{'|'.join(CONTROL_TAGS + SOUND_TAGS)})\\?\]")
ESCAPED_TAG_BEGUN = re.compile(r"\\\[[a-z ]{0,23}+\\?")
DOLLAR_END = re.compile(r"(?<![\s\\])\$(?!\d)")

# The target of a reference link; a footnote is text.
_LABEL = r"\[(?!\^)[^\[\]\n]"
_SCHEME = r"<?+(?i:https?://|www\.)[^\s>]"
REFERENCE = re.compile(
    rf"""{_LABEL}++\]: *+{_SCHEME}++>?+(?: ++(?:"[^"\n]*+"|'[^'\n]*+'))?+ *+"""
)
REFERENCE_BEGUN = re.compile(
    rf"""{_LABEL}*+(?:\](?:: *+(?:{_SCHEME}*+>?+ *+(?:"[^"\n]*+"?+|'[^'\n]*+'?+)?+ *+"""
    r"|<?+(?i:https?:?+/?+|h(?:tt?+)?+|w{1,3}+)?+))?+)?+"
)
# The numbers of a model's sources.
SOURCES = re.compile(r"(?:\[[1-9]\d?+\])++|\[(?:citation:|ref_)\d{1,3}\]")
SOURCES_BEGUN = re.compile(
    r"(?:\[[1-9]\d?+\])*+\[(?:[1-9]\d?+)?+|\[(?:[a-z]{1,8}[:_]?+\d{0,3})?+"
)
BEFORE_SOURCES = frozenset(".!?…。！？")
AFTER_SOURCES = frozenset(("", "\n", *STOPS))

# Links and addresses. Parentheses that begin with a letter of another script than Latin
# are a remark.
LINK_TEXT = re.compile(r"\[(?:[^\[\]\n\\]|\\[^\n]|\[[^\[\]\n]*+\])*+\]")
ALERT = re.compile(r"\[![A-Z]+\]")
_PATH = r"(?![^\x00-\x7f])(?:[^\s()]++|\([^\s()]*+\))*+"
DESTINATION = re.compile(
    rf"""\([ ]*+(?:<[^<>\n]*+>|{_PATH})(?:[ ]++(?:"[^"\n]*+"|'[^'\n]*+'))?+[ ]*+\)"""
    r"|\[[^\[\]\n]*+\]"
)
DESTINATION_BEGUN = re.compile(
    rf"""\([ ]*+(?:<[^<>\n]*+>?+|{_PATH}(?:\([^\s()]*+)?+)"""
    r"""(?:[ ]++(?:"[^"\n]*+"?+|'[^'\n]*+'?+)?+[ ]*+)?+|\[[^\[\]\n]*+"""
)
DESTINATION_END = re.compile(r"\)|(?=\s)")
HOST = re.compile("[A-Za-z0-9.-]*+")
PATH_PART = re.compile(r"[A-Za-z0-9/=&%+@$#~_-]++")
PATH_STOP = re.compile(r"[.,;:!?']{1,16}")
CITATION = re.compile(r"【\d{1,4}(?::\d{1,4})?+†[^【】\n]*+】")
CITATION_BEGUN = re.compile(r"【(?:\d{1,4}(?::\d{0,4})?+(?:†[^【】\n]*+)?+)?+")

# HTML. The first attribute of a tag has a value, or "a <b and c> d" would be a tag.
_VALUE = r"""\s*+=\s*+(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'=<>`]++)"""
_TAG = (
    "/?+[A-Za-z][A-Za-z0-9_.-]*+"
    rf"(?:\s++[\w:.-]++{_VALUE}(?:\s++[\w:.-]++(?:{_VALUE})?+)*+)?+"
)
_MAIL = r"[A-Za-z][A-Za-z0-9.+_-]*+"
TAG = re.compile(rf"<(?:{_TAG}\s*+/?+|{_MAIL}@[A-Za-z0-9.-]++)>")
TAG_BEGUN = re.compile(
    rf"<(?:!(?:--?)?|/|(?i:https?:/?)|{_MAIL}@[A-Za-z0-9.-]*+"
    rf"""|{_TAG}\s*+[\w:.-]*+\s*+(?:=\s*+(?:"[^"<>]*+|'[^'<>]*+)?)?+/?)?"""
)
ALTERNATIVE = re.compile(r"""\salt\s*+=\s*+["']([^"'<>]*+)["']""", re.IGNORECASE)
ANGLE_ADDRESS = re.compile(r"<(?=https?://|www\.)", re.IGNORECASE)
# Left-over marks of a model, such as "<|im_end|>", and "<?xml …?>".
TOKEN = re.compile(r"<(?:[|｜][\w▁]{1,40}[|｜]|\?xml[^<>?]*+\?)>")
TOKEN_BEGUN = re.compile(
    r"<(?:[|｜][\w▁]{0,40}+[|｜]?+|\?(?:x(?:m(?:l[^<>?]*+\??+)?+)?+)?+)?+"
)
COMMENT_END = re.compile("-->")
TAG_END = re.compile(r">|(?=\n)")
HIDDEN_TAGS = {
    name: re.compile(f"</{name}>", re.IGNORECASE)
    for name in ("script", "style", "think", "thinking")
}
ENDS_OF_THOUGHT = {HIDDEN_TAGS["think"], HIDDEN_TAGS["thinking"]}
LONGEST_END = len("</thinking>")
SENTENCE_TAGS = frozenset({"li", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "dt", "dd"})
CELL_TAGS = frozenset({"td", "th"})
# fmt: off
LINE_TAGS = SENTENCE_TAGS | {
    "address", "article", "aside", "blockquote", "br", "caption", "center", "details",
    "div", "dl", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr",
    "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot",
    "thead", "ul",
}
OTHER_TAGS = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "big", "body", "button", "cite", "code", "data",
    "del", "dfn", "em", "font", "html", "i", "iframe", "img", "input", "ins", "kbd",
    "label", "mark", "meta", "object", "option", "path", "picture", "q", "rp", "rt",
    "ruby", "s", "samp", "select", "small", "source", "span", "speak", "strike",
    "strong", "sub", "sup", "svg", "time", "title", "tt", "u", "var", "video", "wbr",
})
# fmt: on

ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
ENTITY_BEGUN = re.compile(
    r"&(?:#(?:\d{0,7}|[xX][0-9a-fA-F]{0,6})|[A-Za-z][A-Za-z0-9]{0,31})?"
)
