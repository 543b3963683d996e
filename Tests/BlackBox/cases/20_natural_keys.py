"""What the operator names a thing by is one key, however it is spelled (faults 2), and null is absent
(faults 3)."""
from field_kit import *

RAW = {"Content-Type": "application/json"}


def again(order, title=None, first="order-7", status=200):
    case(title or f"the sale {order!r} is the sale {first!r}", [
        program(), partner("ada"),
        sale(ref="$ada_code", order=first),
        post("/v1/conversions", {
            "program_id": "$program", "external_id": order, "kind": "purchase", "ref": "$ada_code",
            "customer": {"email": "grace@customer.example"},
            "amount": {"amount": 10000, "currency": "USD"}}, status=status,
            expect={"id": "$sale"} if status == 200 else {"errors.0.pointer": "/external_id"}),
        balance("ada", available=1000),
    ])


again("order-7\t")
again("\r\norder-7")
again("\u3000order-7\u00a0")
again("\ufeff\u200border-7")
again("order-7\u2029")
again(1007, first="1007")
again(0, first="0")
again(-12, first="-12")
again("nin\u0303o", first="ni\u00f1o")
again("\u1100\u1161-1", first="\uac00-1")
again("or\u0000der-7" if False else "or\u0001der-7", title="a control character in a key is refused", status=400)
again(7.5, title="a number with a fraction is no key", status=400)
again(True, title="a truth value is no key", status=400)
again("\u200b\ufeff ", title="a key of blanks alone is refused", status=400)

case("a number with an exponent or a point of nought is no key, a long one is its digits", [
    program(), partner("ada"),
    post("/v1/conversions", raw='{"program_id": "$program", "external_id": 1e3}', headers=RAW,
         status=400, expect={"errors": has("/external_id")}),
    post("/v1/conversions", raw='{"program_id": "$program", "external_id": 1000.0}', headers=RAW,
         status=400, expect={"errors": has("/external_id")}),
    sale(ref="$ada_code", order=123456789012345678901234567890, expect={
        "external_id": "123456789012345678901234567890"}),
])

case("a refund that comes again with a blank or as a number takes back once", [
    program(), partner("ada"), sale(ref="$ada_code"),
    refund(4000, order="5001"),
    refund(4000, order=" 5001\n", key="other", status=200),
    refund(4000, order=5001, key="third", status=200),
    balance("ada", available=600),
])

case("one customer has one id, with blanks around it or as a number", [
    program(), partner("ada"),
    sale(ref="$ada_code", order="a", customer={"external_id": "55"}),
    sale(ref="$ada_code", order="b", customer={"external_id": " 55 "}),
    sale(ref="$ada_code", order="c", customer={"external_id": 55}),
    get("/v1/customers?program_id=$program", expect={"data.#": 1}),
    get("/v1/customers?program_id=$program&external_id=55%20", expect={"data.#": 1}),
])

case("a payout has one reference", [
    program(), partner("ada"), sale(ref="$ada_code"), payout("ada", "run"),
    post("/v1/payouts", {"participant_id": "$ada", "reference": " %run "}, key="again", status=200,
         expect={"id": "$payout"}),
])

case("the code of a link is trimmed, and a code inside which a blank stands is refused", [
    program(), partner("ada"),
    post("/v1/links", {"participant_id": "$ada", "code": "\u200b%shop\n"}, save={"made": "code"}),
    post("/v1/links", {"participant_id": "$ada", "code": "a b c"}, status=400,
         expect={"detail": has("letters, digits")}),
])

case("items of a bulk request are named like others", [
    program(), partner("ada"),
    post("/v1/accounts/bulk", {"items": [
        {"external_id": "%crm", "domain": "%one.example", "relation": "customer"},
        {"external_id": "%crm\t", "name": "One", "country": "DE", "relation": "customer"}]},
        expect={"data.0.status": 201, "data.1.status": 200}),
])

case("a sale whose optional members are null is a sale without them", [
    program(), partner("ada"),
    sale(ref="$ada_code", click_id=None, lead_id=None, occurred_at=None, metadata=None,
         product=None, customer={"external_id": "b", "email": None, "phone": None}),
    balance("ada", available=1000),
])

case("what the service answered about a lead may be sent back with its nulls", [
    program(), partner("ada"),
    lead(ref="$ada_code", click_id=None, participant_id=None, referred_at=None, name=None, intro=None,
         estimated_value=None, device_id=None, referrer_email=None),
])

case("null for what must be there is that it is missing", [
    post("/v1/programs", {"name": None, "currency": "USD"}, status=400, expect={
        "errors.0.code": "required", "detail": "/name is missing."}),
])

case("in a merge patch null takes a member away, and what must be there stays", [
    program(), partner("ada", company="Ada & Co"),
    patch("/v1/participants/$ada", {"company": None}, expect={"company": ABSENT}),
    patch("/v1/participants/$ada", {"name": None}, status=400),
])

case("an address of other letters is an address", [
    program(), partner("ada"),
    sale(ref="$ada_code", buyer="jörg@bücher.example"),
    get("/v1/customers?program_id=$program&email=J%C3%96RG@B%C3%9CCHER.example", expect={"data.#": 1}),
    post("/v1/participants", {"program_id": "$program", "name": "Ю", "email": "юля@пример.рф"}),
    post("/v1/participants", {"program_id": "$program", "name": "Z", "email": "z@exa mple.com"},
         status=400, expect={"detail": has("ada@example.com")}),
])

for typed, why in (("", "empty"), ("  ", "empty"), ("n/a", "malformed"), ("grace at example.com", "malformed")):
    case(f"the address {typed!r} of a customer with another name is ignored, and said to be {why}", [
        program(), partner("ada"),
        sale(ref="$ada_code", customer={"external_id": "b", "email": typed}, expect={
            "ignored": lambda found, why=why: [
                (one["name"], one["because"]) for one in found] == [("customer.email", why)]}),
        balance("ada", available=1000),
    ])

case("no address, where the customer has no other name, is refused with an example", [
    program(), partner("ada"),
    sale(ref="$ada_code", customer={"email": "grace"}, status=422, expect={
        "errors.0.pointer": "/customer/email", "detail": has("ada@example.com")}),
])
