"""What a participant's token must not learn, rulings, currency, hands, and the cursor of the feed."""
from field_kit import *

DRY = {"Dry-Run": "true"}


def clerk(name, *scopes):
    """A secret key, for steps with token="NAME"."""
    return post("/v1/api_keys", {"name": name, "scopes": list(scopes)},
                save={f"{name}_token": "secret", f"{name}_key": "id"})


def claim(name, domain, company, save, **how):
    return post("/v1/registrations", {
        "participant_id": f"${name}", "account": {"domain": domain, "name": company}},
        save={save: "id", **how.pop("more", {})}, **how)


# The currency and what holds money back.

for first, patched, status, threshold in (
        ("JPY", {"currency": "USD"}, 200, 50_000), ("EUR", {"currency": "USD"}, 200, 50_000),
        ("JPY", {"currency": "USD", "approval_threshold": None}, 403, None),
        ("CHF", {"currency": "USD", "approval_threshold": {"amount": 50_001, "currency": "USD"}}, 403,
         None),
        ("USD", {"currency": "JPY"}, 200, None)):
    case(f"a write key that changes {first} by {sorted(patched)} does not loosen the threshold", [
        program(rule=None, activate=False, currency=first),
        clerk("clerk", "write"),
        patch("/v1/programs/$program", patched, token="clerk", status=status),
        get("/v1/programs/$program", expect={
            "approval_threshold": ABSENT if threshold is None
            else {"amount": threshold, "currency": "USD"}}),
    ])

case("the currency is fixed once there is a rule", [
    program(activate=False),
    patch("/v1/programs/$program", {"currency": "EUR"}, status=409, expect={"code": "currency_fixed"}),
])
case("the currency is fixed once there is a participant", [
    program(rule=None, activate=False), partner("ada", link=False),
    patch("/v1/programs/$program", {"currency": "EUR"}, status=409, expect={"code": "currency_fixed"}),
    patch("/v1/programs/$program", {"currency": "USD", "name": "New"}),
])
case("the currency of an empty draft can change", [
    program(rule=None, activate=False),
    patch("/v1/programs/$program", {"currency": "EUR"}, expect={"currency": "EUR"}),
])

# Oracles for a token.

for email in ("ben@partner.example", "nobody@partner.example", "ADA@partner.example"):
    case(f"a token names nobody else as referrer: {email}", [
        program(), partner("ada"), partner("ben"), token("ada"),
        post("/v1/leads", {"email": "x@buyer.example", "referrer_email": email}, token="ada",
             status=400, expect={"errors.0.pointer": "/referrer_email"}),
        post("/v1/leads", {"email": "x@buyer.example", "referrer_email": email}, token="ada",
             headers=DRY, status=400, expect={"errors.0.pointer": "/referrer_email"}),
    ])

for email in ("grace@customer.example", "GRACE@customer.example", "new@customer.example"):
    case(f"a token's dry run never says duplicate: {email}", [
        program(), partner("ada"), partner("ben"), token("ada"),
        lead(participant_id="$ben"),
        post("/v1/leads", {"email": email}, token="ada", headers=DRY,
             expect={"status": "submitted", "duplicate_of": ABSENT, "reason_code": ABSENT}),
        post("/v1/leads/bulk", {"items": [{"email": email}]}, token="ada", headers=DRY,
             expect={"data.0.lead_status": "submitted", "data.0.reason_code": ABSENT}),
    ])
case("what a token sends in earnest is told, and leaves its trace", [
    program(), partner("ada"), partner("ben"), token("ada"), lead(participant_id="$ben"),
    post("/v1/leads", {"email": "grace@customer.example"}, token="ada",
         expect={"status": "duplicate", "duplicate_of": ABSENT, "customer_id": ABSENT}),
])
case("a dry run of a form that is bad is bad", [
    program(), partner("ada"), token("ada"),
    post("/v1/leads", {"email": "no mailbox"}, token="ada", headers=DRY, status=400),
])
case("a claim that a token only tries says nothing of another's", [
    program(), partner("ada"), partner("ben"), token("ada"), token("ben"),
    claim("ada", "held-by-ada.example", "Held Inc", "claim", token="ada"),
    post("/v1/registrations", {"account": {"domain": "held-by-ada.example"}}, token="ben", headers=DRY,
         status=201, expect={"status": "submitted"}),
    post("/v1/registrations", {"account": {"domain": "held-by-ada.example"}}, token="ben", status=409,
         expect={"code": "account_protected"}),
])
case("a token looks up protection in a partner program", [
    program(), partner("ada"), partner("ben"), token("ada"), token("ben"),
    claim("ada", "looked-up.example", "Looked Up", "claim", token="ada"),
    get("/v1/protection?domain=looked-up.example", token="ben",
        expect={"work": "another", "claims.#": 0}),
    get("/v1/protection?domain=looked-up.example", token="ada", expect={"work": "you"}),
    get("/v1/events?type=protection.looked_up", token="ben", expect={
        "data.#": 1, "data.0.participant_id": "$ben", "data.0.data": {}}),
])
case("a token of a customer program looks up nothing", [
    program(kind="customer"), partner("ada", kind="customer"), token("ada"),
    get("/v1/protection?domain=anybody.example", token="ada", status=422,
        expect={"code": "not_a_partner_program"}),
    get("/v1/protection?domain=anybody.example", expect={"work": "anyone"}),
])

# What a token reads.

case("a shared sale shows a partner its own share, and nothing of the rival's lead", [
    program(attribution={"model": "linear"}), partner("ada"), partner("ben"), token("ada"),
    token("ben"),
    lead(participant_id="$ada"),
    post("/v1/touchpoints", {"program_id": "$program", "source": "partner", "participant_id": "$ben",
                             "customer": {"email": "grace@customer.example"}}),
    sale(lead_id="$lead", amount=20000),
    post("/v1/conversions/$sale/reattribute", {"reason": "Both did it.", "credits": [
        {"participant_id": "$ada", "parts": 1}, {"participant_id": "$ben", "parts": 1}]}),
    get("/v1/rewards", token="ben", expect={
        "data.#": 1, "data.0.amount.amount": 1000, "data.0.lead_id": ABSENT}),
    get("/v1/rewards", token="ada", expect={"data.0.lead_id": "$lead"}),
    get("/v1/conversions", token="ben", expect={
        "data.0.amount.amount": 10000, "data.0.customer_id": ABSENT, "data.0.lead_id": ABSENT}),
    get("/v1/touchpoints", token="ben", expect={"data.0.customer_id": ABSENT}),
    get("/v1/participants/$ben/statement", token="ben", expect={"lines.0.lead_id": ABSENT}),
    get("/v1/participants/$ada/statement", token="ada", expect={"lines.0.lead_id": "$lead"}),
    get("/v1/participants/$ben/statement", expect={"lines.0.lead_id": "$lead"}),
])
case("the event of a sale has no amount for a token", [
    program(), partner("ada"), token("ada"), sale(ref="$ada_code", amount=77_777),
    get("/v1/events?type=conversion.attributed&limit=100", token="ada", expect={
        "data.0.data.kind": "purchase", "data.0.data.amount": ABSENT,
        "data.0.data.attribution_id": ABSENT}),
])
case("an event names the operator's key to the operator alone", [
    program(), partner("ada"), token("ada"), clerk("clerk", "admin"),
    lead(participant_id="$ada"), post("/v1/leads/$lead/qualify", token="clerk"),
    get("/v1/leads/$lead/timeline", token="ada", expect={"data.1.actor": "operator"}),
    get("/v1/leads/$lead/timeline", expect={"data.1.actor": "$clerk_key"}),
])
case("a suspect sees a review, and no signal", [
    program(kind="customer"), partner("ada", kind="customer"), token("ada"),
    sale(ref="$ada_code", buyer="ada@partner.example", save_as={"own": "rewards.0.id"},
         expect={"rewards.0.flags.0.code": "self_referral"}),
    get("/v1/rewards/$own", token="ada", expect={"status": "review", "flags": []}),
    get("/v1/rewards/$own/explain", token="ada", expect={
        "hold": has("A person reviews it."), "text": lambda text: "self_referral" not in text}),
])

case("of a hint that was left out a token reads the name, in the lead and in its events", [
    program(), partner("ada"), token("ada"), lead(participant_id="$ada", ref="nobody-has-this-code"),
    get("/v1/leads/$lead", token="ada", expect={"ignored": [{"name": "ref"}]}),
    get("/v1/leads/$lead/timeline", token="ada", expect={"data.0.data.ignored": [{"name": "ref"}]}),
])

# Rulings of disputes that the system opened.

for decision, share, mine, theirs in (
        ("uphold", None, ("rejected", 10_000), ("approved", 10_000)),
        ("transfer", None, ("approved", 10_000), ("rejected", 10_000)),
        ("split", 1, ("approved", 1), ("approved", 9_999)),
        ("split", 5_000, ("approved", 5_000), ("approved", 5_000)),
        ("reject", None, ("submitted", 10_000), ("approved", 10_000))):
    ruling = {"decision": decision, "reason": "By the minutes."}
    if share:
        ruling["claimant_share"] = share
    name = f"ruled{decision}{share or ''}"
    case(f"a dispute between two claims that stand is ruled {decision} {share or ''}", [
        program(registration={"approval": "automatic"}, protection_scope="program"),
        partner("ada"), partner("ben"), token("ada"), token("ben"),
        claim("ada", f"{name}.example", f"{name.title()} Traders", "first", token="ada"),
        claim("ben", f"{name}-group.example", f"{name.title()} Trader Inc.", "second",
              token="ben", more={"dispute": "dispute_id"}),
        post("/v1/disputes/$dispute/resolve", ruling, expect={"status": "resolved"}),
        get("/v1/registrations/$second", expect={"status": mine[0], "share": mine[1]}),
        get("/v1/registrations/$first", expect={"status": theirs[0], "share": theirs[1]}),
    ])
case("a party's evidence is no news to the other", [
    program(registration={"approval": "automatic"}), partner("ada"), partner("ben"),
    token("ada"), token("ben"),
    claim("ada", "evidence.example", "Evidence Inc", "first", token="ada"),
    post("/v1/registrations", {"account": {"domain": "evidence.example"}}, token="ben", status=409,
         save={"second": "registration_id"}),
    post("/v1/disputes", {"registration_id": "$second", "reason": "We were first."}, token="ben",
         save={"dispute": "id"}, expect={"version": 1}),
    post("/v1/disputes/$dispute/evidence", {"note": "Minutes"}, token="ben", expect={"version": 2}),
    get("/v1/disputes/$dispute", token="ada", expect={"version": 1, "evidence.#": 0}),
    get("/v1/disputes/$dispute/timeline", token="ada", expect={"data.#": 1}),
    get("/v1/disputes/$dispute", expect={"version": 2, "evidence.#": 1}),
    get("/v1/disputes/$dispute/timeline", expect={"data.#": 2}),
])

# The feed's cursor.

for cursor in ("999999999999", "0000000000.1", "zzzzzzzzzz.0"):
    case(f"the cursor {cursor} is of events that are not here", [
        get(f"/v1/events?after={cursor}", status=409,
            expect={"code": "cursor_ahead", "head": has(".")}),
    ])
for cursor in ("x", "-1", "1.2.3", ".5", "0000000000."):
    case(f"{cursor} is no cursor", [get(f"/v1/events?after={cursor}", status=400)])
case("a cursor goes on where it stood, as the feed's or as a plain number", [
    program(rule=None),
    get("/v1/events?limit=1", save={"cursor": "next_cursor", "seen": "data.0.sequence"}),
    get("/v1/events?limit=1&after=$cursor", expect={"data.#": 1}),
    get("/v1/events?limit=1&after=$seen", expect={"data.#": 1}),
])

# Two for money.

case("who recorded the touch does not approve what it earned, and an administrator says why he does", [
    program(hold_days=9, approvals={"separate": True}), partner("ada"),
    clerk("clerk", "read", "write", "payouts"), clerk("boss", "admin"),
    post("/v1/touchpoints", {"program_id": "$program", "source": "partner", "participant_id": "$ada",
                             "customer": {"email": "grace@customer.example"}}, token="clerk"),
    sale(save_as={"reward": "rewards.0.id"}),
    post("/v1/rewards/$reward/approve", token="clerk", status=403,
         expect={"code": "separate_approval"}),
    post("/v1/rewards/$reward/approve", {"override_reason": "x"}, token="clerk", status=403,
         expect={"code": "forbidden"}),
    post("/v1/rewards/$reward/approve", token="boss", expect={"status": "approved"}),
])
case("who made the token does not approve what came by it", [
    program(rule={"trigger": "lead.qualified", "amount": {"amount": 5000, "currency": "USD"}},
            hold_days=9, approvals={"separate": True}), partner("ada"),
    clerk("boss", "admin"), clerk("other", "payouts"),
    post("/v1/participants/$ada/tokens", token="boss", save={"ada_token": "secret"}),
    post("/v1/leads", {"email": "x@buyer.example"}, token="ada", save={"lead": "id"}),
    move("qualify"),
    get("/v1/rewards?participant_id=$ada", save={"reward": "data.0.id"}),
    post("/v1/rewards/$reward/approve", token="boss", status=403,
         expect={"code": "separate_approval"}),
    post("/v1/rewards/$reward/approve", {"override_reason": "We are two."}, token="boss",
         expect={"status": "approved"}),
])
