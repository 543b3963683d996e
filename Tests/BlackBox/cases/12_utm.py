"""UTM values: from the click or the form into the lead, and the funnel by each of them."""
from field_kit import *


def group(key, **counts):
    def check(groups):
        found = next((g for g in groups if g["key"] == key), {})
        seen = {name: found.get(name, {}).get("count") for name in counts}
        return True if seen == counts else f"{key}: {seen} instead of {counts}"
    check.__name__ = f"group {key} {counts}"
    return check


case("a click's UTM values go into the lead, unless the lead says its own", [
    program(), partner("ada"),
    click("ada", query="?utm_source=Mail&utm_campaign=May"),
    lead(click_id="$click", expect={
        "metadata.utm_source": "Mail", "metadata.utm_campaign": "May"}),
    lead(click_id="$click", email="own@elsewhere.example", metadata={"utm_source": "own"}, expect={
        "metadata.utm_source": "own", "metadata.utm_campaign": ABSENT}),
    lead(ref="$ada_code", email="none@third.example", expect={"metadata": {}}),
])
case("a link's own UTM values count where the visitor brought none", [
    program(), partner("ada", link=False),
    post("/v1/links", {"participant_id": "$ada", "code": "%fair", "utm": {"source": "Fair"}},
         save={"fair_code": "code"}),
    click("fair"),
    lead(click_id="$click", expect={"metadata.utm_source": "Fair"}),
    get("/v1/reports/funnel?program_id=$program&by=utm_source",
        expect={"groups": group("fair", clicks=1, leads=1)}),
])
case("the funnel by UTM value compares without case, and adds up", [
    program(), partner("ada"),
    *[form({"email": f"v{n}@buyer{n}.example", "ref": "$ada_code", "utm_medium": word}, status=201,
           headers={"Accept": "application/json"})
      for n, word in enumerate(["Mail", "mail", "MAIL"])],
    form({"email": "v9@buyer9.example", "ref": "$ada_code"}, status=201,
         headers={"Accept": "application/json"}),
    get("/v1/reports/funnel?program_id=$program&by=utm_medium",
        expect={"groups": group("mail", forms=3, leads=3), "total.leads.count": 4}),
    get("/v1/reports/funnel?program_id=$program&by=utm_medium",
        expect={"groups": group("none", forms=1, leads=1)}),
])
case("a sale counts under its click's UTM values", [
    program(), partner("ada"), click("ada", query="?utm_content=Blue"),
    sale(click_id="$click", amount=700),
    get("/v1/reports/funnel?program_id=$program&by=utm_content",
        expect={"groups": group("blue", conversions=1), "total.conversion_amount.amount": 700}),
])
