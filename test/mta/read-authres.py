"""Reads values of Authentication-Results, one JSON string a line, by authres, and says what it has understood."""
import json
import sys

from authres import AuthenticationResultsHeader

for line in sys.stdin:
    try:
        field = AuthenticationResultsHeader.parse("Authentication-Results: " + json.loads(line))
        told = {
            "id": field.authserv_id,
            "methods": [
                {
                    "method": each.method,
                    "result": each.result,
                    "reason": each.reason,
                    "properties": {f"{p.type}.{p.name}": p.value for p in each.properties},
                }
                for each in field.results
            ],
        }
    except Exception as error:
        told = {"error": repr(error)}
    print(json.dumps(told))
