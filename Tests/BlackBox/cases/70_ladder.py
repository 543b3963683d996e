"""The ladder of credit: a person, a registration, an earlier sale, a lead, a code, the touches."""
from field_kit import *

WHO = "attribution.credits.0.participant_id"
RUNG = "attribution.rung"
WHY = "attribution.reason"


def lead_of(name, *moves, email="grace@customer.example", **more):
    """A lead that $name refers, saved as $lead_NAME, moved on step by step."""
    body = {"participant_id": f"${name}", "email": email}
    body.update(more)
    made = [post("/v1/leads", body, save={f"lead_{name}": "id"})]
    for move in moves:
        words = {"reason_code": "no_budget", "reason": "none"} if move in ("lose", "disqualify") else {}
        made.append(post(f"/v1/leads/$lead_{name}/{move}", words))
    return made


def touch(name, at="@-1d", email="grace@customer.example", **more):
    body = {"program_id": "$program", "source": "referral", "participant_id": f"${name}",
            "customer": {"email": email}, "occurred_at": at}
    body.update(more)
    return post("/v1/touchpoints", body)


def credited(name, rung, **more):
    """What the answer to a sale must say."""
    return {WHO: f"${name}", RUNG: rung, **more}


NOBODY = {"attribution.credits.#": 0}

# --- rung 3: renewals and upsells

case("a renewal of a subscription stays with whom its first sale was credited to", [
    program(), partner("ada"), partner("ben"), touch("ada", "@-50d"),
    sale(subscription="sub-1", occurred_at="@-40d"), touch("ben"),
    sale(order="r-1", kind="renewal", subscription="sub-1", expect=credited("ada", "bound", **{
        "subscription": "sub-1", WHY: "bound"})),
    balance("ada", available=2000), balance("ben", available=0),
])
case("an upsell stays with it too", [
    program(), partner("ada"), partner("ben"), touch("ada", "@-50d"),
    sale(subscription="sub-1", occurred_at="@-40d"), touch("ben"),
    sale(order="u-1", kind="upsell", subscription="sub-1", expect=credited("ada", "bound")),
])
case("a purchase does not: the touches of its own window decide", [
    program(), partner("ada"), partner("ben"), touch("ada", "@-50d"),
    sale(subscription="sub-1", occurred_at="@-40d"), touch("ben"),
    sale(order="p-2", subscription="sub-1", expect=credited("ben", "touches")),
])
case("a second subscription of the customer has its own referrer", [
    program(), partner("ada"), partner("ben"), touch("ada", "@-50d"),
    sale(subscription="sub-1", occurred_at="@-40d"), touch("ben", "@-30d"),
    sale(order="o-2", subscription="sub-2", occurred_at="@-20d"),
    sale(order="r-1", kind="renewal", subscription="sub-1", expect=credited("ada", "bound")),
    sale(order="r-2", kind="renewal", subscription="sub-2", expect=credited("ben", "bound")),
])
case("the first sale of a subscription is no renewal, whatever its kind", [
    program(), partner("ada"), touch("ada"),
    sale(kind="renewal", subscription="sub-1", expect=credited("ada", "touches")),
])
case("a sign-up of nothing begins a subscription, and its credit holds for the payments", [
    program(), partner("ada"), partner("ben"), touch("ada", "@-40d"),
    sale(amount=0, kind="signup", order="s-1", subscription="sub-1", occurred_at="@-39d"),
    touch("ben"),
    sale(order="r-1", kind="renewal", subscription="sub-1", expect=credited("ada", "bound")),
])
case("without a subscription the first credited sale counts, not an earlier uncredited one", [
    program(), partner("ada"), partner("ben"),
    sale(order="o-0", occurred_at="@-60d"), touch("ada", "@-50d"),
    sale(order="o-1", occurred_at="@-40d"), touch("ben"),
    sale(order="r-1", kind="renewal", expect=credited("ada", "bound")),
])
case("of a subscription that began without a referrer, a renewal credits nobody", [
    program(), partner("ben"), sale(subscription="sub-1", occurred_at="@-40d"), touch("ben"),
    sale(order="r-1", kind="renewal", subscription="sub-1", expect={
        **NOBODY, RUNG: "bound", WHY: "nobody_bound", "rewards.#": 0}),
    get("/v1/conversions/$sale/explain", expect={"rung": "bound", "reason": "nobody_bound"}),
    balance("ben", available=0),
])
case("without a subscription too", [
    program(), partner("ben"), sale(occurred_at="@-40d"), touch("ben"),
    sale(order="r-1", kind="renewal", expect={**NOBODY, WHY: "nobody_bound"}),
])
case("an upsell of it goes on to the touches", [
    program(), partner("ben"), sale(subscription="sub-1", occurred_at="@-40d"), touch("ben"),
    sale(order="u-1", kind="upsell", subscription="sub-1", expect=credited("ben", "touches")),
])
case("binds none: every renewal is decided by itself", [
    program(attribution={"binds": "none"}), partner("ada"), partner("ben"), touch("ada", "@-50d"),
    sale(occurred_at="@-40d"), touch("ben"),
    sale(order="r-1", kind="renewal", expect=credited("ben", "touches")),
])
case("binds all: a further purchase stays with the first credited sale", [
    program(attribution={"binds": "all"}), partner("ada"), partner("ben"), touch("ada", "@-50d"),
    sale(occurred_at="@-40d"), touch("ben"),
    sale(order="o-2", expect=credited("ada", "bound")),
])
case("the names that binds replaced are unknown, and a wrong value is refused", [
    post("/v1/programs", {"name": "x", "currency": "USD", "attribution": {"bind": "first"}},
         status=400),
    post("/v1/programs", {"name": "x", "currency": "USD", "attribution": {"prefer_codes": True}},
         status=400),
    post("/v1/programs", {"name": "x", "currency": "USD", "attribution": {"binds": "first"}},
         status=400),
    post("/v1/programs", {"name": "x", "currency": "USD"}, expect={
        "attribution.binds": "renewals", "attribution.codes": "first",
        "attribution.lead_days": 365}),
])
case("a renewal has the shares of the first sale's newest result, nobody's among them", [
    program(attribution={"model": "linear"}), partner("ada"), partner("ben"),
    touch("ada", "@-50d"),
    post("/v1/touchpoints", {"program_id": "$program", "source": "direct",
                             "customer": {"email": "grace@customer.example"},
                             "occurred_at": "@-49d"}),
    sale(occurred_at="@-40d"), touch("ben"),
    sale(order="r-1", kind="renewal", amount=10000, expect=credited("ada", "bound", **{
        "attribution.credits.0.amount.amount": 5000,
        "attribution.credits.1.participant_id": ABSENT})),
])
case("a word of a person about the first sale holds for the renewals after it", [
    program(), partner("ada"), partner("ben"), touch("ada", "@-50d"),
    sale(occurred_at="@-40d"),
    post("/v1/conversions/$sale/reattribute", {
        "reason": "Ben was there", "credits": [{"participant_id": "$ben", "parts": 1}]},
        expect=credited("ben", "person")),
    sale(order="r-1", kind="renewal", expect=credited("ben", "bound")),
])
case("a suspended partner earns a renewal into review, and nobody in its place", [
    program(), partner("ada"), partner("ben"), touch("ada", "@-50d"), sale(occurred_at="@-40d"),
    post("/v1/participants/$ada/suspend"), touch("ben"),
    sale(order="r-1", kind="renewal", expect=credited("ada", "bound", **{
        "rewards.#": 1, "rewards.0.status": "review", "rewards.0.participant_id": "$ada"})),
    balance("ben", available=0),
])
case("a closed partner earns nothing of a renewal, and nobody in its place", [
    program(), partner("ada"), partner("ben"), touch("ada", "@-50d"), sale(occurred_at="@-40d"),
    post("/v1/participants/$ada/close"), touch("ben"),
    sale(order="r-1", kind="renewal", expect=credited("ada", "bound", **{
        "rewards.#": 0, "reason": "participant_closed"})),
    get("/v1/conversions/$sale/explain", expect={"unrewarded": "participant_closed"}),
    balance("ada", available=1000), balance("ben", available=0),
])
case("first_months are those of the subscription, from its first paid sale", [
    program(rule={"trigger": "conversion", "basis_points": 1000, "first_months": 3}),
    partner("ada"), touch("ada", "@-202d"),
    sale(amount=0, kind="signup", order="s-1", subscription="sub-1", occurred_at="@-200d"),
    sale(order="r-1", kind="renewal", subscription="sub-1", occurred_at="@-80d",
         expect={"rewards.#": 1}),
    sale(order="r-2", kind="renewal", subscription="sub-1", occurred_at="@-1d",
         expect={"rewards.#": 1}),
])
case("and over when they are over", [
    program(rule={"trigger": "conversion", "basis_points": 1000, "first_months": 1}),
    partner("ada"), touch("ada", "@-51d"),
    sale(order="o-1", subscription="sub-1", occurred_at="@-50d", expect={"rewards.#": 1}),
    sale(order="r-1", kind="renewal", subscription="sub-1", occurred_at="@-1d",
         expect=credited("ada", "bound", **{"rewards.#": 0, "reason": "months_over"})),
    get("/v1/conversions/$sale/explain", expect={
        "unrewarded": "months_over", "summary": has("It earned nothing: months_over.")}),
])

case("what an ended program does not pay is told in the explanation", [
    program(), partner("ada"), touch("ada"), post("/v1/programs/$program/end"),
    sale(expect=credited("ada", "touches", **{"rewards.#": 0, "reason": "program_ended"})),
    get("/v1/conversions/$sale/explain", expect={"unrewarded": "program_ended"}),
])

# --- rung 4: leads

case("a qualified lead goes before a later touch", [
    program(), partner("ada"), partner("ben"), lead_of("ada", "qualify", referred_at="@-80d"),
    touch("ben"),
    sale(expect=credited("ada", "lead", **{WHY: "lead",
                                          "attribution.credits.0.lead_id": "$lead_ada"})),
])
case("a won one too, and an opportunity", [
    program(), partner("ada"), partner("ben"),
    lead_of("ada", "qualify", "advance", referred_at="@-80d"), touch("ben"),
    sale(expect=credited("ada", "lead")), post("/v1/leads/$lead_ada/win"),
    sale(order="o-2", expect=credited("ada", "lead")),
])
case("a lost one does not, nor is it a touch", [
    program(), partner("ada"), lead_of("ada", "qualify", "lose"),
    sale(expect={**NOBODY, RUNG: "touches", "attribution.touches.0.verdict": "lead_out"}),
])
case("a disqualified one that the sale names does not either", [
    program(), partner("ada"), partner("ben"), lead_of("ada", "disqualify"), touch("ben"),
    sale(lead_id="$lead_ada", expect=credited("ben", "touches")),
])
case("a submitted lead that the sale names decides", [
    program(), partner("ada"), partner("ben"), lead_of("ada"), touch("ben", "@-0s"),
    sale(lead_id="$lead_ada", expect=credited("ada", "lead")),
])
case("a submitted lead is a touch for its validity, beyond the window", [
    program(), partner("ada"), lead_of("ada", referred_at="@-80d"),
    sale(expect=credited("ada", "touches")),
])
case("and no longer", [
    program(), partner("ada"), lead_of("ada", referred_at="@-91d"), sale(expect=NOBODY),
])
case("a lead that was referred after the sale does not take it", [
    program(), partner("ada"), partner("ben"), touch("ben", "@-4d"),
    lead_of("ada", "qualify", referred_at="@-2d"),
    sale(occurred_at="@-3d", expect=credited("ben", "touches")),
])
case("a lead without a referrer decides nothing", [
    program(), partner("ben"),
    lead(referred_at="@-5d"),
    post("/v1/leads/$lead/qualify"), touch("ben"), sale(expect=credited("ben", "touches")),
])

# --- rung 1 and 6: a model changes the touches alone

case("another model says nothing of what a lead decided", [
    program(), partner("ada"), partner("ben"), lead_of("ada", "qualify"), touch("ben"), sale(),
    get("/v1/conversions/$sale/attribution?model=linear", expect={
        "rung": "lead", "credits.#": 1, "credits.0.participant_id": "$ada"}),
    get("/v1/conversions/$sale/compare", expect={
        "participants.#": 1, "participants.0.models.5.difference": 0}),
])
case("another model says nothing of what a person decided", [
    program(), partner("ada"), partner("ben"), touch("ben"), sale(),
    post("/v1/conversions/$sale/reattribute", {
        "reason": "word", "credits": [{"participant_id": "$ada", "parts": 1}]}),
    get("/v1/conversions/$sale/attribution?model=first_touch", expect={
        "rung": "person", "credits.0.participant_id": "$ada"}),
])
case("the touches are decided by the model that is asked for", [
    program(), partner("ada"), partner("ben"), touch("ada", "@-2d"), touch("ben"), sale(),
    get("/v1/conversions/$sale/attribution?model=first_touch", expect={
        "rung": "touches", "credits.0.participant_id": "$ada"}),
    get("/v1/conversions/$sale/explain", expect={
        "rung": "touches", "rule": has("Rung 6 of 6, touches:")}),
])

# --- links that are off

case("a code of a link that is off counts as absent, and the next touch decides", [
    program(), partner("ada"), partner("ben"), touch("ben", "@-3d"),
    post("/v1/links/$ada_link/disable"),
    sale(code="$ada_code", expect=credited("ben", "touches", **{
        "attribution.touches.1.verdict": "link_disabled"})),
])
case("a late notice of a sale before its link was off still counts", [
    program(), partner("ada"), post("/v1/links/$ada_link/disable"),
    sale(code="$ada_code", occurred_at="@-1d", expect=credited("ada", "code")),
])
case("a click of before its link was off still counts", [
    program(), partner("ada"), click("ada"), post("/v1/links/$ada_link/disable"),
    sale(click_id="$click", expect=credited("ada", "touches")),
])

# --- rung 5: codes

case("codes first: a typed code goes before a later click", [
    program(), partner("ada"), partner("ben"), click("ben"),
    sale(click_id="$click", code="$ada_code", expect=credited("ada", "code")),
])
case("codes first: the code goes before clicks under every model", [
    program(attribution={"model": "linear"}), partner("ada"), partner("ben"), click("ben"),
    sale(click_id="$click", code="$ada_code", expect=credited("ada", "code", **{
        "attribution.credits.#": 1})),
    get("/v1/conversions/$sale/attribution?model=first_touch", expect={
        "rung": "code", "credits.0.participant_id": "$ada"}),
])
case("codes as touches: the model shares", [
    program(attribution={"model": "linear", "codes": "touch"}), partner("ada"), partner("ben"),
    click("ben"),
    sale(click_id="$click", code="$ada_code", expect={"attribution.credits.#": 2, RUNG: "touches"}),
])
case("codes last: a click in the window goes first", [
    program(attribution={"codes": "last"}), partner("ada"), partner("ben"), click("ben"),
    sale(click_id="$click", code="$ada_code", expect=credited("ben", "touches", **{
        "attribution.touches.1.verdict": "code_last"})),
])
case("codes last: without a click the code counts", [
    program(attribution={"codes": "last"}), partner("ada"), partner("ben"), touch("ben", "@-40d"),
    sale(code="$ada_code", expect=credited("ada", "touches")),
])
