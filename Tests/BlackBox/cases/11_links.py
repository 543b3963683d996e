"""Codes, links and programs that are off."""
from field_kit import *

HOME = "https://www.example.com/welcome"


def hit(path, **how):
    return get(path, anonymous=True, headers={"User-Agent": BROWSER}, **how)


# Codes.

for word in ["undefined", "None", "FALSE", "api", "Facebook", "black_friday", "news-letter"]:
    case(f"a token cannot take {word}", [
        program(), partner("ada", link=False), token("ada"),
        post("/v1/links", {"code": word}, token="ada", status=422,
             expect={"code": "code_reserved", "errors.0.pointer": "/code"}),
        post("/v1/links", {"code": word, "force": True}, token="ada", status=422),
        post("/v1/links", {"participant_id": "$ada", "code": word}, status=422,
             expect={"detail": has("force")}),
    ])
case("the operator takes a reserved word with force", [
    program(), partner("ada", link=False),
    post("/v1/links", {"participant_id": "$ada", "code": "retargeting", "force": True}, status=201),
])
case("the shop's coupons are reserved, however they are written", [
    program(reserved_codes=["SAVE-99", "vip_only"]), partner("ada", link=False), token("ada"),
    *[post("/v1/links", {"code": code}, token="ada", status=422, expect={"code": "code_reserved"})
      for code in ["save99", "SAVE_99", "Vip-Only", "viponly"]],
    post("/v1/links", {"participant_id": "$ada", "code": "save99"}, status=422),
])
case("a token's code has four characters at least", [
    program(), partner("ada", link=False), token("ada"),
    post("/v1/links", {"code": "zq7"}, token="ada", status=422, expect={"code": "code_too_short"}),
])
case("a token cannot take another's code but for one letter", [
    program(), partner("ben", link=False),
    post("/v1/links", {"participant_id": "$ben", "code": "%wilhelmina"}, save={"ben_code": "code"}),
    partner("ada", link=False), token("ada"),
    *[post("/v1/links", {"code": code}, token="ada", status=422, expect={"code": "code_similar"})
      for code in ["a$ben_code", "%wilhelmine", "%wilhelmia", "%wilhlemina"]],
    post("/v1/links", {"participant_id": "$ada", "code": "%wilhelmine"}, status=201),
])
for code in ["ab-", "-ab", "ab_", "_ab", "a.b", "ab", "a" * 65]:
    case(f"{code[:10]} is no code", [
        program(), partner("ada", link=False),
        post("/v1/links", {"participant_id": "$ada", "code": code}, status=400),
    ])

# Addresses with something at their end.

for end in ["/", "//", ".", ",", ")", "%29", "%3E", "%5D", "'", "%22", ";", ":", "!", "%3F", "%E2%80%8B",
            "%EF%BB%BF", "%20", ").", "%C2%A0", "%E2%80%A6", "*", "/."]:
    case(f"/r/code{end} leads where the code does", [
        program(), partner("ada"),
        hit(f"/r/$ada_code{end}", status=302, expect={"header.Location": has("click_id=click_")}),
    ])
for end in ["x", "/x", "%C3%A9", "/../ada"]:
    case(f"/r/code{end} is another address", [
        program(), partner("ada"), hit(f"/r/$ada_code{end}", status=404),
    ])
case("a ref with something glued on is the code's", [
    program(), partner("ada"),
    sale(ref="$ada_code/", expect={"attribution.credits.0.participant_id": "$ada"}),
    sale(code="$ada_code.", order="order-2", buyer="b@buyer.example",
         expect={"attribution.credits.0.participant_id": "$ada"}),
])

# Off.

case("a disabled link leads to the program's fallback, without ref and click_id", [
    program(fallback_url="https://www.example.com/over?a=1"), partner("ada"),
    post("/v1/links/$ada_link/disable", expect={"status": "disabled", "disabled_at": ANY}),
    hit("/r/$ada_code?ref=x", status=302,
        expect={"header.Location": "https://www.example.com/over?a=1"}),
    post("/v1/links/$ada_link/enable", expect={"disabled_at": ABSENT}),
    hit("/r/$ada_code", status=302, expect={"header.Location": has("click_id=")}),
])
case("a disabled link of a program without fallback leads to its destination, not the link's", [
    program(), partner("ada", link=False),
    post("/v1/links", {"participant_id": "$ada", "code": "%own",
                       "destination_url": "https://trap.example/"},
         save={"link": "id", "own_code": "code"}),
    post("/v1/links/$link/disable"),
    hit("/r/$own_code", status=302, expect={"header.Location": HOME}),
])
case("where no page is known, a link that is off is 410", [
    program(destination_url=None), partner("ada", link=False),
    post("/v1/links", {"participant_id": "$ada", "code": "%own",
                       "destination_url": "https://own.example/"},
         save={"link": "id", "own_code": "code"}),
    post("/v1/links/$link/disable"), hit("/r/$own_code", status=410),
])
case("an expired link leads to the destination", [
    program(), partner("ada", link=False),
    post("/v1/links", {"participant_id": "$ada", "code": "%late", "expires_at": "@-1d"},
         save={"late_code": "code"}),
    hit("/r/$late_code", status=302, expect={"header.Location": HOME}),
])
case("links of one who is suspended or closed, and of a program that ended, lead to the program", [
    program(), partner("ada"), partner("ben"), partner("eve"),
    post("/v1/participants/$ada/suspend"), post("/v1/participants/$ben/close"),
    hit("/r/$ada_code", status=302, expect={"header.Location": HOME}),
    hit("/r/$ben_code", status=302, expect={"header.Location": HOME}),
    post("/v1/programs/$program/end"),
    hit("/r/$eve_code", status=302, expect={"header.Location": HOME}),
])
case("there is no archive; hidden leaves lists alone", [
    program(), partner("ada"),
    post("/v1/links/$ada_link/archive", status=404),
    patch("/v1/links/$ada_link", {"hidden": True}, expect={"hidden": True, "status": "active"}),
    get("/v1/links?participant_id=$ada&hidden=true", expect={"data.0.id": "$ada_link"}),
    hit("/r/$ada_code", status=302, expect={"header.Location": has("click_id=")}),
    sale(ref="$ada_code", expect={"attribution.credits.0.participant_id": "$ada"}),
])
case("a paused program takes clicks, forms, leads and sales", [
    program(), partner("ada"), post("/v1/programs/$program/pause"),
    click("ada"),
    lead(click_id="$click", ref="$ada_code", status=201, expect={"participant_id": "$ada"}),
    form({"email": "p@buyer.example", "ref": "$ada_code"}, status=201,
         headers={"Accept": "application/json"}),
    sale(click_id="$click", buyer="s@buyer.example",
         expect={"attribution.credits.0.participant_id": "$ada"}),
])
case("a program that ended takes no lead", [
    program(), partner("ada"), post("/v1/programs/$program/end"),
    lead(ref="$ada_code", status=409, save_as={}),
])

# Made by itself, and codes that nobody has.

case("one who is approved has a link", [
    program(),
    post("/v1/participants", {"program_id": "$program", "name": "Ann", "email": "ann@p.example"},
         save={"ann": "id"}),
    get("/v1/links?participant_id=$ann", expect={"data.#": 0}),
    post("/v1/participants/$ann/approve"),
    get("/v1/links?participant_id=$ann", expect={"data.#": 1, "data.0.code": ANY}),
    post("/v1/participants/$ann/suspend"), post("/v1/participants/$ann/approve"),
    get("/v1/links?participant_id=$ann", expect={"data.#": 1}),
])
case("one who is created approved has a link, which sells", [
    program(),
    post("/v1/participants", {"program_id": "$program", "name": "Ann", "email": "ann@p.example",
                              "status": "approved"}, save={"ann": "id"}),
    get("/v1/links?participant_id=$ann", expect={"data.#": 1}, save={"made_code": "data.0.code"}),
    sale(code="$made_code", expect={"attribution.credits.0.participant_id": "$ann"}),
])
case("a misprint is counted, said to be near, and credits nobody", [
    program(), partner("ben", link=False),
    post("/v1/links", {"participant_id": "$ben", "code": "%theodora"}),
    hit("/r/%theodorq", status=404),
    sale(ref="%theodorq", expect={"attribution.credits": [], "ignored.0.because": "unknown"}),
    get("/v1/reports/unknown_codes", expect={"codes": has("theodorq")}),
])
