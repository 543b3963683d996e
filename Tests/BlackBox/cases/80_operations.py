"""Operations: clocks that can be off, forms with an empty file input, free mail, health, and streamed exports."""
from field_kit import *

BOUNDARY = "----field"


def multipart(*parts):
    """The body of a form as browsers send it; a part is (name, value) or (name, filename, value)."""
    text = ""
    for part in parts:
        name, value = part[0], part[-1]
        file = f'; filename="{part[1]}"\r\nContent-Type: application/octet-stream' if len(part) == 3 else ""
        text += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{value}\r\n'
    return text + f"--{BOUNDARY}--\r\n"


def posted(body, status, expect=None, accept="application/json"):
    return post("/f/$program", raw=body, anonymous=True, status=status, expect=expect or {}, headers={
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Accept": accept})


case("a form whose file input is empty is taken", [
    program(),
    posted(multipart(("email", "sam@buyer.example"), ("attachment", "", "")), 201,
           {"status": "submitted"}),
])
case("a form of which a known field is an empty file input is taken without it", [
    program(),
    posted(multipart(("email", "kim@buyer.example"), ("note", "", "")), 201),
])
case("two empty file inputs are as good as one", [
    program(),
    posted(multipart(("a", "", ""), ("email", "lee@buyer.example"), ("b", "", "")), 201),
])
case("a file with a name is refused, though it is empty", [
    program(),
    posted(multipart(("email", "sam@buyer.example"), ("attachment", "cv.pdf", "")), 415),
])
case("a file without a name is refused, because it holds something", [
    program(),
    posted(multipart(("email", "sam@buyer.example"), ("attachment", "", "%PDF")), 415),
])
case("a customer program has no clocks unless it says so", [
    program(kind="customer", expect={
        "service_levels.review_hours": ABSENT, "service_levels.tell_qualified_hours": ABSENT,
        "service_levels.tell_won_hours": ABSENT, "service_levels.credit_business_days": ABSENT,
        "service_levels.pay_days": ABSENT, "service_levels.reward_target_days": 7}),
])
case("a partner program has its clocks", [
    program(kind="partner", expect={
        "service_levels.review_hours": 24, "service_levels.tell_won_hours": 48,
        "service_levels.pay_days": 30}),
])
case("a customer program can have a clock", [
    program(kind="customer", service_levels={"review_hours": 4}, expect={
        "service_levels.review_hours": 4, "service_levels.pay_days": ABSENT}),
])
case("null switches a clock off, and the others stay", [
    program(kind="partner"),
    patch("/v1/programs/$program", {"service_levels": {"review_hours": None}}, expect={
        "service_levels.review_hours": ABSENT, "service_levels.tell_won_hours": 48}),
    get("/v1/programs/$program", expect={"service_levels.review_hours": ABSENT}),
    patch("/v1/programs/$program", {"name": "Other"}, expect={
        "service_levels.review_hours": ABSENT, "service_levels.pay_days": 30}),
    patch("/v1/programs/$program", {"service_levels": {"review_hours": 12}}, expect={
        "service_levels.review_hours": 12}),
])
case("a clock that is null from the start is off", [
    program(kind="partner", service_levels={"pay_days": None, "reward_target_days": None}, expect={
        "service_levels.pay_days": ABSENT, "service_levels.reward_target_days": 0,
        "service_levels.review_hours": 24}),
])
for wrong in (0, -1, 8761, "24", 1.5, True):
    case(f"a clock of {wrong!r} is refused", [
        program(),
        patch("/v1/programs/$program", {"service_levels": {"review_hours": wrong}}, status=400),
    ])
case("health says one word", [
    get("/readyz", anonymous=True, expect={"status": "ready", "warnings": ABSENT}),
    get("/livez", anonymous=True, expect={"status": "ok"}),
])
case("metrics without a key have the technical totals, and the failures of collectors", [
    get("/metrics", anonymous=True, expect={"text": has(
        'referrald_metrics_collector_failures_total{collector="reward_clocks"} 0')}),
    get("/metrics", anonymous=True, expect={"text": has("referrald_http_unsent_bytes 0")}),
    get("/metrics", anonymous=True, expect={"text": has("referrald_unreadable_rows_total 0")}),
    get("/metrics", anonymous=True, expect={"text": lambda text: "referrald_ledger" not in text}),
    get("/metrics", expect={"text": has("referrald_ledger_imbalance 0")}),
])
case("an export of nothing has its head and says how long it is", [
    program(),
    get("/v1/payouts.csv?program_id=$program", expect={
        "header.Content-Length": ANY, "text": lambda text: text.count("\r\n") == 1}),
])
case("an export of one payout has one row", [
    program(), partner("ada"), click("ada"), sale(click_id="$click", amount=10000), payout("ada"),
    get("/v1/payouts.csv?program_id=$program", expect={
        "text": lambda text: text.count("\r\n") == 2}),
    get("/v1/payouts.csv?program_id=$program&status=nonsense", status=400),
    token("ada"), get("/v1/payouts.csv", token="ada", status=403),
])
