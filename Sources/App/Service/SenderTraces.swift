import HTTP
import Model
import Records
import ReferralLinks

/// Where a request comes from, as far as it may be known again on the same day: its address, and
/// the browser at that address.
struct SenderTraces: Sendable {
    let address: TraceValue
    let browser: TraceValue

    /// Nil when the sender objects, and when the address is a trusted proxy's or this machine's:
    /// that would be everybody's.
    init?(of request: Request, _ app: Application) {
        let client = app.clientAddress.client(of: request).address
        let address = client.visitorBytes
        guard !app.clientAddress.isTrusted(client), !address.isEmpty,
            !request.isUntracked(honorsDoNotTrack: app.configuration.honorsDoNotTrack)
        else { return nil }
        let now = app.clock.now()
        func visitor(_ agent: String) -> Int64 {
            app.clicks.salts.visitor(address: address, userAgent: agent, at: now)
        }
        self.address = .address(visitor(""))
        browser = .browser(visitor(request.header("user-agent") ?? ""))
    }
}

extension Request {
    /// Whether the visitor objects to being known again: `Sec-GPC`, and `DNT` where it is honoured.
    func isUntracked(honorsDoNotTrack: Bool) -> Bool {
        isOne("sec-gpc") || honorsDoNotTrack && isOne("dnt")
    }

    private func isOne(_ name: StaticString) -> Bool {
        withHeader(name) { value in value?.count == 1 && value?.first == UInt8(ascii: "1") }
    }
}
