"""Hooks of schemathesis for Tests/BlackBox/contract.

To JSON Schema 20.0 is an integer, and OpenAPI has no word for how a number is written. The service
refuses an amount with a point, because 19.99 and 20.00 are what people write who mean dollars, and a
natural key with one, because 7.0 is no order. So whole numbers are sent as JSON writes integers.

A hint takes any JSON value, but every body is refused that has U+0000 in a text or a number of more
than 256 digits, and JSON Schema cannot say that of a value without a shape. So hints have neither.
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


HINTS = {"click_id", "ref", "ref_at", "code", "referrer_email"}


def readable(value):
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, int) and abs(value) > 1 << 64:
        return 1 << 64
    if isinstance(value, dict):
        return {readable(name): readable(member) for name, member in value.items()}
    if isinstance(value, list):
        return [readable(member) for member in value]
    return value


def with_readable_hints(value):
    if isinstance(value, dict):
        return {name: readable(member) if name in HINTS else with_readable_hints(member)
                for name, member in value.items()}
    if isinstance(value, list):
        return [with_readable_hints(member) for member in value]
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, (dict, list)):
        case.body = whole(case.body)
        # A link's code is no hint.
        if not case.path.startswith("/v1/links"):
            case.body = with_readable_hints(case.body)
