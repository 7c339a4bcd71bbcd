"""SSML: told from plain text, and refused with the place of the mistake."""

from contextlib import suppress

from hypothesis import given, strategies as st
import pytest

from custom_components.cosyvoice.client import EmptyTextError, SsmlError
from custom_components.cosyvoice.text.ssml import ELEMENTS, check_ssml, is_ssml


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<speak>你好</speak>", True),
        ('\n <speak rate="1.2">Hi</speak>\n', True),
        ("<speak/>", True),
        ("<speak>never closed", True),
        ("<speaker>", False),
        ("<speak", False),
        ("Say <speak>Hi</speak>", False),
        ("", False),
    ],
)
def test_ssml_begins_with_speak(text: str, expected: bool) -> None:
    assert is_ssml(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "<speak>你好</speak>",
        "\n<speak>A &amp; B &lt; C &#20320; <![CDATA[<b>]]><!-- --></speak>\n",
        '<speak voice="longanyang" rate="0.5" pitch="2" volume="100">x</speak>',
        '<speak effect="echo" effectValue="1" bgm="https://a.b/c.wav">x</speak>',
        '<speak>a<break/>b<break time="50ms"/>c<break time="10s"/></speak>',
        '<speak><sub alias="Worldwide Web">WWW</sub></speak>',
        '<speak><phoneme alphabet="py" ph="yin2 hang2">银行</phoneme></speak>',
        '<speak><say-as interpret-as="telephone">12345</say-as></speak>',
        '<speak>铃声<soundEvent src="https://a.b/c.wav"/></speak>',
        "<speak>one</speak>\n<speak>two</speak>",
        '<speak xml:lang="zh-CN">an attribute left to the service</speak>',
    ],
)
def test_documented_ssml_passes(text: str) -> None:
    check_ssml(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "mistake", "details"),
    [
        ("<speak>Hello", 1, 1, "not_closed", {"element": "<speak>"}),
        ("<speak>Hello <bre", 1, 1, "not_closed", {"element": "<speak>"}),
        ("<speak>\n你好<sub alias='x'>y", 2, 3, "not_closed", {"element": "<sub>"}),
        ("<speak>\n你好</speek>", 2, 5, "malformed", {}),
        ("<speak>a < b</speak>", 1, 11, "malformed", {}),
        ("<speak>&nbsp;</speak>", 1, 8, "malformed", {}),
        ("<speak>\ud800</speak>", 1, 8, "malformed", {}),
        ("<speak><speak>a</speak></speak>", 1, 8, "element", {"element": "<speak>"}),
        ("<speak><p>a</p></speak>", 1, 8, "element", {"element": "<p>"}),
        ("<speak>a</speak> and more", 1, 17, "text_outside", {}),
        ("<sub alias='a'>b</sub>", 1, 1, "element", {"element": "<sub>"}),
        (
            "<speak><sub>b</sub></speak>",
            *(1, 8, "attribute_missing"),
            {"element": "<sub>", "attribute": "alias"},
        ),
        (
            '<speak rate="3">b</speak>',
            *(1, 1, "attribute_value"),
            {"attribute": "rate", "value": "3", "allowed": "0.5–2"},
        ),
        (
            '<speak volume="loud">b</speak>',
            *(1, 1, "attribute_value"),
            {"attribute": "volume", "value": "loud", "allowed": "0–100"},
        ),
        (
            '<speak>\n  <break time="11s"/></speak>',
            *(2, 3, "attribute_value"),
            {
                "attribute": "time",
                "value": "11s",
                "allowed": "50ms–10000ms, 0.05s–10s",
            },
        ),
        (
            '<speak><phoneme alphabet="ipa" ph="a">b</phoneme></speak>',
            *(1, 8, "attribute_value"),
            {"attribute": "alphabet", "value": "ipa", "allowed": "py, cmu"},
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(
    text: str, line: int, column: int, mistake: str, details: dict[str, str]
) -> None:
    with pytest.raises(SsmlError) as refused:
        check_ssml(text)
    place = {"line": str(line), "column": str(column)}
    assert (refused.value.mistake, refused.value.details) == (mistake, place | details)
    assert f"{mistake} (line {line}, column {column}" in str(refused.value)


@pytest.mark.parametrize("text", ["<speak></speak>", "<speak> …。</speak>", "<speak/>"])
def test_an_empty_document_is_refused(text: str) -> None:
    with pytest.raises(EmptyTextError):
        check_ssml(text)


@pytest.mark.parametrize("inside", ["a", '<soundEvent src="x"/>', "<break/>"])
def test_a_document_may_hold_more_than_text(inside: str) -> None:
    check_ssml(f"<speak>{inside}</speak>")


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>',
        '<speak><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;</speak>',
        "<speak>a</speak></ssml><!DOCTYPE x><ssml>",
        "<speak>a</speak></ssml>",
        '<?xml version="1.0"?><speak>a</speak>',
    ],
)
def test_nothing_defines_entities_or_leaves_the_document(text: str) -> None:
    with pytest.raises(SsmlError):
        check_ssml(text)


@given(
    st.lists(
        st.sampled_from([*"<>/=\"'&; \nab", "speak", "<speak>", "</speak>", "<break/>"])
    )
)
def test_any_text_is_accepted_or_refused(parts: list[str]) -> None:
    with suppress(SsmlError, EmptyTextError):
        check_ssml("".join(parts))


def test_every_rule_of_an_attribute_is_of_one_kind() -> None:
    for element in ELEMENTS.values():
        for rule in element.attributes.values():
            kinds = [rule.range, rule.milliseconds, rule.values]
            assert sum(map(bool, kinds)) == 1


@pytest.mark.parametrize("effect", ELEMENTS["speak"].attributes["effect"].values)
def test_every_effect_passes(effect: str) -> None:
    check_ssml(f'<speak effect="{effect}">a</speak>')
    with pytest.raises(SsmlError):
        check_ssml(f'<speak effect="{effect}s">a</speak>')
