import Testing

@testable import HTTP

/// Who may have how many connections.
struct ConnectionGaugeTests {
    private func gauge(
        limit: Int, perAddress: Int = 256, told: Int = 2
    ) -> ConnectionGauge {
        var limits = Limits()
        limits.connectionsPerAddressMax = perAddress
        limits.connectionsReserved = 3
        limits.connectionsOverLimitMax = told
        return ConnectionGauge(limit: limit, limits: limits)
    }

    @Test("one address has its share and no more, and gets it back; others are not concerned")
    func perAddress() {
        let gauge = gauge(limit: 100, perAddress: 4)
        let places = (0..<4).map { _ in
            gauge.enter(.ipv4(1), isReserved: false, isProxy: false)
        }
        #expect(places.allSatisfy { $0 == .address(.ipv4(1)) })
        let told = gauge.enter(.ipv4(1), isReserved: false, isProxy: false)
        #expect(told == .told(.address))
        _ = gauge.enter(.ipv4(1), isReserved: false, isProxy: false)
        #expect(gauge.enter(.ipv4(1), isReserved: false, isProxy: false) == .none(.address))
        #expect(gauge.enter(.ipv4(2), isReserved: false, isProxy: false) == .address(.ipv4(2)))
        gauge.leave(places[0])
        #expect(gauge.enter(.ipv4(1), isReserved: false, isProxy: false) == .address(.ipv4(1)))
    }

    @Test("the addresses of an IPv6 network of 64 bits are one")
    func network() {
        let gauge = gauge(limit: 100, perAddress: 1)
        func enter(_ peer: Peer) -> ConnectionGauge.Place {
            gauge.enter(peer, isReserved: false, isProxy: false)
        }
        #expect(enter(.ipv6(7, 1)) == .address(.ipv6(7, 0)))
        #expect(enter(.ipv6(7, 2)) == .told(.address))
        #expect(enter(.ipv6(8, 1)) == .address(.ipv6(8, 0)))
    }

    @Test("proxies have no limit of their own, and leave a tenth of the places to the others")
    func proxies() {
        let gauge = gauge(limit: 20, perAddress: 2)
        for _ in 0..<18 {
            #expect(gauge.enter(.ipv4(9), isReserved: false, isProxy: true) == .proxy)
        }
        #expect(gauge.enter(.ipv4(9), isReserved: false, isProxy: true) == .told(.server))
        #expect(gauge.enter(.unix(user: 0), isReserved: false, isProxy: false) == .told(.server))
        #expect(gauge.enter(.ipv4(1), isReserved: false, isProxy: false) == .address(.ipv4(1)))
        #expect(gauge.enter(.ipv4(1), isReserved: false, isProxy: false) == .address(.ipv4(1)))
        #expect(gauge.enter(.ipv4(2), isReserved: false, isProxy: false) == .none(.server))
    }

    @Test("the operator's listeners have places when all others are taken")
    func reserved() {
        let gauge = gauge(limit: 2)
        for _ in 0..<2 { _ = gauge.enter(.ipv4(1), isReserved: false, isProxy: false) }
        for _ in 0..<3 {
            #expect(gauge.enter(.unix(user: 0), isReserved: true, isProxy: false) == .reserved)
        }
        #expect(gauge.enter(.unix(user: 0), isReserved: true, isProxy: false) == .told(.server))
        gauge.leave(.reserved)
        #expect(gauge.enter(.unix(user: 0), isReserved: true, isProxy: false) == .reserved)
        #expect(gauge.count == 6)
    }

    @Test("an address over its limit is told so, and its longest resting connection makes place")
    func overSockets() throws {
        let test = try TestServer {
            $0.connectionsPerAddressMax = 3
            $0.restSecondsMin = 60
        }
        let clients = try (0..<3).map { _ in try test.client() }
        for client in clients {
            client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.answer()?.status == 200)
        }
        let fourth = try test.client()
        let answer = fourth.answer()
        #expect(answer?.status == 429)
        #expect(answer?.text.contains("too_many_connections") == true)
        #expect(fourth.isEnded())

        let patient = try TestServer {
            $0.connectionsPerAddressMax = 3
            $0.restSecondsMin = 0
        }
        let resting = try (0..<3).map { _ in try patient.client() }
        for client in resting {
            client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.answer()?.status == 200)
        }
        let next = try patient.client()
        next.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(next.answer()?.text == "GET /b ")
        #expect(resting[0].isEnded())
        resting[2].send("GET /c HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(resting[2].answer()?.text == "GET /c ")
        #expect(patient.server.statistics.idleClosed == 1)
    }

    @Test("a busy connection is never closed for a new one")
    func busy() throws {
        let test = try TestServer {
            $0.connectionsPerAddressMax = 2
            $0.restSecondsMin = 0
        }
        let clients = try (0..<2).map { _ in try test.client() }
        for client in clients { client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n") }
        let replies = (0..<2).compactMap { _ in test.nextReply() }
        #expect(try test.client().answer()?.status == 429)
        for reply in replies { reply.send(.text(200, "done")) }
        for client in clients { #expect(client.answer()?.text == "done") }
    }
}
