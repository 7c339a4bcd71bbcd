"""Find phrases in docstrings and comments that CONTRIBUTING.md asks to avoid."""

import ast
from collections.abc import Iterator
from pathlib import Path
import re
import sys
import tokenize
from typing import NamedTuple

FORBIDDEN = {
    r"at once": "immediately; together; one by one",
    r"as it is": "unchanged",
    r"all the same": "nevertheless; anyway",
    r"here and now": "immediately",
    r"(?<!r )(?<!s )own voice": "custom voice; cloned voice",
    r"is looked at": "is checked; is read",
    r"goes on": "continues",
    r"(?:^|[.;,:] )else": "otherwise",
    r"so many": "this number of",
    r"(is|are|be|been|was|were) told": "receive; get the message",
    r"the one that": "name the thing",
    r"the (service|server|listener) (says?|said)": "returns; reports",
    r"owes?": "has yet to send",
    r"come what may": "whatever happens",
    r"for want of": "without",
    r"what (was|is|were) (billed|asked for|sent|said|meant)": "name the thing",
}
PATTERNS = {
    re.compile(rf"(?<!\w){pattern}(?!\w)", re.IGNORECASE): better
    for pattern, better in FORBIDDEN.items()
}
LONGEST_SUMMARY = 80


class Prose(NamedTuple):
    """A docstring, a text below an attribute, or a comment."""

    line: int
    text: str
    is_docstring: bool


def prose(path: Path) -> Iterator[Prose]:
    """Yield all prose of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        first = True
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield Prose(child.lineno, text, first)
            first = first and not isinstance(child, ast.stmt)
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield Prose(token.start[0], token.string.lstrip("# "), False)


def faults(prose: Prose) -> Iterator[str]:
    """Yield what is wrong with some prose."""
    summary = prose.text.partition("\n")[0]
    if prose.is_docstring and len(summary) > LONGEST_SUMMARY:
        yield f"the first line has {len(summary)} characters"
    if prose.is_docstring and ";" in summary:
        yield "the first line has two clauses"
    for pattern, better in PATTERNS.items():
        for found in pattern.finditer(" ".join(prose.text.split())):
            yield f"avoid “{found[0].strip(' .;,:')}”; better: {better}"


def main() -> None:
    """Check the modules below the given folders; exit 1 if there is a fault."""
    found = [
        f"{path}:{part.line}: {fault}"
        for folder in sys.argv[1:]
        for path in sorted(Path(folder).rglob("*.py"))
        for part in prose(path)
        for fault in faults(part)
    ]
    print(*found, sep="\n", end="\n" * bool(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
