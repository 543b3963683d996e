import Glibc
import Testing

@testable import Platform

/// Locks, threads, signals and randomness.
struct PlatformTests {
    @Test("increments from many threads under a lock are all counted")
    func locked() throws {
        let total = Locked(0)
        var threads: [pthread_t] = []
        for _ in 0..<8 {
            let thread = try Thread("adder") {
                for _ in 0..<10_000 { total.withLock { $0 += 1 } }
            }
            threads.append(thread.release())
        }
        for thread in threads { pthread_join(thread, nil) }
        #expect(total.withLock { $0 } == 80_000)
    }

    @Test("a raised wake-up ends a wait at once, and only one wait")
    func wakeUp() throws {
        let wake = try WakeUp()
        wake.raise()
        let start = MonotonicInstant.now()
        wake.wait(milliseconds: 60_000)
        #expect(MonotonicInstant.now().seconds(since: start) < 30)
        wake.wait(milliseconds: 1)
    }

    @Test("a descriptor closes with its owner")
    func descriptor() {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        do {
            let owner = FileDescriptor(owning: ends[0])
            #expect(fcntl(owner.number, F_GETFD) >= 0)
        }
        #expect(fcntl(ends[0], F_GETFD) == -1)
        close(ends[1])
    }

    @Test("random bytes differ from call to call, and the pool never repeats a word")
    func randomness() {
        #expect(RandomPool.bytes(32) != RandomPool.bytes(32))
        #expect(RandomPool.bytes(0).isEmpty)
        var pool = RandomPool()
        var seen = Set<UInt64>()
        for _ in 0..<1_000 { seen.insert(pool.next()) }
        #expect(seen.count == 1_000)
    }
}
