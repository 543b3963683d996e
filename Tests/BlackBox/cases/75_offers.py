"""What a program promises, and whom its participants referred."""
from field_kit import *

OFFER = "/v1/programs/$program/offer"
USD = {"amount": 20000, "currency": "USD"}


def mine(**expect):
    return get("/v1/referrals?participant_id=$ada", expect=expect)


def just(value):
    """Exactly this value, in which a dollar sign names nothing."""
    def check(found):
        return True if found == value else f"{found} instead of {value}"
    check.__name__ = f"just({value!r})"
    return check


def promises(title, terms, sentence):
    case(title, [program(rule=terms), get(OFFER, expect={"rewards.0.sentence": just(sentence)})])


promises("a flat amount names figure and event", {"trigger": "signup", "amount": USD},
         "You get $200 in cash for each person you refer who signs up.")
promises("a share of sales is a percentage", {"trigger": "renewal", "basis_points": 1550},
         "You get 15.5% of the sale in cash for each renewal of a person you referred.")
promises("the least and the most stand beside a share",
         {"trigger": "purchase", "basis_points": 5, "once_per": "occasion",
          "min_amount": {"amount": 50, "currency": "USD"},
          "max_amount": {"amount": 100000, "currency": "USD"}},
         "You get 0.05% of the sale (at least $0.50, at most $1000) in cash for each purchase of a "
         "person you referred.")
promises("what happens once for a customer says so",
         {"trigger": "purchase", "amount": USD, "once_per": "customer", "customers": "new"},
         "You get $200 in cash for each person you refer who buys, if that person was not a "
         "customer before.")
promises("a rule for all sales names sign-ups too",
         {"trigger": "conversion", "amount": USD, "once_per": "occasion"},
         "You get $200 in cash for each sale or sign-up of a person you referred.")
promises("only the kinds of sale that a rule names",
         {"trigger": "conversion", "basis_points": 1000,
          "conversion_kinds": ["purchase", "upsell"]},
         "You get 10% of the sale in cash for each purchase or upgrade of a person you referred.")
promises("the friend's side is told as the friend's",
         {"trigger": "signup", "recipient": "referee", "kind": "discount",
          "discount_basis_points": 1000, "duration": "forever"},
         "The person you refer gets 10% off all invoices once, for a sign-up.")
promises("points are no money", {"trigger": "lead.won", "kind": "points", "points": 1500},
         "You get 1500 points for each referral that is won.")
promises("the first so many are of the program",
         {"trigger": "signup", "recipient": "referee", "kind": "gift_card", "first": 12,
          "amount": {"amount": 2500, "currency": "USD"}},
         "The person you refer gets $25 as a gift card once, for a sign-up, for the first 12 "
         "referrals of the program.")

case("money of a currency without a sign or without decimals", [
    program(currency="JPY", rule={"trigger": "signup",
                                  "amount": {"amount": 1500, "currency": "JPY"}}),
    get(OFFER, expect={"rewards.0.sentence": has("1500 JPY")}),
])
case("a token reads its own rules, and another program's offer is not found", [
    program(), partner("ada"), token("ada"),
    rule(trigger="signup", amount={"amount": 98700, "currency": "USD"}, segments=["gold"]),
    get(OFFER, expect={"rewards.#": 2}),
    get(OFFER, token="ada", expect={"rewards.#": 1, "participant_id": "$ada"}),
    program("other"), get("/v1/programs/$other/offer", token="ada", status=404),
    get("/v1/programs/$other/offer?participant_id=$ada", status=404),
])
case("a campaign is announced where it changes a rule that holds", [
    program(), partner("ada"),
    rule(trigger="signup", amount=USD, segments=["gold"]),
    post("/v1/programs/$program/campaigns", {
        "name": "Double", "starts_at": "@+1d", "ends_at": "@+9d", "multiplier_basis_points": 20000}),
    post("/v1/programs/$program/campaigns", {
        "name": "Gold", "starts_at": "@+1d", "ends_at": "@+9d", "multiplier_basis_points": 15000,
        "reward_rule_ids": ["$rule2"]}),
    get(OFFER, expect={"campaigns.#": 2}),
    get(OFFER + "?participant_id=$ada", expect={
        "campaigns.#": 1, "campaigns.0.sentence": has("multiplied by 2")}),
])
case("what is held, and what a cancellation changes, is stated", [
    program(hold_days=14, clawback_days=None, reward_limits={"referee": 5000}),
    get(OFFER, expect={"payment.0": has("14 days"), "cancellation": has("it stays"),
                       "limits": just(["At most $50 for one referred person."]),
                       "rewards.0.hold_days": 14}),
])
case("a click and a sale are one referral, a customer", [
    program(), partner("ada"), click("ada"), sale(click_id="$click"),
    mine(**{"data.#": 1, "data.0.stage": "customer", "data.0.sales.count": 1,
            "data.0.earned.0.available": 1000, "data.0.lead_id": ABSENT}),
])
case("a refunded sale stands no more", [
    program(), partner("ada"), click("ada"), sale(click_id="$click"), refund(),
    mine(**{"data.0.stage": "touched", "data.0.sales.standing": 0,
            "data.0.earned.0.available": 0}),
])
case("a person whom two reached is a row of each, and a sale counts for the credited one", [
    program(), partner("ada"), partner("ben"),
    click("ben", "first"), click("ada"), sale(click_id=["$first", "$click"]),
    mine(**{"data.0.stage": "customer"}),
    get("/v1/referrals?participant_id=$ben", expect={
        "data.#": 1, "data.0.stage": "touched", "data.0.sales.count": 0, "data.0.earned": []}),
])
case("lost, nurtured and disqualified leads are stages", [
    program(), partner("ada"), lead(participant_id="$ada"),
    move("nurture", {"follow_up_at": "@+20d"}),
    mine(**{"data.0.stage": "nurture", "data.0.next_step": "follow_up"}),
    move("qualify"), move("lose", {"reason": "Budget."}),
    mine(**{"data.0.stage": "lost", "data.0.next_step": ABSENT}),
    get("/v1/referrals?participant_id=$ada&stage=qualified", expect={"data.#": 0}),
    get("/v1/referrals?participant_id=$ada&stage=sold", status=400),
])
case("a token reads what it referred, without the words of a form", [
    program(), partner("ada"), partner("ben"), token("ada"),
    form({"name": "Grace", "email": "grace@form.example", "ref": "$ada_code"}),
    lead("b@buyer.example", participant_id="$ben"),
    get("/v1/referrals", token="ada", expect={
        "data.#": 1, "data.0.email": ABSENT, "data.0.name": ABSENT,
        "data.0.stage": "submitted", "data.0.customer_id": ABSENT}),
    get("/v1/referrals?participant_id=$ben", token="ada", status=404),
    mine(**{"data.0.email": "grace@form.example"}),
])
