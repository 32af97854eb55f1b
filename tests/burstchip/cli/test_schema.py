from __future__ import annotations

import json

from burstchip import network_schema


def test_schema_prints_the_schema(burstchip) -> None:
    done = burstchip("schema")
    assert done.code == 0 and done.err == ""
    assert json.loads(done.out) == network_schema()
