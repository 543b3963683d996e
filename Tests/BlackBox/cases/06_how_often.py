"""How often a rule gives: once for a customer or on each occasion, limits, holds, small sales, kinds."""
from field_kit import *


def usd(amount):
    return {"amount": amount, "currency": "USD"}


FLAT = {"trigger": "purchase", "amount": usd(2000)}
NOTHING = {"rewards": [], "benefits": []}


def made(rule, **expect):
    return post("/v1/programs/$program/reward_rules", rule, save={"rule": "id"}, expect=expect)


for kind, rule_, once, customers in [
        ("customer", FLAT, "customer", "new"),
        ("partner", FLAT, "customer", "any"),
        ("partner", {"trigger": "conversion", "basis_points": 1000}, "occasion", "any"),
        ("customer", {"trigger": "renewal", "amount": usd(100)}, "occasion", "new"),
        ("employee", {"trigger": "lead.won", "amount": usd(100)}, "customer", "any"),
        ("partner", {"trigger": "lead.won", "amount": usd(100)}, "occasion", "any"),
        ("partner", {"trigger": "lead.won", "basis_points": 500}, "occasion", "any"),
        ("customer", {"trigger": "purchase", "kind": "points", "points": 10}, "occasion", "new"),
        ("partner", {"trigger": "renewal", "kind": "perk", "description": "A cake",
                     "recipient": "referee"}, "customer", "any")]:
    case(f"{kind}: {rule_['trigger']} {rule_.get('kind', 'cash')} is given once per {once}", [
        program(rule=None, kind=kind),
        made(rule_, once_per=once, customers=customers),
    ])

case("a free month for a friend who pays is one month, however often the friend pays", [
    program(kind="customer", rule={"trigger": "purchase", "kind": "perk",
                                   "description": "One free month", "value": usd(1900)}),
    partner("ada"),
    sale(ref="$ada_code", expect={"benefits.#": 1, "benefits.0.value.amount": 1900}),
    sale(order="order-2", ref="$ada_code", expect={**NOTHING, "reason": "once_per_customer"}),
    sale(order="order-3", kind="renewal", ref="$ada_code", expect=NOTHING),
])

case("once for a customer means whichever participant earns it", [
    program(rule=FLAT),
    partner("ada"), partner("ben"),
    sale(ref="$ada_code", expect={"rewards.0.amount.amount": 2000}),
    sale(order="order-2", ref="$ben_code", expect={"reason": "once_per_customer"}),
    balance("ben", available=0),
])

case("one mailbox under five ids of the operator's is one customer", [
    program(rule=FLAT),
    partner("ada"),
    [sale(order=f"order-{n}", ref="$ada_code",
          customer={"external_id": f"%user-{n}", "email": "grace@customer.example"},
          expect={"rewards.#": 1 if n == 1 else 0}) for n in range(1, 6)],
    balance("ada", available=2000),
])

case("both sides have a place of their own", [
    program(rule=FLAT),
    rule(trigger="purchase", kind="discount", discount_basis_points=1000, recipient="referee"),
    partner("ada"),
    sale(ref="$ada_code", expect={"rewards.#": 1, "benefits.#": 1}),
    sale(order="order-2", ref="$ada_code", expect=NOTHING),
])

case("a place is free again when all of it was taken back, not when a part was", [
    program(rule=FLAT),
    partner("ada"),
    sale(ref="$ada_code"),
    refund(4000),
    sale(order="order-2", ref="$ada_code", save="other", expect=NOTHING),
    refund(order="rest", amount=6000),
    sale(order="order-3", ref="$ada_code", save="other", expect={"rewards.#": 1}),
    sale(order="order-4", ref="$ada_code", save="other", expect=NOTHING),
])

case("a perk that was voided frees its place", [
    program(rule={"trigger": "purchase", "kind": "perk", "description": "A mug"}),
    partner("ada"),
    sale(ref="$ada_code", save_as={"mug": "benefits.0.id"}),
    post("/v1/benefits/$mug/void", {"reason": "out of mugs"}),
    sale(order="order-2", ref="$ada_code", expect={"benefits.#": 1}),
])

case("a rule that replaces another does not give again for the same customer", [
    program(rule=FLAT),
    partner("ada"),
    sale(ref="$ada_code", expect={"rewards.#": 1}),
    post("/v1/programs/$program/reward_rules/$rule/archive"),
    post("/v1/programs/$program/reward_rules",
         {"trigger": "conversion", "amount": usd(3000), "replaces": "$rule"},
         save={"second": "id"}, expect={"replaces": ANY}),
    sale(order="order-2", ref="$ada_code", expect={"reason": "once_per_customer"}),
    post("/v1/programs/$program/reward_rules/$second/archive"),
    post("/v1/programs/$program/reward_rules",
         {"trigger": "purchase", "amount": usd(500), "replaces": "$second"}),
    sale(order="order-3", ref="$ada_code", expect=NOTHING),
    sale(order="order-4", buyer="bob@customer.example", ref="$ada_code", expect={
        "rewards.0.amount.amount": 500}),
])

case("a rule of another program cannot be replaced", [
    program("elsewhere", rule=FLAT),
    program(rule=None),
    post("/v1/programs/$program/reward_rules", {**FLAT, "replaces": "$rule"}, status=404),
])

case("a changed rule remembers what its earlier versions gave", [
    program(rule=FLAT),
    partner("ada"),
    sale(ref="$ada_code"),
    patch("/v1/programs/$program/reward_rules/$rule", {"amount": usd(9900)}),
    sale(order="order-2", ref="$ada_code", expect=NOTHING),
])

case("the first payment after a trial is the first purchase, though it is called a renewal", [
    program(rule=FLAT),
    partner("ada"),
    sale(0, kind="signup", ref="$ada_code", expect=NOTHING),
    sale(order="order-2", kind="renewal", ref="$ada_code", expect={
        "rewards.0.amount.amount": 2000, "kind": "renewal"}),
])

case("the first upsell that is paid is the first purchase too", [
    program(rule={**FLAT, "once_per": "occasion"}),
    partner("ada"),
    sale(kind="upsell", ref="$ada_code", expect={"rewards.#": 1}),
    sale(order="order-2", kind="upsell", ref="$ada_code", expect=NOTHING),
])

for kind in ["purchase", "renewal", "upsell"]:
    case(f"a {kind} of nothing gives nothing, and the next one is the first", [
        program(rule={"trigger": "conversion", "amount": usd(700)}),
        partner("ada"),
        sale(0, kind=kind, ref="$ada_code", expect={**NOTHING, "reason": "nothing_paid"}),
        sale(order="order-2", kind=kind, ref="$ada_code", expect={"rewards.#": 1}),
    ])

case("only a sign-up sets off a rule for sign-ups", [
    program(rule={"trigger": "signup", "amount": usd(300)}),
    partner("ada"),
    sale(ref="$ada_code", expect=NOTHING),
    sale(0, order="up", kind="signup", buyer="new@customer.example", ref="$ada_code", expect={
        "rewards.0.amount.amount": 300}),
])

case("a sale under min_sale gives nothing, one at it does", [
    program(rule={**FLAT, "min_sale": usd(5000)}),
    partner("ada"),
    sale(4999, ref="$ada_code", expect={"reason": "small_sale"}),
    sale(5000, order="order-2", ref="$ada_code", expect={"rewards.#": 1}),
])

case("a flat rule for sales without a minimum is made with a warning", [
    program(rule=None),
    made(FLAT, **{"warnings.0.code": "no_min_sale"}),
    made({**FLAT, "min_sale": usd(100)}, warnings=ABSENT),
    made({"trigger": "conversion", "basis_points": 100}, warnings=ABSENT),
    made({"trigger": "purchase", "kind": "perk", "description": "A mug"},
         **{"warnings.0.code": "no_min_sale"}),
])

for value, status in [("occasion", 422), ("customer", 422), (None, 201)]:
    case(f"a milestone with once_per {value} is answered {status}", [
        program(rule=None),
        post("/v1/programs/$program/reward_rules", {
            "trigger": "milestone", "milestone": {"counts": "won", "at": 2},
            "amount": usd(100), "once_per": value}, status=status),
    ])

case("a limit on points counts points", [
    program(rule={"trigger": "purchase", "kind": "points", "points": 80,
                  "limits": {"participant_month": 100}}),
    partner("ada"),
    sale(ref="$ada_code", expect={"rewards.0.amount.amount": 80}),
    sale(order="order-2", ref="$ada_code", expect={"rewards.0.amount.amount": 20}),
    sale(order="order-3", ref="$ada_code", expect=NOTHING),
])

case("a limit on a perk without a value counts pieces", [
    program(rule={"trigger": "purchase", "kind": "perk", "description": "A mug",
                  "limits": {"participant_total": 1}}),
    partner("ada"),
    sale(ref="$ada_code", expect={"benefits.#": 1}),
    sale(order="order-2", buyer="bob@customer.example", ref="$ada_code", expect=NOTHING),
])

case("a limit on gift cards counts their value, and the last one is smaller", [
    program(rule={"trigger": "purchase", "kind": "gift_card", "amount": usd(2000),
                  "limits": {"participant_total": 3000}}),
    partner("ada"),
    sale(ref="$ada_code", expect={"benefits.0.value.amount": 2000}),
    sale(order="order-2", buyer="bob@customer.example", ref="$ada_code", expect={
        "benefits.0.value.amount": 1000}),
])

case("a limit on what one friend gets counts the friend's points", [
    program(rule={"trigger": "purchase", "kind": "points", "points": 60, "recipient": "referee",
                  "once_per": "occasion", "limits": {"referee": 100}}),
    partner("ada"),
    sale(ref="$ada_code", expect={"benefits.0.points": 60}),
    sale(order="order-2", ref="$ada_code", expect={"benefits.0.points": 40}),
    sale(order="order-3", ref="$ada_code", expect=NOTHING),
])

case("a rule has its own hold", [
    program(rule={**FLAT, "hold_days": 30}, hold_days=0),
    rule(trigger="purchase", basis_points=100),
    partner("ada"),
    sale(ref="$ada_code", expect={
        "rewards.0.status": "pending", "rewards.1.status": "approved"}),
    balance("ada", pending=2000, available=100),
])

case("a rule without a hold pays at once in a program with one", [
    program(rule={**FLAT, "hold_days": 0}, hold_days=45),
    partner("ada"),
    sale(ref="$ada_code", expect={"rewards.0.status": "approved"}),
])

for said, name, months in [({}, "once", ABSENT), ({"duration": "forever"}, "forever", ABSENT),
                           ({"duration_months": 12}, "months", 12)]:
    case(f"a discount {said or 'without a word'} is given {name}", [
        program(rule={"trigger": "purchase", "kind": "discount", "discount_basis_points": 1000,
                      "recipient": "referee", **said}),
        partner("ada"),
        sale(ref="$ada_code", expect={
            "benefits.0.duration": name, "benefits.0.duration_months": months}),
    ])

case("only a discount has a duration", [
    program(rule=None),
    post("/v1/programs/$program/reward_rules", {**FLAT, "duration": "once"}, status=422,
         expect={"code": "duration_misplaced"}),
])
