"""The whole way once: a click, a sale, a payout, a refund that is owed, and what pays it back."""
from field_kit import *

case("a sale by a click pays, and its refund is kept back from the next payout", [
    program(),
    partner("ada"),
    click("ada"),
    sale(click_id="$click", amount=10000, expect={
        "attribution.credits.0.participant_id": "$ada", "rewards.0.amount.amount": 1000}),
    balance("ada", available=1000),
    payout("ada"),
    balance("ada", available=0, paid=1000),
    refund(5000),
    balance("ada", paid=1000, clawback_owed=500),
    sale(click_id="$click", amount=20000, order="order-2"),
    payout("ada", "second"),
    balance("ada", available=0, clawback_owed=0, paid=2500),
])
