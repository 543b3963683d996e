"""Who may earn: eligibility at the grant, new and returning customers, one person under many names."""
from field_kit import *

REVIEW = {"rewards.0.status": "review", "rewards.0.amount.amount": 1000}


def flag(code, **more):
    return {**REVIEW, "rewards.0.flags.0.code": code, **more}


def touch(name, when, buyer="grace@customer.example", **how):
    return post("/v1/touchpoints", {
        "program_id": "$program", "source": "referral", "participant_id": f"${name}",
        "occurred_at": when, "customer": {"email": buyer}}, **how)


def known(**item):
    return post("/v1/customers/bulk", {"items": [item]}, expect={"data.0.status": 201})


# Eligibility at the grant

for word, value in [("plan", "trial"), ("in_collections", True), ("at_risk", True),
                    ("good_standing", False)]:
    case(f"a referrer with {word} {value} earns by link into review", [
        program(kind="customer"),
        partner("ada", kind="customer", **{word: value}),
        click("ada"),
        sale(click_id="$click", expect=flag("not_eligible", **{
            "rewards.0.flags.0.evidence.rule": word})),
        balance("ada", pending=1000, available=0),
    ])

case("a referrer whose account is three days old earns by code into review", [
    program(kind="customer"),
    partner("ada", kind="customer", account_since="@-3d"),
    sale(ref="$ada_code", expect=flag("not_eligible", **{
        "rewards.0.flags.0.evidence.rule": "account_age"})),
])

case("the account's age is that of the sale's day, not of the day on which it is told", [
    program(kind="customer"),
    partner("ada", kind="customer", account_since="@-95d"),
    touch("ada", "@-12d"),
    sale(occurred_at="@-10d", expect=flag("not_eligible")),
    sale(order="order-2", expect={"rewards.0.status": "approved"}),
])

case("partners may be new and on trial: no rule asks for more unless the program does", [
    program(expect={"eligibility.min_account_days": 0, "eligibility.excluded_plans": []}),
    partner("ada", account_since="@-1d", plan="trial"),
    sale(ref="$ada_code", expect={"rewards.0.status": "approved"}),
])

case("a program of employees that asks for 30 days gets them, and no other default", [
    program(kind="employee", eligibility={"min_account_days": 30},
            expect={"eligibility.excluded_plans": []}),
    partner("ada", kind="employee", account_since="@-20d", plan="trial"),
    sale(ref="$ada_code", expect=flag("not_eligible", **{
        "rewards.0.flags.0.evidence.rule": "account_age"})),
])

case("a referrer that fell into collections after the lead earns by the lead into review", [
    program(rule={"trigger": "lead.qualified",
                  "amount": {"amount": 2000, "currency": "USD"}}),
    partner("ada"),
    lead(participant_id="$ada"),
    patch("/v1/participants/$ada", {"in_collections": True},
          headers={"Content-Type": "application/merge-patch+json"}),
    move("qualify"),
    get("/v1/rewards?lead_id=$lead", expect={
        "data.0.status": "review", "data.0.flags.0.code": "not_eligible"}),
])

case("what is given to the friend waits too when the referrer may not refer", [
    program(kind="customer", rule={
        "trigger": "purchase", "kind": "discount", "discount_basis_points": 1500,
        "recipient": "referee"}),
    partner("ada", kind="customer", plan="trial"),
    sale(ref="$ada_code", expect={
        "benefits.0.status": "review", "benefits.0.flags.0.code": "not_eligible"}),
])

# may_refer and because

case("the operator reads why a participant may not refer; its token reads what it can know", [
    program(kind="customer"),
    partner("ada", kind="customer"),
    token("ada"),
    get("/v1/participants/$ada", token="ada", expect={"may_refer": True, "because": ABSENT}),
    patch("/v1/participants/$ada", {"relationship": "strained"}, expect={"may_refer": True}),
    patch("/v1/programs/$program", {"eligibility": {"require_healthy_relationship": True}}),
    get("/v1/participants/$ada", expect={"may_refer": False, "because": "relationship"}),
    get("/v1/participants/$ada", token="ada", expect={
        "may_refer": False, "because": "operator_decision", "relationship": ABSENT}),
    patch("/v1/participants/$ada", {"relationship": None, "plan": "trial"}),
    get("/v1/participants/$ada", token="ada", expect={"because": "plan"}),
])

case("one that only applied, or was suspended, may not refer and knows why", [
    program(),
    partner("ada", link=False, status="applied"),
    get("/v1/participants/$ada", expect={"may_refer": False, "because": "not_approved"}),
    post("/v1/participants/$ada/approve", expect={"may_refer": True}),
    post("/v1/participants/$ada/suspend", expect={"because": "not_approved"}),
])

case("nobody may refer in a program that has ended", [
    program(),
    partner("ada"),
    post("/v1/programs/$program/end"),
    get("/v1/participants/$ada", expect={"may_refer": False, "because": "program_ended"}),
])

case("what one can earn in a year is earned: the reason is limit_reached", [
    program(reward_limits={"participant_year": 1500}),
    partner("ada"),
    token("ada"),
    sale(ref="$ada_code", amount=15000),
    get("/v1/participants/$ada", token="ada", expect={"because": "limit_reached"}),
])

# A paused program

case("a paused program credits and grants into review; once it runs again, it pays at once", [
    program(),
    partner("ada"),
    click("ada"),
    post("/v1/programs/$program/pause"),
    sale(click_id="$click", expect=flag("program_paused")),
    post("/v1/programs/$program/activate"),
    sale(click_id="$click", order="order-2", expect={
        "rewards.0.status": "approved", "rewards.0.flags": []}),
    get("/v1/rewards?status=review&participant_id=$ada", expect={"data.#": 1}),
])

case("points and gifts of a paused program wait as money does", [
    program(rule={"trigger": "purchase", "kind": "points", "points": 50}),
    rule(trigger="purchase", kind="perk", description="A mug"),
    partner("ada"),
    post("/v1/programs/$program/pause"),
    sale(ref="$ada_code", expect={
        "rewards.0.status": "review", "benefits.0.status": "review",
        "benefits.0.flags.0.code": "program_paused"}),
])

# A code that takes the sales of others

case("a code that ten of ten sales were taken by is flagged from the tenth on", [
    program(attribution={"codes": "first"}),
    partner("ada"), partner("eve"),
    [[click("ada", save=f"click{n}", agent=f"Mozilla/5.0 (X11; Linux x86_64) Firefox/{n}.0"),
      post("/v1/touchpoints", {
          "source": "partner", "click_id": f"$click{n}",
          "customer": {"email": f"b{n}@customer.example"}}),
      sale(code="$eve_code", order=f"order-{n}", buyer=f"b{n}@customer.example", expect={
          "rewards.0.participant_id": "$eve",
          "rewards.0.status": "approved" if n < 10 else "review"})] for n in range(1, 11)],
])

# New and returning customers

case("who bought before anybody brought it earns nobody anything, and the credit stays", [
    program(kind="customer"),
    partner("ada"),
    sale(occurred_at="@-9d"),
    touch("ada", "@-5d"),
    sale(order="order-2", expect={
        "rewards": [], "benefits": [], "reason": "existing_customer",
        "attribution.credits.0.participant_id": "$ada"}),
])

case("a lead before the first purchase makes a new customer, though its touch is out of the window", [
    program(kind="customer", attribution={"window_days": 10}),
    partner("ada"),
    touch("ada", "@-100d"),
    sale(occurred_at="@-50d"),
    touch("ada", "@-1d"),
    sale(order="order-2", expect={"rewards.0.amount.amount": 1000}),
])

case("a purchase that was wholly refunded made no customer; one refunded in part did", [
    program(kind="customer"),
    partner("ada"),
    sale(occurred_at="@-9d"),
    refund(),
    sale(order="b", buyer="bob@customer.example", occurred_at="@-9d", save="other"),
    refund(5000, order="part", sale="$other"),
    touch("ada", "@-5d"), touch("ada", "@-5d", buyer="bob@customer.example"),
    sale(order="order-2", expect={"rewards.0.amount.amount": 1000}),
    sale(order="order-3", buyer="bob@customer.example", expect={"reason": "existing_customer"}),
])

case("a free trial makes no customer", [
    program(kind="customer"),
    partner("ada"),
    sale(0, kind="signup", occurred_at="@-9d"),
    touch("ada", "@-5d"),
    sale(order="order-2", expect={"rewards.0.amount.amount": 1000}),
])

case("a customer that was loaded with its beginning is a returning one, however its mailbox is spelled", [
    program(kind="customer"),
    partner("ada"),
    known(email="grace@customer.example", customer_since="@-400d"),
    sale(ref="$ada_code", buyer="Grace+shop@customer.example", expect={
        "reason": "existing_customer"}),
])

case("a nightly load of customers changes nothing for whoever was referred before it", [
    program(kind="customer"),
    partner("ada"),
    touch("ada", "@-1d"),
    known(email="grace@customer.example"),
    sale(expect={"rewards.0.amount.amount": 1000}),
])

case("loading the same customer again keeps its beginning", [
    program(kind="customer"),
    known(external_id="%crm", customer_since="@-9d"),
    post("/v1/customers/bulk", {"items": [{"external_id": "%crm"}]},
         expect={"data.0.outcome": "unchanged"}),
    post("/v1/customers/bulk", {"items": [{"external_id": "%crm", "customer_since": "@-8d"}]},
         expect={"data.0.outcome": "updated"}),
])

case("a customer that another program alone knows is new here", [
    program("elsewhere", kind="customer"),
    program(kind="customer"),
    partner("ada"),
    known(email="grace@customer.example", program_id="$elsewhere", customer_since="@-400d"),
    sale(ref="$ada_code", expect={"rewards.0.amount.amount": 1000}),
])

case("partner programs pay for returning customers, unless a rule says otherwise", [
    program(),
    rule(trigger="conversion", basis_points=500, customers="new"),
    partner("ada"),
    sale(occurred_at="@-9d"),
    touch("ada", "@-5d"),
    sale(order="order-2", expect={"rewards.#": 1, "rewards.0.amount.amount": 1000}),
    sale(order="order-3", buyer="new@customer.example", ref="$ada_code", expect={"rewards.#": 2}),
])

case("a lead of somebody else's customer breaks not_a_customer", [
    program(kind="customer"),
    partner("ada"), partner("ben"),
    sale(ref="$ada_code"),
    lead(participant_id="$ben", expect={"broken_rules": ["not_a_customer"]}),
    lead("bob@customer.example", participant_id="$ben", expect={"broken_rules": []}),
])

# One person under many names

case("who is paid to a mailbox and buys with it is one person", [
    program(),
    partner("ada", payout_account="grace@customer.example"),
    sale(ref="$ada_code", expect=flag("self_referral", **{
        "rewards.0.flags.0.evidence.signal": "payout_account"})),
])

case("who buys with an address that the participant had before is one person", [
    program(),
    partner("ada", email="grace@customer.example"),
    patch("/v1/participants/$ada", {"email": "new-%ada@partner.example"}),
    sale(ref="$ada_code", expect=flag("self_referral", **{
        "rewards.0.flags.0.evidence.signal": "email"})),
])
