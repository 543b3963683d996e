"""The same sale from two channels: a shop's server tells it, then the browser's return does."""
from field_kit import *

WHO = "attribution.credits.0.participant_id"


def again(status=200, **more):
    """A further report of order-1, by default with the same customer."""
    return sale(status=status, save="again", **more)


case("first the server without hints, then the page with a click: credited, 200", [
    program(), partner("ada"), click("ada"), sale(expect={"rewards.#": 0}),
    again(click_id="$click", customer=ABSENT, expect={
        WHO: "$ada", "id": "$sale", "attribution.cause": "report", "rewards.0.amount.amount": 1000}),
    balance("ada", available=1000),
])
case("the other way round gives the same", [
    program(), partner("ada"), click("ada"),
    sale(click_id="$click", customer=ABSENT, expect={WHO: "$ada"}),
    again(customer={"email": "grace@customer.example"}, expect={WHO: "$ada", "id": "$sale"}),
    balance("ada", available=1000),
])
case("a code from the second channel goes first, and the money moves with it", [
    program(), partner("ada"), partner("ben"), click("ada"), sale(click_id="$click"),
    again(code="$ben_code", expect={WHO: "$ben", "attribution.rung": "code"}),
    balance("ada", available=0), balance("ben", available=1000),
])
case("a ref alone is the click that another report brings", [
    program(), partner("ada"), click("ada"), sale(ref="$ada_code"),
    again(click_id="$click", expect={"attribution.touches.#": 1,
                                     "attribution.touches.0.kind": "click"}),
])
case("a subscription and a product that the first lacked are added, others are 409", [
    program(), sale(), again(subscription="sub-1", product="pro", expect={
        "subscription": "sub-1", "product": "pro"}),
    again(subscription="sub-2", status=409, expect={"errors.0.pointer": "/subscription"}),
    again(product="free", status=409, expect={"errors.0.pointer": "/product"}),
])
case("a lead that the first lacked is added and decides, another is 409", [
    program(), partner("ada"), lead(participant_id="$ada"), lead("other@else.example", save="lead2"),
    sale(), again(lead_id="$lead", expect={"lead_id": "$lead", WHO: "$ada"}),
    again(lead_id="$lead2", status=409, expect={"errors.0.pointer": "/lead_id"}),
])
case("a name of the customer that the first lacked is added, another value is 409", [
    program(), sale(customer={"external_id": "c-1"}),
    again(customer={"email": "grace@customer.example"}),
    again(customer={"external_id": "c-1", "email": "GRACE@customer.example"}),
    again(customer={"external_id": "c-2"}, status=409, expect={"errors.0.pointer": "/customer"}),
    again(customer={"email": "eve@customer.example"}, status=409,
          expect={"errors.0.pointer": "/customer"}),
    get("/v1/explain?email=grace@customer.example&program_id=$program", expect={
        "people.#": 1, "people.0.findings.0.conversion_id": "$sale"}),
])
case("times less than a day apart agree and the earliest holds, a day apart is 409", [
    program(), sale(occurred_at="@-20h"), again(occurred_at="@-30h", expect={
        "occurred_at": has("T")}),
    again(occurred_at="@-20h"), again(occurred_at="@-5h", status=409,
                                      expect={"errors.0.pointer": "/occurred_at"}),
])
case("a time in the future is refused from every channel", [
    program(), sale(), again(occurred_at="@+2h", status=422, expect={"code": "in_the_future"}),
])
case("another amount, currency or kind is 409", [
    program(), sale(), again(amount=1, status=409), again(currency="EUR", status=409),
    again(kind="upsell", status=409),
])
case("once a payout has the reward, a further report moves nothing", [
    program(), partner("ada"), partner("ben"), click("ada"), sale(click_id="$click"),
    payout("ada"), again(code="$ben_code", expect={WHO: "$ada"}),
    balance("ada", paid=1000), balance("ben", available=0),
])
case("once a person has voided the reward, too", [
    program(), partner("ada"), partner("ben"), click("ada"),
    sale(click_id="$click", save_as={"sale": "id", "reward": "rewards.0.id"}),
    post("/v1/rewards/$reward/void", {"reason": "fraud"}),
    again(code="$ben_code", expect={WHO: "$ada"}), balance("ben", available=0),
])
case("and once a person has said who gets the credit", [
    program(), partner("ada"), partner("ben"), sale(),
    post("/v1/conversions/$sale/reattribute", {
        "reason": "word", "credits": [{"participant_id": "$ada", "parts": 1}]}),
    again(code="$ben_code", expect={WHO: "$ada", "attribution.rung": "person"}),
])
case("a report that says nothing new changes nothing", [
    program(), partner("ada"), sale(code="$ada_code", save_as={"sale": "id", "first": "attribution.id"}),
    sale(code="$ada_code", save="again", status=200, expect={"attribution.id": "$first"}),
    again(expect={"attribution.id": "$first"}), balance("ada", available=1000),
])
case("a refund between two reports goes from whoever is credited in the end", [
    program(), partner("ada"), partner("ben"), click("ada"), sale(click_id="$click"), refund(5000),
    again(code="$ben_code", expect={WHO: "$ben"}),
    balance("ada", available=0), balance("ben", available=500),
])
