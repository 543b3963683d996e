"""The small language of the field cases (`Tests/BlackBox/field`): what to send, what must come back.

A file `cases/NN_topic.py` begins with `from field_kit import *` and states cases:

    case("a code that nobody has loses no sale", [
        program(),                                  # $program: active, USD, no hold, 10 % of a sale
        partner("ada"),                             # $ada, $ada_link and its code $ada_code
        click("ada"),                               # $click
        sale(click_id="$click", code="nobody", amount=10000, expect={
            "attribution.credits.0.participant_id": "$ada",
            "rewards.0.amount.amount": 1000,
            "ignored": [{"name": "code", "value": "nobody", "because": "unknown"}]}),
        balance("ada", available=1000),
    ])

Steps: program, rule, partner, token, click, sale, refund, lead, balance and the plain get, post,
patch, put, delete, form. All take `status=` (else any 2xx), `expect={PATH: VALUE}`,
`save={NAME: PATH}`, `token="ada"` (sent with that participant's token, not the admin key),
`headers=`, `key=` (Idempotency-Key). A body is a Python value, or `raw="..."` for bytes as they are.

- `"$name"` in a path, body or expected value is what was saved under it. `"@-3d"` in a body or a path
  is the instant three days ago (s, m, h, d), the same within one case.
- A PATH names members and indexes: "rewards.0.amount.amount". "rewards.#" is how many there are.
  "header.Location" is a header, "text" the body as text.
- A VALUE is what must be there; or ABSENT (no such member, or null), ANY (a member that is not null), or
  a function of the value that must be true: has("word"), lambda v: v > 3.

Every case has its own program, customers and codes, so cases do not meet. Money is in minor units.
"""

import json
import re

ABSENT = object()
ANY = object()
CASES = []


def case(title, steps, why=None):
    """A case of the table: its title says the right value; `why` names the rule where needed."""
    CASES.append((title, steps))


def has(word):
    """True where the text, list or object contains the word."""
    def check(value):
        return word in (value if isinstance(value, str) else json.dumps(value))
    check.__name__ = f"has({word!r})"
    return check


class Step:
    """One request and what its answer must be."""

    def __init__(self, method, path, body=None, *, status=None, expect=None, save=None, token=None,
                 headers=None, key=None, raw=None, anonymous=False):
        self.method, self.path, self.body = method, path, body
        self.status, self.expect, self.save = status, expect or {}, save or {}
        self.token, self.headers, self.key, self.raw = token, dict(headers or {}), key, raw
        self.anonymous = anonymous


def get(path, **how):
    return Step("GET", path, **how)


def post(path, body=None, **how):
    return Step("POST", path, body, **how)


def patch(path, body=None, **how):
    return Step("PATCH", path, body, **how)


def put(path, body=None, **how):
    return Step("PUT", path, body, **how)


def delete(path, **how):
    return Step("DELETE", path, **how)


def form(fields, program="$program", **how):
    """A browser's post of a referral form; `fields` is the urlencoded body as a dictionary."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", **how.pop("headers", {})}
    return Step("POST", f"/f/{program}", fields, headers=headers, anonymous=True, **how)


def steps(*parts):
    """Several steps as one."""
    return list(parts)


def program(name="program", rule={"trigger": "conversion", "basis_points": 1000}, activate=True,
            expect=None, **terms):
    """A fresh program, saved as $program, with one rule ($rule) unless rule=None."""
    made = {"name": "Field", "kind": "partner", "currency": "USD", "hold_days": 0,
            "approval_threshold": None, "destination_url": "https://www.example.com/welcome"}
    made.update(terms)
    parts = [post("/v1/programs", made, save={name: "id"}, expect=expect)]
    if rule:
        parts.append(post(f"/v1/programs/${name}/reward_rules", rule, save={"rule": "id"}))
    if activate:
        parts.append(post(f"/v1/programs/${name}/activate"))
    return parts


def rule(program="program", save="rule2", **terms):
    return post(f"/v1/programs/${program}/reward_rules", terms, save={save: "id"})


def partner(name, program="program", link=True, **profile):
    """An approved participant $name with a link $name_link of the fresh code $name_code."""
    made = {"program_id": f"${program}", "kind": "affiliate", "name": name.title(),
            "email": f"{name}@partner.example", "status": "approved"}
    made.update(profile)
    parts = [post("/v1/participants", made, save={name: "id"})]
    if link:
        parts.append(post("/v1/links", {"participant_id": f"${name}", "code": f"%{name}"},
                          save={f"{name}_link": "id", f"{name}_code": "code"}))
    return parts


def token(name):
    """A token of the participant, for steps with token="name"."""
    return post(f"/v1/participants/${name}/tokens", save={f"{name}_token": "secret"})


BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def click(name, save="click", agent=BROWSER, query="", headers=None, **how):
    """A visitor follows $name_code; the click's id is saved as $click."""
    return Step("GET", f"/r/${name}_code{query}", status=how.pop("status", 302), anonymous=True,
                headers={"User-Agent": agent, **(headers or {})},
                save={save: "click"} if save else {}, **how)


def sale(amount=10000, currency="USD", kind="purchase", order="order-1", program="program",
         buyer="grace@customer.example", save="sale", **how):
    """A sale of $program, saved as $sale with its rewards as $reward ... Unknown words are members of the
    body (ref, click_id, code, subscription, occurred_at ...); `customer=` replaces the buyer."""
    step, body = _apart(how)
    made = {"program_id": f"${program}", "external_id": order, "kind": kind,
            "customer": {"email": buyer}, "amount": {"amount": amount, "currency": currency}}
    made.update(body)
    made = {name: value for name, value in made.items() if value is not ABSENT}
    step.setdefault("save", {}).setdefault(save, "id")
    return Step("POST", "/v1/conversions", made, **step)


def refund(amount=None, order="refund-1", sale="$sale", currency="USD", **how):
    """A refund of $sale; without an amount, of the whole."""
    step, body = _apart(how)
    made = {"external_id": order}
    if amount is not None:
        made["amount"] = {"amount": amount, "currency": currency}
    made.update(body)
    step.setdefault("key", f"refund-{order}")
    step.setdefault("save", {}).setdefault("refund", "id")
    return Step("POST", f"/v1/conversions/{sale}/refund", made, **step)


def lead(email="grace@customer.example", program="program", save="lead", **how):
    step, body = _apart(how)
    made = {"program_id": f"${program}", "email": email, "name": "Grace"}
    made.update(body)
    made = {name: value for name, value in made.items() if value is not ABSENT}
    step.setdefault("save", {}).setdefault(save, "id")
    return Step("POST", "/v1/leads", made, **step)


def move(action, body=None, lead="$lead", **how):
    """An action on the lead: qualify, win, lose ..."""
    return post(f"/v1/leads/{lead}/{action}", body, **how)


def payout(name, reference="first", save="payout", confirm=True):
    """Drafts, submits and confirms a payout of all that $name has."""
    parts = [post("/v1/payouts", {"participant_id": f"${name}", "reference": f"%{reference}"},
                  key=f"draft-{reference}", save={save: "id"}),
             post(f"/v1/payouts/${save}/submit", key=f"submit-{reference}")]
    if confirm:
        parts.append(post(f"/v1/payouts/${save}/confirm", key=f"confirm-{reference}"))
    return parts


def balance(name, **sums):
    """The balance of $name: pending, available, in_payout, paid, clawback_owed, in minor units. A
    participant that never earned has no balance: then every sum is 0."""
    def check(balances):
        found = balances[0] if balances else {}
        seen = {word: (found.get(word) or {}).get("amount", 0)
                if isinstance(found.get(word), dict) else found.get(word, 0) for word in sums}
        return True if seen == sums else f"{seen} instead of {sums}"
    check.__name__ = f"balance {sums}"
    return get(f"/v1/participants/${name}/balance", expect={"balances": check})


STEP_WORDS = {"status", "expect", "save_as", "token", "headers", "key", "raw"}


def _apart(words):
    step = {name: words.pop(name) for name in list(words) if name in STEP_WORDS}
    if "save_as" in step:
        step["save"] = step.pop("save_as")
    return step, words


def flat(parts):
    for part in parts:
        if isinstance(part, Step):
            yield part
        else:
            yield from flat(part)


def find(answer, path):
    """The value at the path of the answer; ABSENT where there is none."""
    value = answer
    for name in path.split("."):
        if name == "#":
            return len(value) if isinstance(value, (list, dict)) else ABSENT
        if isinstance(value, list) and re.fullmatch(r"-?\d+", name):
            value = value[int(name)] if -len(value) <= int(name) < len(value) else ABSENT
        elif isinstance(value, dict):
            value = value.get(name, ABSENT)
        else:
            return ABSENT
        if value is ABSENT:
            return ABSENT
    return value


__all__ = [name for name in dir() if not name.startswith("_") and name not in ("json", "re")]
