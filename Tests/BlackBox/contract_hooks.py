"""Hooks of schemathesis for Tests/BlackBox/contract.

To JSON Schema 20.0 is an integer, and OpenAPI has no word for how a number is written. The service
refuses an amount with a point, because 19.99 and 20.00 are what people write who mean dollars, and a
natural key with one, because 7.0 is no order. So whole numbers are sent as JSON writes integers.
"""
import schemathesis


def whole(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(member) for member in value]
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, (dict, list)):
        case.body = whole(case.body)
