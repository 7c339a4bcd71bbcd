"""SSML: telling it from plain text, and naming the place of a mistake."""

import re
from xml.parsers import expat

from .errors import SsmlError

SSML_OPENING = "<speak"
"""What an SSML document begins with, white space apart."""


def is_ssml(text: str) -> bool:
    """Return True if a text is meant as SSML: it begins with a ``<speak>`` tag."""
    return _OPENING.match(text) is not None


def check_ssml(text: str) -> None:
    """Check that a text is one well-formed ``<speak>`` element.

    Raises:
        SsmlError: It is not; the message says what is wrong in which line and column.
    """
    parser = expat.ParserCreate()
    # A document type could define entities that grow without bound
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as err:
        raise SsmlError(
            f"The SSML is wrong at line {err.lineno}, column {err.offset + 1}:"
            f" {expat.ErrorString(err.code)}"
        ) from err


_OPENING = re.compile(r"\s*<speak[\s/>]")


def _refuse_doctype(*_: object) -> None:
    raise SsmlError("The SSML must not contain a document type")
