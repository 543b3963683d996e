"""Payouts that end in more than one way: returned, paid after all, paid twice; runs as a whole."""
import csv
import datetime
import io

from field_kit import *

CSV = {"Content-Type": "text/csv"}


def earn(name, amount=10000, order="order-1", buyer=None):
    """A sale of $name's, of which it gets a tenth."""
    return sale(ref=f"${name}_code", amount=amount, order=order,
                buyer=buyer or f"{order}@customer.example")


def act(action, body=None, payout="payout", key=None, **how):
    return post(f"/v1/payouts/${payout}/{action}", body, key=key or f"{action}-{payout}", **how)


def usd(amount):
    return {"amount": amount, "currency": "USD"}


def draft(name, reference, save="payout", **how):
    return post("/v1/payouts", {"participant_id": f"${name}", "reference": f"%{reference}"},
                key=f"draft-{reference}", save={save: "id"}, **how)


def run(reference="run", save="run", key=None, **how):
    body = {"reference": f"%{reference}", **how.pop("body", {})}
    return post("/v1/programs/$program/payout_runs", body, key=key or f"run-{reference}",
                save={save: "id"} if save else {}, **how)


def results(text, key="results", **how):
    return post("/v1/payout_runs/$run/results", raw=text, headers=CSV, key=key, **how)


def sound():
    return get("/v1/ledger/verify", expect={"sound": True})


START = [program(), partner("ada")]

# Returns

case("a payout that the bank sends back weeks later is available again", [
    START, earn("ada"), payout("ada"),
    act("return", {"reason": "account closed"}, expect={
        "status": "returned", "paid_amount.amount": 0, "returned_amount.amount": 1000,
        "reason": "account closed"}),
    balance("ada", available=1000, paid=0, in_payout=0),
    get("/v1/participants/$ada/statement", expect={
        "lines": lambda lines: lines[-1]["kind"] == "payout_returned"
        and lines[-1]["reason"] == "account closed" and lines[-1]["available"] == 1000
        and lines[-1]["paid"] == -1000}),
    sound(),
])

case("a part that comes back leaves the payout paid in part", [
    START, earn("ada"), payout("ada"),
    act("return", {"amount": usd(300), "reason": "fee"}, expect={
        "status": "partially_paid", "paid_amount.amount": 700}),
    balance("ada", available=300, paid=700),
    act("return", {"reason": "rest"}, key="again", expect={
        "status": "returned", "returned_amount.amount": 1000}),
    balance("ada", available=1000, paid=0), sound(),
])

case("more than was paid does not come back", [
    START, earn("ada"), payout("ada"),
    act("return", {"amount": usd(1001), "reason": "r"}, status=422,
        expect={"code": "returned_amount_too_large"}),
    act("return", {"amount": usd(600), "reason": "r"}, key="k2"),
    act("return", {"amount": usd(401), "reason": "r"}, key="k3", status=422),
    balance("ada", available=600, paid=400),
])

case("a payout that comes back before it was confirmed is returned", [
    START, earn("ada"), payout("ada", confirm=False),
    act("return", {"amount": usd(1), "reason": "r"}, status=409,
        expect={"code": "part_returned_unpaid"}),
    act("return", {"reason": "no such account"}, key="k2", expect={"status": "returned"}),
    balance("ada", available=1000, in_payout=0, paid=0), sound(),
])

case("a draft, a failed and a cancelled payout cannot come back", [
    START, earn("ada"), draft("ada", "p"),
    act("return", {"reason": "r"}, status=409, expect={"code": "invalid_transition"}),
    act("submit"), act("fail", {"reason": "r"}),
    act("return", {"reason": "r"}, key="k2", status=409, expect={"code": "invalid_transition"}),
    draft("ada", "q", save="other"), act("cancel", payout="other"),
    act("return", {"reason": "r"}, payout="other", status=409),
])

case("a return needs a reason and an Idempotency-Key, and its replay moves nothing", [
    START, earn("ada"), payout("ada"),
    act("return", {}, status=400),
    post("/v1/payouts/$payout/return", {"reason": "r"}, status=400,
         expect={"code": "idempotency_key_required"}),
    act("return", {"amount": usd(100), "reason": "r"}, key="same"),
    act("return", {"amount": usd(100), "reason": "r"}, key="same"),
    balance("ada", available=100, paid=900),
])

case("the year of payment falls by what came back, and says so", [
    START, earn("ada"), payout("ada"),
    get("/v1/participants/$ada/summary", expect={
        "paid_by_year.0.amount": 1000, "paid_by_year.0.restated": False}),
    act("return", {"amount": usd(250), "reason": "r"}),
    get("/v1/participants/$ada/summary", expect={
        "paid_by_year.0.amount": 750, "paid_by_year.0.cash": 750,
        "paid_by_year.0.restated": True}),
])

case("a refund that is owed of a reward whose money comes back is owed no more", [
    START, earn("ada"), payout("ada"), refund(10000),
    balance("ada", paid=1000, clawback_owed=1000),
    act("return", {"reason": "r"}),
    balance("ada", available=0, paid=0, clawback_owed=0), sound(),
])

case("what came back goes into the next payout", [
    START, earn("ada"), payout("ada"), act("return", {"reason": "r"}),
    earn("ada", 5000, "order-2"),
    draft("ada", "next", save="next", expect={"amount.amount": 1500, "reward_count": 2}),
])

# Runs leave out whose payment came back

case("a run leaves out whose payment came back, until a person releases it", [
    START, earn("ada"), payout("ada"), act("return", {"reason": "r"}),
    run("one", expect={"skipped": 1, "payout_count": 0, "status": "done"}),
    act("release"),
    run("two", expect={"skipped": 0, "payout_count": 1, "amount.amount": 1000}),
    act("release", key="again", status=409, expect={"code": "nothing_to_release"}),
])

case("new payout details end it as well, the same details do not", [
    START, patch("/v1/participants/$ada", {"payout_account": "DE89370400440532013000"}),
    earn("ada"), payout("ada"), act("return", {"reason": "r"}),
    patch("/v1/participants/$ada", {"name": "Ada King"}),
    run("one", expect={"skipped": 1}),
    patch("/v1/participants/$ada", {"payout_account": "DE89370400440532013000"}),
    run("two", expect={"skipped": 1}),
    patch("/v1/participants/$ada", {"payout_account": "GB33BUKB20201555555555"}),
    run("three", expect={"skipped": 0, "payout_count": 1}),
])

case("a return of account credit does not stop cash", [
    program(rule={"trigger": "conversion", "basis_points": 1000, "kind": "account_credit"}),
    partner("ada"), rule(trigger="conversion", basis_points=500, kind="cash"),
    earn("ada"),
    post("/v1/payouts", {"participant_id": "$ada", "reference": "%credit",
                         "kind": "account_credit"}, key="d", save={"payout": "id"}),
    act("submit"), act("confirm"), act("return", {"reason": "no account"}),
    run("cash", expect={"payout_count": 1, "amount.amount": 500}),
    run("credit", body={"kind": "account_credit"}, expect={"skipped": 1}),
])

# Paid after all

case("a payout that failed by mistake is confirmed, and leaves the newer draft", [
    START, earn("ada"), payout("ada", confirm=False), act("fail", {"reason": "timeout"}),
    earn("ada", 5000, "order-2"),
    draft("ada", "newer", save="newer", expect={"amount.amount": 1500}),
    act("confirm", expect={"status": "paid", "paid_twice_amount.amount": 0, "reason": ABSENT}),
    get("/v1/payouts/$newer", expect={"status": "draft", "amount.amount": 500,
                                      "reward_count": 1}),
    balance("ada", available=500, paid=1000), sound(),
])

case("a newer draft that holds nothing else is cancelled", [
    START, earn("ada"), payout("ada", confirm=False), act("fail", {"reason": "timeout"}),
    draft("ada", "newer", save="newer"),
    act("confirm"),
    get("/v1/payouts/$newer", expect={"status": "cancelled"}),
    balance("ada", available=0, paid=1000), sound(),
])

case("what was paid twice is owed, and the next payout keeps it back", [
    START, earn("ada"), payout("ada", confirm=False), act("fail", {"reason": "timeout"}),
    payout("ada", "second", save="second"),
    act("confirm", expect={"status": "paid", "paid_twice_amount.amount": 1000}),
    balance("ada", available=0, paid=2000, clawback_owed=1000),
    earn("ada", 15000, "order-2"),
    draft("ada", "third", save="third", expect={
        "clawed_back.amount": 1000, "amount.amount": 500}), sound(),
])

case("what was paid twice and comes back is owed no more", [
    START, earn("ada"), payout("ada", confirm=False), act("fail", {"reason": "timeout"}),
    payout("ada", "second", save="second"), act("confirm"),
    act("return", {"reason": "sent back"}),
    balance("ada", available=0, paid=1000, clawback_owed=0), sound(),
])

case("what is on its way again is owed until that one fails", [
    START, earn("ada"), payout("ada", confirm=False), act("fail", {"reason": "timeout"}),
    payout("ada", "second", save="second", confirm=False),
    act("confirm", expect={"paid_twice_amount.amount": 1000}),
    act("fail", {"reason": "r"}, payout="second"),
    balance("ada", available=1000, paid=1000, clawback_owed=1000),
    draft("ada", "third", save="third", status=409), sound(),
])

case("a payout paid in part is confirmed for more, up to the whole", [
    START, earn("ada"), payout("ada", confirm=False),
    act("confirm", {"paid_amount": usd(400)}, expect={"status": "partially_paid"}),
    act("confirm", {"paid_amount": usd(400)}, key="k2", status=422,
        expect={"code": "paid_amount_too_small"}),
    act("confirm", {"paid_amount": usd(900)}, key="k3", expect={
        "status": "partially_paid", "paid_amount.amount": 900}),
    act("confirm", {"paid_amount": usd(1001)}, key="k4", status=422,
        expect={"code": "paid_amount_too_large"}),
    act("confirm", key="k5", expect={"status": "paid", "paid_amount.amount": 1000}),
    balance("ada", available=0, paid=1000), sound(),
])

case("a return by mistake is confirmed again", [
    START, earn("ada"), payout("ada"), act("return", {"reason": "r"}),
    act("confirm", key="k2", expect={"status": "paid", "returned_amount.amount": 1000}),
    balance("ada", available=0, paid=1000), sound(),
])

case("a failed payout of a reward that was refunded since is owed once it is paid", [
    START, earn("ada"), payout("ada", confirm=False), act("fail", {"reason": "r"}),
    refund(10000), balance("ada", available=0, clawback_owed=0),
    act("confirm", expect={"status": "paid", "paid_twice_amount.amount": 1000}),
    balance("ada", available=0, paid=1000, clawback_owed=1000), sound(),
])

# Runs as a whole

TWO = [program(), partner("ada"), partner("bob"), earn("ada"),
       earn("bob", 20000, "order-2")]

case("a dry run says what the run comes to and writes nothing", [
    program(payouts={"minimum": 1500}), partner("ada"), partner("bob"), partner("eve"),
    earn("ada"), earn("bob", 20000, "order-2"), earn("eve", 30000, "order-3"),
    post("/v1/participants/$eve/suspend"),
    run(save=None, headers={"Dry-Run": "true"}, status=201, expect={
        "payout_count": 1, "amount.amount": 2000, "drafted_amount.amount": 2000,
        "waiting": 1, "skipped": 1, "header.Dry-Run": "true",
        "left_out_participants": lambda out: len(out) == 2 and {one["reason"] for one in out}
        == {"below_minimum", "participant_suspended"}}),
    get("/v1/payout_runs?program_id=$program", expect={"data.#": 0}),
    run(expect={"payout_count": 1, "amount.amount": 2000, "waiting": 1, "skipped": 1}),
])

case("a dry run names whose payment came back, and who owes", [
    TWO, payout("ada"), act("return", {"reason": "r"}),
    payout("bob", "bobs", save="bobs"), post("/v1/conversions/$sale/refund", {
        "external_id": "r", "amount": usd(20000)}, key="r"),
    earn("bob", 10000, "order-3"),
    run(save=None, headers={"Dry-Run": "true"}, expect={
        "payout_count": 0,
        "left_out_participants": lambda out: {one["reason"] for one in out}
        == {"returned", "owes"}}),
])

case("a run is limited to the participants that it names", [
    TWO,
    run(body={"participant_ids": ["$bob"]}, expect={
        "payout_count": 1, "amount.amount": 2000, "participant_count": 1}),
    run(body={"participant_ids": ["$ada"]}, key="other", save=None, status=409,
        expect={"code": "reference_taken", "errors.0.pointer": "/participant_ids"}),
    balance("ada", available=1000),
])

case("a run for a participant of another program is refused", [
    TWO, program("other"), partner("zoe", "other"),
    run(body={"participant_ids": ["$zoe"]}, save=None, status=404),
])

case("a run is limited to a segment", [
    program(), partner("ada", segment="gold"), partner("bob", segment="silver"),
    earn("ada"), earn("bob", 20000, "order-2"),
    run(body={"segment": "gold"}, expect={
        "payout_count": 1, "amount.amount": 1000, "examined": 1, "skipped": 0,
        "segment": "gold"}),
    run("second", body={"segment": "bronze"}, expect={"payout_count": 0}),
])

case("a run is submitted and confirmed as a whole", [
    TWO, run(expect={"drafted_amount.amount": 3000}),
    post("/v1/payout_runs/$run/submit", {"provider_reference": "batch-7"}, key="s", expect={
        "status": "done", "by_status.0.status": "processing", "by_status.0.count": 2}),
    get("/v1/payouts?payout_run_id=$run", expect={"data.0.provider_reference": "batch-7"}),
    post("/v1/payout_runs/$run/confirm", key="c", expect={
        "by_status.0.status": "paid", "paid_amount.amount": 3000}),
    post("/v1/payout_runs/$run/confirm", key="c2", expect={"paid_amount.amount": 3000}),
    balance("ada", paid=1000), balance("bob", paid=2000), sound(),
])

case("a run's submission leaves the draft of who may not be paid", [
    TWO, run(), post("/v1/participants/$ada/suspend"),
    post("/v1/payout_runs/$run/submit", key="s", expect={"left_out": 1}),
    balance("ada", available=1000), balance("bob", in_payout=2000),
    post("/v1/participants/$ada/approve"),
    post("/v1/payout_runs/$run/submit", key="s2", expect={"left_out": 0}),
    balance("ada", in_payout=1000),
])

case("what was drafted stays beside what is left", [
    TWO, run(), get("/v1/payouts?payout_run_id=$run", save={"payout": "data.0.id"}),
    act("cancel"),
    get("/v1/payout_runs/$run", expect={"drafted_amount.amount": 3000,
                                        "amount.amount": lambda left: left in (1000, 2000)}),
])

case("a run in review is not submitted", [
    program(payouts={"review_days": 3}), partner("ada"), earn("ada"), run(),
    post("/v1/payout_runs/$run/submit", key="s", status=409, expect={"code": "in_review"}),
])

def key_for(name):
    """A further key that may pay, for steps with headers=BY[name]."""
    return post("/v1/api_keys", {"name": name, "scopes": ["read", "payouts"]}, key=name,
                save={name: "secret"})


def by(name):
    return {"Authorization": f"Bearer ${name}"}


case("where money takes two, who made a run does not submit it", [
    program(approvals={"separate": True}), partner("ada"), earn("ada"),
    key_for("maker"), key_for("other"),
    run(headers=by("maker"), expect={"payout_count": 1}),
    post("/v1/payout_runs/$run/submit", key="s", headers=by("maker"), status=403,
         expect={"code": "separate_submission"}),
    post("/v1/payout_runs/$run/submit", key="s2", headers=by("other"), expect={
        "by_status.0.status": "processing"}),
])

# Results

ONE = [START, earn("ada"), run(), post("/v1/payout_runs/$run/submit", key="s"),
       get("/v1/payouts?payout_run_id=$run", save={"payout": "data.0.id"})]
HEAD = "payout_id,outcome,amount,provider_reference,reason\r\n"

case("results are taken row by row, each once", [
    ONE, results(HEAD + "$payout,paid,1000,tr-1,\r\n$payout,paid,1000,tr-1,\r\n", expect={
        "rows": 2, "applied": 1, "unchanged": 1, "refused": 0}),
    results(HEAD + "$payout,paid,1000,tr-1,\r\n", key="again", expect={
        "applied": 0, "unchanged": 1}),
    get("/v1/payouts/$payout", expect={"status": "paid", "provider_reference": "tr-1"}),
    balance("ada", paid=1000), sound(),
])

case("a decimal point in an amount is refused", [
    ONE, results(HEAD + "$payout,paid,10.00,,\n", expect={
        "applied": 0, "refused": 1, "errors.0.code": "decimal_amount", "errors.0.line": 2}),
    results(HEAD + '$payout,paid,"1,000",,\n', key="k2", expect={
        "errors.0.code": "decimal_amount"}),
    results(HEAD + "$payout,paid,-5,,\n", key="k3", expect={"errors.0.code": "bad_amount"}),
    balance("ada", in_payout=1000, paid=0),
])

case("a row that says unknown, unclaimed and at last returned moves its payout", [
    ONE, results(HEAD + "$payout,unknown,,,\n"),
    get("/v1/payouts/$payout", expect={"status": "unknown"}),
    results(HEAD + "$payout,unclaimed,1000,pp-1,mailbox\n", key="k2", expect={"applied": 1}),
    get("/v1/payouts/$payout", expect={"status": "processing", "reason": "mailbox"}),
    results(HEAD + "$payout,returned,,pp-1,not claimed\n", key="k3", expect={"applied": 1}),
    get("/v1/payouts/$payout", expect={"status": "returned", "reason": "not claimed"}),
    balance("ada", available=1000), sound(),
])

case("a part is paid, and more later", [
    ONE, results(HEAD + "$payout,paid,400,,\n"), balance("ada", paid=400, available=600),
    results(HEAD + "$payout,paid,1000,,\n", key="k2", expect={"applied": 1}),
    balance("ada", paid=1000, available=0),
])

case("rows that name nothing of the run are refused alone", [
    ONE, results(HEAD + "pay_01h2xcejqtf2nbrexx3vqjhp41,paid,,,\nnobody,paid,,,\n"
                 "$payout,gone,,,\n$payout,failed,999,,\n$payout,failed,,,bounced\n", expect={
                     "rows": 5, "applied": 1, "refused": 4,
                     "errors.0.code": "not_in_run", "errors.1.code": "bad_payout_id",
                     "errors.2.code": "bad_outcome", "errors.3.code": "amount_differs"}),
    balance("ada", available=1000),
])

case("a file without the columns is refused", [
    ONE, results("payout_id,amount\n$payout,1000\n", status=422, expect={"code": "bad_header"}),
    results("", key="k2", status=422),
    post("/v1/payout_runs/$run/results", {"a": 1}, key="k3", status=415),
])

case("a dry run of results changes nothing", [
    ONE, post("/v1/payout_runs/$run/results", raw=HEAD + "$payout,paid,,,\n", key="d",
              headers={**CSV, "Dry-Run": "true"}, expect={"applied": 1}),
    balance("ada", in_payout=1000, paid=0),
])

# Exports

FIRST = ("id,reference,status,created_at,program_id,program_name,participant_id,participant_name,"
         "participant_external_id,currency,amount,amount_decimal")


def table(path, test):
    return get(path, expect={"text": test})


case("every export begins with the same columns", [
    TWO, lead(), run(),
    *[table(path, lambda text: text.split("\r\n")[0].startswith(FIRST)) for path in (
        "/v1/leads.csv", "/v1/participants.csv", "/v1/conversions.csv", "/v1/rewards.csv",
        "/v1/payouts.csv", "/v1/payout_runs/$run/payouts.csv",
        "/v1/ledger/journal.csv?month=2026-11")],
    table("/v1/rewards.csv?program_id=$program",
          lambda text: ",Ada,,USD,1000,10.00," in text and ",Bob,,USD,2000,20.00," in text),
])

case("a spreadsheet gets a byte order mark", [
    TWO,
    table("/v1/payouts.csv?spreadsheet=true", lambda text: text.startswith("\ufeffid,")),
    table("/v1/payouts.csv", lambda text: text.startswith("id,")),
])

case("cells with separators of other spreadsheets are quoted, formulas are marked", [
    program(), partner("ada", company="a;b"), partner("bob", company="x;=1+1"),
    partner("eve", company="=1+1"),
    table("/v1/participants.csv?program_id=$program", lambda text: '"a;b"' in text
          and "\"'x;=1+1\"" in text and ",'=1+1," in text),
])


MONTH = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m")


def balanced(text):
    """Debit and credit are the same in each currency, of the postings and of the trial balance."""
    rows = list(csv.DictReader(io.StringIO(text)))
    for status in ("posted", "trial_balance"):
        chosen = [row for row in rows if row["status"] == status]
        if not chosen:
            return f"no row is {status}"
        for currency in {row["currency"] for row in chosen}:
            own = [row for row in chosen if row["currency"] == currency]
            debit = sum(int(row["debit"]) for row in own)
            credit = sum(int(row["credit"]) for row in own)
            if debit != credit:
                return f"{status}: {debit} {credit} {currency}"
    return True


case("the journal of a month and its trial balance come to nothing", [
    START, earn("ada"), payout("ada", "accounts"), act("return", {"reason": "r"}),
    table(f"/v1/ledger/journal.csv?month={MONTH}", balanced),
    table(f"/v1/ledger/journal.csv?month={MONTH}",
          lambda text: ",payout_returned," in text and ",paid_out,1000,0,10.00,0.00," in text),
    table("/v1/ledger/journal.csv?month=1999-01",
          lambda text: "posted" not in text and text.count("\r\n") == 1),
    get("/v1/ledger/journal.csv", status=400), get("/v1/ledger/journal.csv?month=2026-13",
                                                   status=400),
])
