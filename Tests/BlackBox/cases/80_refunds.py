"""Refunds, and back again: refunded is what the refunds in force ask for, and never more than the sale;
rewards are what their rules give for the rest."""
from field_kit import *

USD = lambda amount: {"amount": amount, "currency": "USD"}
PERCENT = {"trigger": "conversion", "basis_points": 1000}
CAP = {"trigger": "conversion", "basis_points": 2000, "max_amount": USD(1500)}
FLOOR = {"trigger": "conversion", "basis_points": 500, "min_amount": USD(300)}
FLAT = {"trigger": "conversion", "amount": USD(1000)}


def earned(amount, status="approved", reward="$reward"):
    return get(f"/v1/rewards/{reward}",
               expect={"net_amount.amount": amount, "status": status})


def sold(amount=10000, **how):
    return [partner("ada"), click("ada"),
            sale(amount, click_id="$click", save_as={"reward": "rewards.0.id", "sale": "id"}, **how)]


def reverse(refund="$refund", order="back-1", kind="mistake", **how):
    how.setdefault("key", f"reverse-{order}")
    return post(f"/v1/refunds/{refund}/reverse", {"external_id": order, "kind": kind}, **how)


def named(sale="order-1", order="refund-1", amount=None, **how):
    body = {"program_id": "$program", "conversion_external_id": sale, "external_id": order}
    if amount is not None:
        body["amount"] = USD(amount)
    how.setdefault("key", f"named-{order}")
    how.setdefault("save", {"refund": "id"})
    return post("/v1/refunds", body, **how)


# What refunds take.

for back, left in [(2500, 1500), (4000, 1200), (2501, 1500), (9999, 0)]:
    case(f"a cap of 15.00 on 20 %: with {back} of 100.00 back {left} cents are left", [
        program(rule=CAP), sold(), refund(back),
        earned(left, "approved" if left else "voided")])

for back, left in [(1000, 450), (5000, 300), (9999, 300)]:
    case(f"a floor of 3.00 on 5 %: with {back} of 100.00 back {left} cents are left", [
        program(rule=FLOOR), sold(), refund(back), earned(left)])

for back, left in [(2500, 750), (3333, 667), (1, 1000)]:
    case(f"a flat 10.00 falls in proportion: with {back} of 100.00 back {left} cents are left", [
        program(rule=FLAT), sold(), refund(back), earned(left)])

case("points fall in proportion, and come back", [
    program(rule={"trigger": "conversion", "kind": "points", "points": 30}),
    sold(), refund(5000), earned(15), reverse(), earned(30)])

case("a chargeback of the whole after a partial refund takes the rest", [
    program(), sold(), refund(3000, "r1"),
    refund(order="cb", kind="chargeback", status=201, expect={
        "asked.amount": 10000, "applied.amount": 7000, "conversion_refunded.amount": 10000}),
    earned(0, "voided")])

case("the last of three lines that come to two cents more takes what is left", [
    program(), sold(), refund(3334, "l1"), refund(3334, "l2"),
    refund(3334, "l3", status=201, expect={"asked.amount": 3334, "applied.amount": 3332}),
    earned(0, "voided")])

case("a refund after everything is back takes nothing and is kept", [
    program(), sold(), refund(order="all"), refund(500, "late", status=200, expect={
        "asked.amount": 500, "applied.amount": 0}),
    get("/v1/conversions/$sale/refunds", expect={"data.#": 2})])

for amount in (10001, 11900, 9007199254740991):
    case(f"one refund of {amount} cents of a sale of 100.00 is refused and says how", [
        program(), sold(), refund(amount, status=422, expect={
            "code": "refund_too_large", "detail": has("net or gross"), "errors.0.pointer": "/amount"}),
        earned(1000)])

case("a full refund told with and without its amount is one", [
    program(), sold(), refund(order="r", status=201),
    refund(10000, "r", key="again", status=200), refund(9999, "r", key="other", status=409),
    earned(0, "voided")])

case("a refund needs an Idempotency-Key, by either way", [
    program(), sold(), Step("POST", "/v1/conversions/$sale/refund", {"external_id": "r"}, status=400,
                            headers={"Idempotency-Key": ""})])

# By the sale's own name.

case("a refund by the sale's external id finds it", [
    program(), sold(), named(amount=4000, status=201, expect={
        "status": "applied", "conversion_id": "$sale", "applied.amount": 4000}),
    earned(600)])

case("a refund that comes before its sale waits, and two wait together", [
    program(), named(amount=2500, status=201, expect={
        "status": "parked", "conversion_id": ABSENT, "applied": ABSENT, "asked.amount": 2500}),
    named(order="refund-2", amount=2500, save={"second": "id"}),
    get("/v1/refunds?program_id=$program&status=parked", expect={"data.#": 2}),
    sold(expect={"refunded.amount": 5000, "rewards.0.net_amount.amount": 500}),
    get("/v1/refunds/$refund", expect={"status": "applied", "applied.amount": 2500}),
    get("/v1/refunds?program_id=$program&status=parked", expect={"data.#": 0})])

case("a whole refund that comes first takes all of its sale, whatever that is", [
    program(), named(), sold(4711, expect={"refunded.amount": 4711, "rewards.0.status": "voided"}),
    reverse(status=201), earned(471)])

case("a parked refund that was a mistake takes nothing", [
    program(), named(amount=2500), reverse(expect={"status": "reversed"}),
    sold(expect={"refunded.amount": 0}), earned(1000)])

case("a parked refund told again is one, and another sale under its name is refused", [
    program(), named(amount=2500, status=201), named(amount=2500, key="again", status=200),
    named(sale="order-2", amount=2500, key="other", status=409, expect={"code": "external_id_taken"})])

case("a refund in another currency is refused before its sale comes", [
    program(), post("/v1/refunds", {"program_id": "$program", "conversion_external_id": "order-1",
                                    "external_id": "r", "amount": {"amount": 1, "currency": "EUR"}},
                    key="eur", status=422, expect={"code": "currency_mismatch"})])

# Back again.

case("a won chargeback gives back what it took, and not what a refund took", [
    program(), sold(), refund(3000, "r1"),
    refund(order="cb", kind="chargeback", save_as={"cb": "id"}),
    reverse("$cb", kind="chargeback_won", expect={
        "status": "reversed", "reversal.applied.amount": 7000, "conversion_refunded.amount": 3000}),
    earned(700)])

case("a refund that is reversed under a chargeback gives nothing back, and the chargeback then all", [
    program(), sold(), refund(3000, "r1", save_as={"r1": "id"}),
    refund(order="cb", kind="chargeback", save_as={"cb": "id"}),
    reverse("$r1", "b1", expect={"reversal.applied.amount": 0}), earned(0, "voided"),
    reverse("$cb", "b2", kind="chargeback_won"), earned(1000)])

case("a reversal after the payout: nothing is owed any more", [
    program(), sold(), payout("ada"), refund(), balance("ada", paid=1000, clawback_owed=1000),
    reverse(), balance("ada", paid=1000, clawback_owed=0, available=0), earned(1000, "paid")])

case("a reversal after the debt was kept back: it is available again", [
    program(), sold(), payout("ada"), refund(), sale(50000, order="order-2", click_id="$click"),
    payout("ada", "second"), balance("ada", paid=5000, clawback_owed=0),
    reverse(), balance("ada", paid=5000, available=1000), payout("ada", "third"),
    balance("ada", paid=6000, available=0, clawback_owed=0)])

case("a reversal after half of the debt was kept back", [
    program(), sold(), payout("ada"), refund(), sale(4000, order="order-2", click_id="$click"),
    post("/v1/payouts", {"participant_id": "$ada", "reference": "%none"}, key="none", status=409),
    reverse(), balance("ada", paid=1000, available=400, clawback_owed=0)])

case("refund, reversal, refund, reversal: the cent is where it was", [
    program(rule=CAP), sold(9973), refund(3331, "r1", save_as={"r1": "id"}),
    reverse("$r1", "b1"), refund(3331, "r2", save_as={"r2": "id"}), earned(1328),
    reverse("$r2", "b2"), earned(1500)])

case("a reversal is one under its own id, and a refund is reversed once", [
    program(), sold(), refund(1000), reverse(status=201), reverse(key="again", status=200),
    reverse(order="back-2", status=409, expect={"code": "refund_reversed"}),
    reverse(kind="reinstated", key="kind", status=409, expect={"code": "external_id_taken"})])

case("an unknown kind of reversal is refused", [
    program(), sold(), refund(), reverse(kind="lost", status=400)])

case("a cancelled order that is paid after all is told the call", [
    program(), sold(), refund(order="c", kind="cancellation"),
    sale(10000, click_id="$click", status=409, save_as={}, expect={
        "code": "sale_refunded", "detail": has("/reverse"), "refund_id": "$refund"}),
    reverse(kind="reinstated"), earned(1000)])

case("the same cancelled order told again with its own time is no news", [
    program(), partner("ada"), click("ada"),
    sale(click_id="$click", occurred_at="@-0s"), refund(order="c"),
    sale(click_id="$click", occurred_at="@-0s", status=200)])

case("a reward that a person clawed back does not come back with a reversal", [
    program(), sold(), payout("ada"), refund(2500),
    post("/v1/rewards/$reward/claw_back", {"reason": "own purchase"},
         expect={"status": "clawed_back", "net_amount.amount": 0}),
    balance("ada", paid=1000, clawback_owed=1000),
    reverse(), balance("ada", paid=1000, clawback_owed=1000)])

# What counts.

MILESTONE = {"trigger": "milestone", "amount": USD(5000), "milestone": {"counts": "won", "at": 2}}


def two_customers():
    return [partner("ada"), click("ada"), click("ada", save="click2"),
            sale(click_id="$click", buyer="a@customer.example"),
            sale(click_id="$click2", buyer="b@customer.example", order="order-2", save="sale2",
                 save_as={"sale2": "id"})]


case("a milestone that is not paid goes with any sale that it counted, and comes back with it", [
    program(rule=MILESTONE, kind="partner"), two_customers(), balance("ada", available=5000),
    refund(), balance("ada", available=0), reverse(), balance("ada", available=5000)])

case("a milestone that is paid stays, and is not paid again", [
    program(rule=MILESTONE, kind="partner"), two_customers(), payout("ada"), refund(sale="$sale2"),
    balance("ada", paid=5000, clawback_owed=0),
    click("ada", save="click3"),
    sale(click_id="$click3", buyer="c@customer.example", order="order-3"),
    balance("ada", paid=5000, available=0)])

case("a partial refund leaves a milestone alone", [
    program(rule=MILESTONE, kind="partner"), two_customers(), refund(9999),
    balance("ada", available=5000)])

TIERS = {"trigger": "conversion", "tiers": {"counts": "won", "levels": [
    {"from": 1, "amount": USD(100)}, {"from": 2, "amount": USD(200)}]}}

case("a wholly refunded sale counts for no tier from then on", [
    program(rule=TIERS), partner("ada"), click("ada"), click("ada", save="click2"),
    sale(click_id="$click", buyer="a@customer.example"), refund(),
    sale(click_id="$click2", buyer="b@customer.example", order="order-2",
         expect={"rewards.0.amount.amount": 100})])

# Leads.

STEPS = {"trigger": "lead.qualified", "amount": USD(2000)}
WON = {"trigger": "lead.won", "amount": USD(5000)}


def qualified(days=None):
    terms = {} if days is None else {"clawback_days": days[0]}
    return [program(rule=STEPS, **terms), rule(**WON), partner("ada"),
            lead(participant_id="$ada"), move("qualify")]


case("a lost lead keeps what its qualification earned, before and after the payout", [
    qualified(), move("lose", {"reason": "budget"}), balance("ada", available=2000)])

case("a lost lead keeps it also with take_back", [
    qualified(), payout("ada"), move("lose", {"reason": "budget", "take_back": True}),
    balance("ada", paid=2000, clawback_owed=0)])

case("a disqualified lead takes back what is not paid alone", [
    qualified(), move("disqualify", {"reason_code": "other", "reason": "robot"}),
    balance("ada", available=0)])

case("a disqualified lead leaves what is paid, unless take_back says so", [
    qualified(), payout("ada"), move("disqualify", {"reason_code": "other", "reason": "robot"}),
    balance("ada", paid=2000, clawback_owed=0)])

case("take_back owes what is paid", [
    qualified(), payout("ada"),
    move("disqualify", {"reason_code": "other", "reason": "robot", "take_back": True}),
    balance("ada", paid=2000, clawback_owed=2000)])

case("a program without clawback_days takes nothing back that is paid", [
    qualified(days=[None]), payout("ada"),
    move("disqualify", {"reason_code": "other", "reason": "robot", "take_back": True}, status=409,
         expect={"code": "never_taken_back"}),
    balance("ada", paid=2000, clawback_owed=0)])

case("a won lead can be lost with a reason, which takes what the win earned", [
    qualified(), move("win"), move("lose", {}, status=400),
    move("lose", {"reason": "contract void"}, expect={"status": "lost"}),
    balance("ada", available=2000)])

case("a won lead that is lost leaves what is paid, unless take_back says so", [
    qualified(), move("win"), payout("ada"), move("lose", {"reason": "void", "take_back": True}),
    balance("ada", paid=7000, clawback_owed=5000)])

case("lead.won goes back with the last sale of the lead, paid or not, and no sooner", [
    qualified(), move("win"), payout("ada"),
    sale(click_id=ABSENT, lead_id="$lead", save="s1"),
    sale(lead_id="$lead", order="order-2", save="s2"),
    refund(order="r1", sale="$s1"), refund(9999, "r2", sale="$s2"),
    balance("ada", paid=7000, clawback_owed=0),
    refund(1, "r3", sale="$s2"), balance("ada", paid=7000, clawback_owed=5000),
    reverse(), balance("ada", paid=7000, clawback_owed=0)])

# By hand.

def give(status=201, **body):
    return post("/v1/rewards", {"participant_id": "$ada", "reason": "thank you", **body},
                key="give", status=status, save={"given": "id"} if status == 201 else {})


case("a reward by hand is available at once, and has no rule", [
    program(), partner("ada"), give(amount=USD(4000)),
    get("/v1/rewards/$given", expect={"rule_id": ABSENT, "trigger": "manual", "reason": "thank you"}),
    balance("ada", available=4000), payout("ada"), balance("ada", paid=4000)])

case("points by hand", [
    program(), partner("ada"), give(points=70),
    get("/v1/participants/$ada/points", expect={"available": 70})])

case("a reward by hand at the threshold is reviewed", [
    program(approval_threshold=USD(4000)), partner("ada"), give(amount=USD(4000)),
    get("/v1/rewards/$given", expect={"status": "review"}), balance("ada", pending=4000)])

case("where duties are separate, a reward by hand waits for another key", [
    program(approvals={"separate": True}), partner("ada"), give(amount=USD(4000)),
    post("/v1/rewards/$given/approve", status=403, expect={"code": "separate_approval"})])

case("a reward by hand needs a reason, and money or points", [
    program(), partner("ada"), give(400, amount=USD(1), reason=None), give(422),
    give(422, amount=USD(1), points=1)])

case("a reward by hand is clawed back by hand", [
    program(), partner("ada"), give(amount=USD(4000)), payout("ada"),
    post("/v1/rewards/$given/claw_back", {"reason": "wrong partner"}),
    balance("ada", paid=4000, clawback_owed=4000)])
