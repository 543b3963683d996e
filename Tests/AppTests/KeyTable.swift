/// What happens when a name or an action comes again: all of it, on one page. `KeyTableTests`
/// sends every cell to the service.
///
/// `200 same` is the object that the first request made, `201 other` a further one; a refusal
/// is its status and code. `-` says that there is no such case.
enum KeyTable {
    /// A name that the sender gives, by which the service knows a thing again.
    struct Key: Equatable, Sendable {
        let name: String
        /// The same request once more, under another Idempotency-Key.
        let again: String
        /// With blanks around the name.
        let blank: String
        /// In capitals.
        let letters: String
        /// Through another door, or from another place: which, and the answer.
        let channel: Case
        /// Long after the first, or after its time.
        let late: Case
        /// After what the first request did was undone.
        let reversal: Case
    }

    struct Case: Equatable, Sendable, ExpressibleByStringLiteral {
        let what: String
        let answer: String

        init(_ what: String, _ answer: String) {
            self.what = what
            self.answer = answer
        }

        init(stringLiteral value: String) { self.init("", value) }
    }

    static let keys: [Key] = [
        Key(
            name: "sale external_id",
            again: "200 same", blank: "200 same", letters: "201 other",
            channel: .init("the browser's report, another ref", "200 same"),
            late: .init("400 days later", "200 same"),
            reversal: .init("cancelled", "409 sale_refunded")),
        Key(
            name: "subscription of a sale",
            again: "200 same", blank: "200 same", letters: "409 external_id_taken",
            channel: .init("a report without it", "200 same"),
            late: .init("400 days later", "200 same"),
            reversal: .init("cancelled", "409 sale_refunded")),
        Key(
            name: "refund external_id",
            again: "200 same", blank: "200 same", letters: "201 other",
            channel: .init("POST /v1/refunds", "200 same"),
            late: .init("first before its sale, then after it by the sale's id", "200 same"),
            reversal: .init("reversed", "200 same")),
        Key(
            name: "reversal external_id",
            again: "200 same", blank: "200 same", letters: "409 refund_reversed",
            channel: .init("of another refund", "409 external_id_taken"),
            late: .init("400 days later", "200 same"),
            reversal: "-"),
        Key(
            name: "touchpoint external_id",
            again: "200 same", blank: "200 same", letters: "201 other",
            channel: .init("in bulk", "200 same"),
            late: .init("400 days later", "200 same"),
            reversal: "-"),
        Key(
            name: "touchpoint click_id",
            again: "200 same", blank: "200 same", letters: "200 same",
            channel: .init("another customer", "201 other"),
            late: .init("400 days later", "200 same"),
            reversal: "-"),
        Key(
            name: "customer external_id",
            again: "201 same", blank: "201 same", letters: "201 other",
            channel: .init("in a sale", "201 same"),
            late: .init("400 days later", "201 same"),
            reversal: .init("merged into another", "201 same")),
        Key(
            name: "customer email",
            again: "201 same", blank: "201 same", letters: "201 same",
            channel: .init("in a sale", "201 same"),
            late: .init("400 days later", "201 same"),
            reversal: .init("merged into another", "201 same")),
        Key(
            name: "lead email",
            again: "201 duplicate", blank: "201 duplicate", letters: "201 duplicate",
            channel: .init("another participant", "201 duplicate"),
            late: .init("400 days later", "201 duplicate"),
            reversal: .init("disqualified", "201 duplicate")),
        Key(
            name: "registration domain",
            again: "409 already_registered", blank: "409 already_registered",
            letters: "409 already_registered",
            channel: .init("another participant", "409 account_protected"),
            late: .init("400 days later", "201 other"),
            reversal: .init("withdrawn", "201 other")),
        Key(
            name: "disputed registration",
            again: "409 dispute_open", blank: "409 dispute_open", letters: "409 dispute_open",
            channel: "-",
            late: .init("400 days later", "409 dispute_open"),
            reversal: .init("resolved", "201 other")),
        Key(
            name: "account external_id",
            again: "200 same", blank: "200 same", letters: "409 domain_taken",
            channel: .init("in bulk", "200 same"),
            late: .init("400 days later", "200 same"),
            reversal: "-"),
        Key(
            name: "account domain",
            again: "200 same", blank: "200 same", letters: "200 same",
            channel: .init("in bulk", "200 same"),
            late: .init("400 days later", "200 same"),
            reversal: "-"),
        Key(
            name: "participant external_id",
            again: "409 external_id_taken", blank: "409 external_id_taken", letters: "201 other",
            channel: .init("another program", "201 other"),
            late: .init("400 days later", "409 external_id_taken"),
            reversal: .init("closed", "409 external_id_taken")),
        Key(
            name: "participant email",
            again: "409 email_taken", blank: "409 email_taken", letters: "409 email_taken",
            channel: .init("another program", "201 other"),
            late: .init("400 days later", "409 email_taken"),
            reversal: .init("closed", "409 email_taken")),
        Key(
            name: "link code",
            again: "409 code_taken", blank: "409 code_taken", letters: "409 code_taken",
            channel: .init("in bulk", "409 code_taken"),
            late: .init("400 days later", "409 code_taken"),
            reversal: .init("disabled", "409 code_taken")),
        Key(
            name: "payout reference",
            again: "200 same", blank: "200 same", letters: "409 nothing_to_pay",
            channel: .init("another participant", "409 reference_taken"),
            late: .init("400 days later", "200 same"),
            reversal: .init("cancelled", "200 same")),
        Key(
            name: "payout run reference",
            again: "200 same", blank: "200 same", letters: "201 other",
            channel: .init("another program", "409 reference_taken"),
            late: .init("400 days later", "200 same"),
            reversal: "-"),
        Key(
            name: "catalogue sku",
            again: "409 sku_taken", blank: "409 sku_taken", letters: "201 other",
            channel: .init("another program", "201 other"),
            late: .init("400 days later", "409 sku_taken"),
            reversal: .init("archived", "409 sku_taken")),
        Key(
            name: "redemption reference",
            again: "200 same", blank: "200 same", letters: "201 other",
            channel: .init("another participant", "201 other"),
            late: .init("400 days later", "200 same"),
            reversal: .init("cancelled", "200 same")),
        Key(
            name: "Idempotency-Key",
            again: "201 same", blank: "201 same", letters: "201 other",
            channel: .init("another API key", "201 other"),
            late: .init("25 hours later", "201 other"),
            reversal: .init("its link is disabled", "201 same")),
    ]

    /// What happens when an action comes again, in this order: the action; the same once more,
    /// under another Idempotency-Key; with a reason of blanks; by a participant's token, where
    /// the object is its own; after another action ended the object; after another action took it
    /// back; the steps that lead to the action. The name of an action in capitals is always 404.
    ///
    /// `409` alone is `invalid_transition`, `400` a fault of the body, `403` a matter for the
    /// operator. An action that makes something new each time is 201 each time.
    static let actions = actionTable
}

private let actionTable = """
    leads:
      qualify      | 409      | 400  | 403  | disqualify 409 | -              | -
      disqualify   | 409      | 400  | 403  | attach 409     | reopen 200     | -
      advance      | 409      | 400  | 403  | lose 409       | -              | qualify
      win          | 409      | 400  | 403  | lose 409       | lose 409       | qualify advance
      lose         | 409      | 400  | 403  | disqualify 409 | reopen 409     | qualify
      nurture      | 409      | 400  | 403  | disqualify 409 | reopen 200     | -
      reopen       | 409      | 400  | 403  | -              | disqualify 200 | disqualify
      attach       | 200      | 400  | 403  | disqualify 409 | reopen 200     | -
      told         | 200      | 400  | 403  | lose 200       | -              | qualify
    registrations:
      approve      | 409      | 400  | 403  | withdraw 409   | -              | -
      reject       | 409      | 400  | 403  | withdraw 409   | -              | -
      extend       | 409 extensions_used_up | 400  | 403  | withdraw 409   | - | approve
      win          | 409      | 400  | 403  | withdraw 409   | -              | approve
      lose         | 409      | 400  | 403  | withdraw 409   | -              | approve
      withdraw     | 409      | 400  | 200  | reject 409     | -              | -
    disputes:
      review       | 409      | 400  | 403  | resolve 409    | -              | -
      evidence     | 200      | 400  | 200  | resolve 409 dispute_resolved | -              | -
      resolve      | 409      | 400  | 403  | -              | -              | -
    participants:
      approve      | 409      | 400  | 403  | close 409      | suspend 200    | -
      suspend      | 409      | 400  | 403  | close 409      | approve 200    | approve
      close        | 409      | 400  | 403  | -              | -              | -
      tokens       | 201      | 400  | 403  | -              | -              | -
      accept_terms | 200      | 400  | 200  | -              | -              | -
    participants/tokens:
      revoke       | 200      | 400  | 403  | -              | -              | -
    programs:
      activate     | 409      | 400  | 403  | -              | pause 200      | -
      pause        | 409      | 400  | 403  | end 409        | activate 200   | activate
      end          | 409      | 400  | 403  | -              | -              | activate
      campaigns    | 201      | 400  | 403  | -              | -              | -
      payout_runs  | 200      | 400  | 403  | -              | -              | -
      rehearsals   | 201      | 400  | 403  | -              | -              | -
      reward_rules | 201      | 400  | 403  | -              | -              | -
      terms        | 200      | 400  | 403  | -              | -              | -
    programs/reward_rules:
      archive      | 409      | 400  | 403  | -              | -              | -
    programs/campaigns:
      end          | 409      | 400  | 403  | -              | -              | -
    links:
      enable       | 409      | 400  | 403  | -              | disable 200    | disable
      disable      | 409      | 400  | 403  | -              | enable 200     | -
    conversions:
      refund       | 200      | 201  | 403  | -              | -              | -
      reattribute  | 200      | 400  | 403  | -              | -              | -
    refunds:
      reverse      | 200      | 201  | 403  | -              | -              | -
    customers:
      merge        | 409 already_merged | 400  | 403  | -              | -              | -
    customer_merges:
      undo         | 409 already_undone | 400  | 403  | -              | -              | -
    rewards:
      approve      | 409      | 400  | 403  | void 409       | claw_back 409  | -
      reject       | 409      | 400  | 403  | void 409       | -              | -
      void         | 409      | 400  | 403  | claw_back 409  | -              | -
      claw_back    | 409      | 400  | 403  | void 409       | -              | -
      choose       | 200      | 400  | 200  | -              | -              | -
    benefits:
      approve      | 409      | 400  | 403  | void 409       | -              | -
      fulfill      | 409      | 400  | 403  | void 409       | -              | approve
      void         | 409      | 400  | 403  | -              | -              | -
    payouts:
      submit       | 409      | 400  | 403  | cancel 409     | fail 409       | -
      fail         | 409      | 400  | 403  | confirm 409    | confirm 409    | submit
      confirm      | 409      | 400  | 403  | fail 200       | return 200     | submit
      return       | 409      | 400  | 403  | -              | confirm 200    | submit confirm
      mark_unknown | 409      | 400  | 403  | confirm 409    | confirm 409    | submit
      release | 409 nothing_to_release | 400 | 403 | - | - | submit confirm return
      cancel       | 409      | 400  | 403  | -              | -              | -
    payout_runs:
      submit       | 200      | 400  | 403  | -              | -              | -
      confirm      | 200      | 400  | 403  | -              | -              | submit
      results      | 200      | -    | 403  | -              | -              | submit
    catalog_items:
      enable       | 409      | 400  | 403  | archive 409    | disable 200    | disable
      disable      | 409      | 400  | 403  | archive 409    | enable 200     | -
      archive      | 409      | 400  | 403  | -              | -              | -
    redemptions:
      fulfill      | 409      | 400  | 403  | cancel 409     | -              | -
      cancel       | 409      | 400  | 403  | fulfill 409    | -              | -
    rehearsals:
      activate     | 409      | 400  | 403  | cancel 409     | -              | -
      cancel       | 409      | 400  | 403  | activate 409   | -              | -
    api_keys:
      revoke       | 200      | 400  | 403  | -              | -              | -
    """
