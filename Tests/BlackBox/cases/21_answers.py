"""Answers that say what is wrong, keys of requests, dates, zones, campaigns and lists (faults 10)."""
from field_kit import *


def refused(title, path, body, *words, status=400):
    case(title, [
        program(), partner("ada"),
        post(path, body, status=status, expect={"detail": lambda text: all(w in text for w in words)}),
    ])


PART = {"program_id": "$program", "name": "B", "email": "b@x.example"}
refused("an amount with a point is refused with the form that is right", "/v1/conversions",
        {"program_id": "$program", "external_id": "x", "kind": "purchase", "customer": {"external_id": "b"},
         "amount": {"amount": 19.99, "currency": "USD"}}, "/amount/amount", '"amount": 1999')
refused("an amount as text is refused with the form that is right", "/v1/conversions",
        {"program_id": "$program", "external_id": "x", "kind": "purchase", "customer": {"external_id": "b"},
         "amount": {"amount": "20.00", "currency": "USD"}}, "minor units")
refused("an amount without a currency is told both", "/v1/conversions",
        {"program_id": "$program", "external_id": "x", "kind": "purchase", "customer": {"external_id": "b"},
         "amount": 20}, '"currency": "USD"')
refused("a time without a zone is refused with an example", "/v1/conversions",
        {"program_id": "$program", "external_id": "x", "kind": "purchase", "customer": {"external_id": "b"},
         "amount": {"amount": 1, "currency": "USD"}, "occurred_at": "2026-11-30 10:00"},
        "/occurred_at", "2026-11-30T10:00:00Z")
refused("an id of another kind is named", "/v1/links", {"participant_id": "$program"},
        "part_", "this is one of a program")
refused("a member of another product's name is told ours", "/v1/programs/$program/reward_rules",
        {"trigger": "conversion", "percent": 10}, "basis_points")
refused("a member in other letters is told ours", "/v1/participants", {**PART, "externalId": "7"},
        "did you mean external_id?")
refused("a misspelled member is told ours", "/v1/participants", {**PART, "compny": "X"},
        "did you mean company?", "known:")
refused("an address without a scheme is refused with an example", "/v1/links",
        {"participant_id": "$ada", "destination_url": "www.example.com"}, "https://www.example.com")
refused("an origin with a slash is refused with what is wrong", "/v1/programs",
        {"name": "P", "currency": "USD", "allowed_origins": ["https://x.example/"]}, "slash at the end")
refused("a code with a sign is refused with what is allowed", "/v1/links",
        {"participant_id": "$ada", "code": "spring&24"}, "letters, digits")
refused("a rule without a rate names the member", "/v1/programs/$program/reward_rules",
        {"trigger": "conversion"}, "amount", status=422)

case("a rule without a rate points at the member", [
    program(),
    post("/v1/programs/$program/reward_rules", {"trigger": "conversion"}, status=422,
         expect={"code": "rate_required", "errors.0.pointer": "/amount"}),
])

case("an unknown parameter is told the nearest", [
    get("/v1/leads?page=3", status=400, expect={"detail": has("starting_after")}),
    get("/v1/conversions?externalid=3", status=400, expect={"detail": has("external_id")}),
])

case("a refusal leaves its key free, and a success keeps it", [
    program(activate=False), 
    post("/v1/programs/$program/pause", key="one", status=409),
    post("/v1/programs/$program/activate"),
    post("/v1/programs/$program/pause", key="one", status=200),
    post("/v1/programs/$program/pause", key="one", status=200,
         expect={"header.Idempotent-Replayed": "true"}),
    post("/v1/programs/$program/pause", {"x": 1}, key="one", status=400),
])

case("a key under which something was made takes no other request", [
    program(), partner("ada"),
    post("/v1/links", {"participant_id": "$ada"}, key="two", status=201),
    post("/v1/links", {"participant_id": "$ada", "channel": "email"}, key="two", status=422,
         expect={"code": "idempotency_key_reused"}),
])

case("a bulk answer is kept with the items that it refused", [
    program(), partner("ada"),
    post("/v1/links/bulk", {"items": [{"participant_id": "$ada", "code": "%new"},
                                      {"participant_id": "$ada", "code": "$ada_code"}]}, key="b",
         status=200, expect={"data.0.status": 201, "data.1.status": 409}, save={"made": "data.0.id"}),
    post("/v1/links/bulk", {"items": [{"participant_id": "$ada", "code": "%new"},
                                      {"participant_id": "$ada", "code": "$ada_code"}]}, key="b",
         status=200, expect={"data.0.id": "$made", "header.Idempotent-Replayed": "true"}),
])

case("a date is taken where a day is enough, the last one included", [
    program(), partner("ada"), sale(ref="$ada_code"),
    get("/v1/reports/funnel?program_id=$program&from=2020-01-01&to=2020-01-31", expect={
        "from": "2020-01-01", "to": "2020-01-31", "time_zone": "UTC"}),
    get("/v1/reports/funnel?program_id=$program&from=2020-02-29&to=2020-02-29", expect={
        "from": "2020-02-29", "to": "2020-02-29"}),
    get("/v1/reports/funnel?program_id=$program&from=2021-02-29", status=400,
        expect={"detail": has("2026-11-30")}),
    get("/v1/participants/$ada/statement?from=2020-01-01&to=2020-12-31", expect={
        "to": "2021-01-01T00:00:00.000Z"}),
    get("/v1/conversions?program_id=$program&created_at[gte]=2020-01-01", expect={"data.#": 1}),
    get("/v1/conversions?program_id=$program&created_at[lt]=2020-01-01", expect={"data.#": 0}),
])

case("months and days are those of the program's time zone", [
    program(time_zone="Europe/Berlin", expect={"time_zone": "Europe/Berlin"}), partner("ada"),
    get("/v1/participants/$ada/statement?month=2026-07", expect={
        "from": "2026-06-30T22:00:00.000Z", "to": "2026-07-31T22:00:00.000Z"}),
    get("/v1/participants/$ada/statement?month=2026-03", expect={
        "from": "2026-02-28T23:00:00.000Z", "to": "2026-03-31T22:00:00.000Z"}),
    get("/v1/participants/$ada/statement?month=2026-10", expect={
        "from": "2026-09-30T22:00:00.000Z", "to": "2026-10-31T23:00:00.000Z"}),
    get("/v1/participants/$ada/statement?from=2028-02-29&to=2028-02-29", expect={
        "from": "2028-02-28T23:00:00.000Z", "to": "2028-02-29T23:00:00.000Z"}),
    get("/v1/reports/funnel?program_id=$program", expect={"time_zone": "Europe/Berlin"}),
])

case("a time zone is fixed once the program is active, and an unknown one is refused", [
    program(time_zone="America/New_York", activate=False),
    patch("/v1/programs/$program", {"time_zone": "Asia/Tokyo"}, expect={"time_zone": "Asia/Tokyo"}),
    post("/v1/programs/$program/activate"),
    patch("/v1/programs/$program", {"time_zone": "UTC"}, status=409,
          expect={"code": "time_zone_fixed"}),
    post("/v1/programs", {"name": "P", "currency": "USD", "time_zone": "Europe/Atlantis"}, status=422,
         expect={"code": "time_zone_unknown", "errors.0.pointer": "/time_zone"}),
    post("/v1/programs", {"name": "P", "currency": "USD", "time_zone": "+01:00"}, status=400,
         expect={"detail": has("Europe/Berlin")}),
])

CAMPAIGNS = "/v1/programs/$program/campaigns"
case("a campaign is scheduled, active or ended by its times", [
    program(time_zone="Europe/Berlin"),
    post(CAMPAIGNS, {"name": "Later", "starts_at": "2098-03-29", "ends_at": "2098-03-30",
                     "multiplier_basis_points": 20000},
         expect={"status": "scheduled", "starts_at": "2098-03-28T23:00:00.000Z",
                 "ends_at": "2098-03-30T22:00:00.000Z"}, save={"later": "id"}),
    post(CAMPAIGNS, {"name": "Now", "starts_at": "@-1h", "ends_at": "@+1h",
                     "multiplier_basis_points": 20000}, expect={"status": "active"},
         save={"now": "id"}),
    get(CAMPAIGNS + "?status=scheduled", expect={"data.#": 1, "data.0.id": "$later"}),
    patch(CAMPAIGNS + "/$now", {"name": "Other"}, status=409, expect={"code": "campaign_started"}),
    post(CAMPAIGNS + "/$now/end", expect={"status": "ended"}),
    post(CAMPAIGNS + "/$later/end", expect={"status": "ended"}),
    post(CAMPAIGNS + "/$later/end", status=409, expect={"code": "invalid_transition"}),
])

case("participants are found by what is known of them", [
    program(), partner("ada", external_id="A-1", segment="vip"), partner("ben", kind="reseller"),
    get("/v1/participants?program_id=$program&email=ADA@partner.example", expect={
        "data.#": 1, "data.0.id": "$ada"}),
    get("/v1/participants?external_id=A-1%20&program_id=$program", expect={"data.0.id": "$ada"}),
    get("/v1/participants?program_id=$program&kind=reseller", expect={"data.0.id": "$ben"}),
    get("/v1/participants?program_id=$program&segment=vip", expect={"data.#": 1}),
    get("/v1/participants?program_id=$program&name=aDA", expect={"data.0.id": "$ada"}),
    get("/v1/participants?program_id=$program&name=ad", expect={"data.#": 0}),
])

case("sales are found by whom they credit, by lead and by customer, and counted", [
    program(), partner("ada"), partner("ben"), lead(ref="$ada_code"),
    sale(order="1", lead_id="$lead", save_as={"customer": "customer_id"}),
    sale(order="2", ref="$ben_code", buyer="other@customer.example"),
    get("/v1/conversions?program_id=$program&participant_id=$ben", expect={"data.#": 1}),
    get("/v1/conversions?lead_id=$lead", expect={"data.#": 1, "data.0.external_id": "1"}),
    get("/v1/conversions?customer_id=$customer", expect={"data.#": 1}),
    get("/v1/conversions?program_id=$program&count=true&limit=1", expect={
        "data.#": 1, "total_count": 2, "total_count_exact": True}),
    get("/v1/conversions?program_id=$program", expect={"total_count": ABSENT}),
])

case("expand puts in what the caller may read, and null for what it may not", [
    program(), partner("ada"), token("ada"), sale(ref="$ada_code"),
    get("/v1/rewards?participant_id=$ada&expand=participant,conversion", expect={
        "data.0.participant.id": "$ada", "data.0.conversion.external_id": "order-1"}),
    get("/v1/conversions/$sale?expand=customer", expect={"customer.email": "grace@customer.example"}),
    get("/v1/rewards?expand=participant,conversion", token="ada", expect={
        "data.0.participant.id": "$ada", "data.0.participant.metadata": {}}),
    get("/v1/links?participant_id=$ada&expand=participant,program,nonsense", status=400),
])

case("the service says who calls", [
    program(), partner("ada"), token("ada"),
    get("/v1/me", expect={"object": "me", "kind": "operator"}),
    get("/v1/me", token="ada", expect={"kind": "participant_token", "participant_id": "$ada",
                                       "program_id": "$program", "scopes": []}),
    get("/v1/me", status=401, token=None, anonymous=True),
])
