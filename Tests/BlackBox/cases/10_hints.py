"""Who is named: hints are read alike at every door, refuse nothing, and say what was left out."""
from field_kit import *

GONE = "click_01h455vb4pex5vsknk084sn02q"
FIRST = "attribution.credits.0.participant_id"
TOUCH = "/v1/touchpoints"


def ignored(*hints):
    return [dict(zip(("name", "value", "because"), hint)) for hint in hints]


for name, value, because in [
        ("click_id", "", "empty"), ("click_id", "  ", "empty"), ("ref", None, "empty"),
        ("click_id", "click_123", "malformed"), ("click_id", GONE, "unknown"),
        ("click_id", 12, "malformed"), ("click_id", {"id": "x"}, "malformed"),
        ("ref", "", "empty"), ("ref", "no such", "malformed"), ("ref", "nobody-has-this", "unknown"),
        ("ref", True, "malformed"), ("ref", "null", "unknown"), ("ref", "{{ref}}", "malformed"),
        ("code", "SUMMER24", "unknown"), ("code", "10% off", "malformed"), ("code", [], None),
        ("ref_at", "yesterday", "malformed"), ("ref_at", "2026-01-01T00:00:00Z", "without_ref"),
        ("referrer_email", "ada", "malformed"), ("referrer_email", "who@else.example", "unknown")]:
    case(f"a sale is kept though its {name} is {value!r}", [
        program(), partner("ada"),
        sale(**{name: value}, status=201, expect={
            "attribution.credits": [],
            "ignored.0.because": because or ABSENT, "ignored.0.name": name if because else ABSENT}),
    ])

case("every door names the same hint with the same reason", [
    program(), partner("ada"),
    sale(ref="$ada_code", code="SPRING10", expect={
        FIRST: "$ada", "ignored": ignored(("code", "SPRING10", "unknown"))}),
    lead(ref="$ada_code", code="SPRING10", email="one@buyer.example", expect={
        "participant_id": "$ada", "ignored": ignored(("code", "SPRING10", "unknown"))}),
    post(TOUCH, {"program_id": "$program", "source": "partner", "ref": "$ada_code",
                 "code": "SPRING10", "customer": {"external_id": "c1"}},
         status=201, expect={"participant_id": "$ada", "kind": "ref",
                             "ignored": ignored(("code", "SPRING10", "unknown"))}),
    form({"email": "two@buyer.example", "ref": "$ada_code", "code": "SPRING10"}, status=201,
         headers={"Accept": "application/json"},
         expect={"ignored": ABSENT, "status": "submitted"}, save={"posted": "id"}),
    get("/v1/leads/$posted", expect={
        "participant_id": "$ada", "ignored": ignored(("code", "SPRING10", "unknown"))}),
])

case("an import takes the row and names its hint", [
    program(), partner("ada"),
    post("/v1/leads/import?program_id=$program",
         raw="email,ref,code\na@buyer.example,nobody-at-all,\nb@another.example,,x y\n",
         headers={"Content-Type": "text/csv"}, status=200, expect={
             "created": 2, "refused": 0, "ignored.#": 2, "ignored.0.name": "ref",
             "ignored.0.because": "unknown", "ignored.0.line": 2, "ignored.1.because": "malformed"}),
])

case("another program's code and click are foreign", [
    program("other"), partner("eve", "other"), click("eve", save="evesclick"),
    program(), partner("ada"),
    sale(ref="$eve_code", click_id="$evesclick", expect={
        "attribution.credits": [], "ignored.0.because": "foreign", "ignored.1.because": "foreign"}),
])

case("a referral that names nobody is no touch", [
    program(), partner("ada"),
    post(TOUCH, {"program_id": "$program", "source": "referral", "click_id": GONE,
                 "customer": {"external_id": "c1"}}, status=200,
         expect={"id": ABSENT, "ignored.0.because": "unknown"}),
    post(TOUCH, {"program_id": "$program", "source": "partner", "referrer_email": "x@y.example",
                 "customer": {"external_id": "c1"}}, status=200, expect={"id": ABSENT}),
    get("/v1/touchpoints?program_id=$program", expect={"data.#": 0}),
])

case("what the operator names is strict", [
    program(), partner("ada"),
    post(TOUCH, {"participant_id": "part_01h455vb4pex5vsknk084sn02q", "source": "referral",
                 "customer": {"external_id": "c1"}}, status=404),
    sale(lead_id="lead_01h455vb4pex5vsknk084sn02q", status=404, save_as={}),
])

case("a referrer's address counts at every door", [
    program(), partner("ada", email="ada-told@partner.example"),
    sale(referrer_email=" ada-told@partner.example ", expect={FIRST: "$ada", "ignored": []}),
    lead(referrer_email="ada-told@partner.example", email="x@buyer.example",
         expect={"participant_id": "$ada"}),
])

# Touches.

case("a ref whose link the click has is that click: one touch", [
    program(attribution={"model": "linear"}), partner("ada"), click("ada"),
    sale(click_id="$click", ref="$ada_code", expect={
        "attribution.touches.#": 1, "attribution.touches.0.kind": "click"}),
])
case("a ref of another link is a touch at ref_at", [
    program(attribution={"model": "linear"}), partner("ada"), partner("ben"), click("ada"),
    sale(click_id="$click", ref="$ben_code", ref_at="@-2d", expect={
        "attribution.touches.#": 2, "attribution.touches.0.kind": "ref",
        "attribution.touches.0.occurred_at": "@-2d", "attribution.credits.#": 2}),
])
case("a ref without a time counts at the sale", [
    program(), partner("ada"),
    sale(ref="$ada_code", occurred_at="@-3d", expect={
        FIRST: "$ada", "attribution.touches.0.occurred_at": "@-3d"}),
])
case("a ref_at outside the window counts for nothing", [
    program(), partner("ada"),
    sale(ref="$ada_code", ref_at="@-40d", expect={
        "attribution.credits": [], "attribution.touches.0.verdict": "outside_window"}),
])
case("a page's clock that is ahead loses no sale", [
    program(), partner("ada"),
    sale(ref="$ada_code", ref_at="@+2h", expect={FIRST: "$ada"}),
    sale(ref="$ada_code", ref_at="@+9d", order="order-2", buyer="b@buyer.example", expect={
        FIRST: "$ada", "ignored.0.because": "in_the_future"}),
])
case("a typed code is a touch of its own kind", [
    program(), partner("ada"),
    sale(code=" $ada_code ", expect={
        FIRST: "$ada", "attribution.touches.0.kind": "code", "code": "$ada_code",
        "ref": ABSENT}),
])
case("a list of clicks, a text with commas, blanks around", [
    program(attribution={"model": "first_touch"}), partner("ada"), partner("ben"),
    click("ada", save="one"), click("ben", save="two"),
    sale(click_id=["$two", "$one", "$one"], expect={FIRST: "$ada", "click_id": "$two"}),
    sale(click_id=" $two , $one ", order="order-2", buyer="b@buyer.example",
         expect={FIRST: "$ada", "ignored": []}),
    form({"email": "f@buyer.example", "click_id": "$two,$one"}, status=201,
         headers={"Accept": "application/json"}, save={"posted": "id"}),
    get("/v1/leads/$posted", expect={"participant_id": "$ada"}),
])
case("one bad click of a list takes nothing from the others", [
    program(), partner("ada"), click("ada"),
    sale(click_id=[GONE, "$click", None, "x"], expect={
        FIRST: "$ada", "ignored": has("unknown"), "ignored.#": 3}),
])
case("parameters count in any case and behind amp;", [
    program(), partner("ada"),
    form({"email": "f@buyer.example", "REF": "$ada_code"}, status=201,
         headers={"Accept": "application/json"}, save={"one": "id"}),
    get("/v1/leads/$one", expect={"participant_id": "$ada"}),
    form({"email": "g@buyer.example", "amp;Ref": "$ada_code"}, status=201,
         headers={"Accept": "application/json"}, save={"two": "id"}),
    get("/v1/leads/$two", expect={"participant_id": "$ada"}),
    get("/f/$program?utm_source=x&amp;REF=$ada_code", anonymous=True,
        expect={"text": has('name="ref" value="')}),
])

# Reclaimed and embedded clicks.

for agent in ["Googlebot/2.1", "facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0", "curl/8.5"]:
    case(f"a click of {agent} that somebody brings was a person's", [
        program(), partner("ada"), click("ada", agent=agent),
        sale(click_id="$click", expect={
            FIRST: "$ada", "attribution.touches.0.reclaimed": ANY}),
        lead(click_id="$click", email="l@buyer.example", expect={"participant_id": "$ada"}),
    ])
case("a second click within the hour counts as well", [
    program(), partner("ada"), click("ada", save=None), click("ada"),
    sale(click_id="$click", expect={
        FIRST: "$ada", "attribution.touches.0.reclaimed": "duplicate"}),
])
for destination in ["image", "iframe", "empty", "script", "video", "frame"]:
    case(f"a link fetched as {destination} earns nothing, by click or by ref", [
        program(), partner("ada"), click("ada", headers={"Sec-Fetch-Dest": destination}),
        get("/v1/clicks/$click", expect={"class": "embedded"}),
        sale(click_id="$click", ref="$ada_code", expect={
            "attribution.credits": [], "ignored.0.because": "embedded",
            "ignored.1.because": "embedded"}),
        lead(click_id="$click", email="l@buyer.example", expect={
            "participant_id": ABSENT, "ignored.0.because": "embedded"}),
    ])
case("a stuffed click takes nothing from a real one", [
    program(), partner("ada"), partner("eve"), click("ada", save="real"),
    click("eve", save="stuffed", headers={"Sec-Fetch-Dest": "image"}),
    sale(click_id=["$real", "$stuffed"], ref="$eve_code", expect={
        FIRST: "$ada", "attribution.credits.#": 1}),
])

# Leads.

case("a click of another than the named participant is a touch, not a refusal", [
    program(), partner("ada"), partner("ben"), click("ben"),
    lead(participant_id="$ada", click_id="$click", status=201, expect={
        "participant_id": "$ada", "click_id": ABSENT, "ignored": []}),
    get("/v1/touchpoints?program_id=$program", expect={"data.#": 2}),
])
case("a code of another than the named participant is left out", [
    program(), partner("ada"), partner("ben"),
    lead(participant_id="$ada", code="$ben_code", status=201, expect={
        "participant_id": "$ada", "ignored.0.because": "other_participant"}),
])
case("a typed code goes before the click of a lead", [
    program(), partner("ada"), partner("ben"), click("ben"),
    lead(code="$ada_code", click_id="$click", expect={"participant_id": "$ada"}),
])
case("a token reads the names of what was left out, no value and no reason", [
    program(), partner("ada"), token("ada"), partner("ben"),
    lead(program_id=ABSENT, token="ada", ref="$ben_code", code="zzz", ref_at="@-3d", expect={
        "participant_id": "$ada", "ignored.0": lambda hint: list(hint) == ["name"]}),
])
case("a suspended referrer's ref does not refuse the lead", [
    program(), partner("ada"), post("/v1/participants/$ada/suspend"),
    lead(ref="$ada_code", status=201, expect={
        "participant_id": ABSENT, "ignored.0.because": "not_approved"}),
    form({"email": "s@buyer.example", "ref": "$ada_code"}, status=201,
         headers={"Accept": "application/json"}),
])
