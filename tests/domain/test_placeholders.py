"""13.8 «payload» and «template error» of webhooks: always JSON, whatever stands in for a placeholder."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.domain.errors import Refused
from webapp.domain.placeholders import NAMES, check_payload, fill_payload

PAYLOAD = '{\n "code": "((benefit.code))",\n "to": ["Dear ((profile.first_name)) ((profile.last_name))"]\n}'


@given(st.fixed_dictionaries({name: st.text(st.characters(codec="utf-8")) for name in NAMES}))
def test_payload_stays_json_and_says_what_it_was_given(values):
    found = json.loads(fill_payload(PAYLOAD, values))
    assert found["code"] == values["benefit.code"]
    assert found["to"] == [f"Dear {values['profile.first_name']} {values['profile.last_name']}"]


def test_what_is_put_in_is_not_looked_at_again():
    values = dict.fromkeys(NAMES, "") | {"benefit.code": '((profile.first_name))", "x": "'}
    found = json.loads(fill_payload(PAYLOAD, values))
    assert (found["code"], set(found)) == ('((profile.first_name))", "x": "', {"code", "to"})


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ('{\n"code": "((benefit.cod))"}', "Line 2: there is no ((benefit.cod)); did you mean ((benefit.code))?"),
        ('{"code": "((x.__class__))"}', "there is no ((x.__class__))"),
        ('{\n"days":\n((benefit.days_left))}', "Line 3: this is not JSON (expecting value); ((placeholders)) stand"),
        ('{"days": 1((benefit.days_left))}', "this is not JSON"),
        ('{"code": "\\((benefit.code))"}', "this is not JSON"),
        ('{"code": "\\u00((benefit.code))"}', "this is not JSON"),
        ("", "this is not JSON"),
        ('{"a": 1,}', "this is not JSON"),
        ('{"a": NaN}', "NaN"),
        ('["((benefit.code))"]', "JSON object"),
        ('"((benefit.code))"', "JSON object"),
        ('{"a":' + "[" * 7_000, "This is not JSON"),
        ('{"a": ' + "9" * 7_000 + "}", "This is not JSON"),
    ],
)
def test_13_8_template_error(payload, words):
    with pytest.raises(Refused) as refused:
        check_payload(payload, "payload")
    assert words.lower() in refused.value.message.lower()
    assert refused.value.field == "payload"
