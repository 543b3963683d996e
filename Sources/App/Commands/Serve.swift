import CLinux
import Database
import Glibc
import HTTP
import Model
import Platform
import Programs
import Records

/// The running service: loops, jobs and writer around one `Application`, from start to clean end.
final class Service: Sendable {
    let app: Application
    private let server: Server
    let jobs: JobRunner
    let rehearsals: RehearsalRunner
    private let jobThread: pthread_t
    private let rehearsalThread: pthread_t

    /// Opens the database, binds the listeners and starts everything.
    init(_ configuration: Configuration, clock: Clock = .system, log: Log) throws {
        let app = try Application(configuration: configuration, clock: clock, log: log)
        self.app = app
        try app.database.start()
        try app.database.perform { try EventFeed.begin($0) }
        try Service.requireTimeZones(app.database)
        let loops = configuration.threads == 0 ? usableCores() : configuration.threads
        var limits = Limits()
        limits.connectionsPerAddressMax = configuration.connectionsPerAddressMax
        server = try Server(
            configuration: ServerConfiguration(
                listeners: configuration.allListeners, loops: loops, limits: limits,
                admission: Admission(reservedListeners: configuration.operatorListeners) {
                    [clientAddress = app.clientAddress] in clientAddress.isTrusted($0)
                })
        ) { loop in try Dispatcher(app: app, loop: loop) }
        jobs = try JobRunner(app)
        rehearsals = try RehearsalRunner(app)
        let first = server.addresses.first ?? ""
        app.lifecycle.withLock { lifecycle in
            lifecycle.publicURL =
                first.hasPrefix("/") || first.hasPrefix("unix:")
                ? "http://localhost" : "http://" + first
        }
        app.attach(server)
        jobThread = try jobs.start().release()
        rehearsalThread = try rehearsals.start().release()
        clinux_release_startup_memory()
    }

    /// Months that are counted by another clock than the program's would be wrong for good.
    private static func requireTimeZones(_ database: Database) throws {
        for name in try ProgramStore.timeZones(database.makeReader())
        where TimeZone.named(name) == nil {
            throw ConfigurationError(
                description:
                    "a program goes by the time zone \(name), which this machine does not know: "
                    + "install the package tzdata")
        }
    }

    var addresses: [String] { server.addresses }

    /// Stops accepting, answers what was begun, does no further jobs, closes the database.
    func stop() {
        app.lifecycle.withLock { $0.isDraining = true }
        server.drain()
        server.wait()
        jobs.stop()
        rehearsals.stop()
        pthread_join(jobThread, nil)
        pthread_join(rehearsalThread, nil)
        app.database.close()
    }
}

/// `referrald serve`.
enum Serve {
    static func run(_ configuration: Configuration, _ arguments: Arguments) throws -> Int32 {
        let signals = try Signals()
        let log = Log(
            access: configuration.accessLog, isDebugLogged: configuration.isDebugLogged)
        var configuration = configuration
        configuration.makesBesideRemains = arguments.options["--init"] != nil
        raiseDescriptorLimit()
        for warning in configuration.warnings { log.write(.warning, warning) }
        let service = try Service(configuration, log: log)
        log.write(
            .info, "serving",
            [
                ("version", Version.number),
                ("addresses", service.addresses.joined(separator: " ")),
                ("sqlite", DatabaseStatistics.sqliteVersion),
            ])
        if DatabaseStatistics.hasLogResetBug {
            log.write(
                .debug,
                "the system's SQLite has the WAL-reset bug; one connection writes and "
                    + "checkpoints here, which keeps clear of it")
        }
        Readiness.notify("READY=1")
        signals.wait()
        Readiness.notify("STOPPING=1")
        log.write(.info, "stopping")
        signals.exitOnNext()
        service.stop()
        log.write(.info, "stopped")
        return 0
    }

    /// The soft limit is low for programs that use select(2); this one may have what the hard one
    /// allows.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(kind, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(kind, &limit)
    }
}

/// SIGTERM and SIGINT as something to wait for. SIGPIPE is ignored: a closed socket is an error
/// code.
struct Signals: Sendable {
    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }

    /// Blocks both for this thread and those it starts: call it first.
    init() throws {
        signal(SIGPIPE, SIG_IGN)
        // A shell starts background jobs with SIGINT ignored; here both signals always count.
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
        var set = Signals.set
        let code = pthread_sigmask(SIG_BLOCK, &set, nil)
        guard code == 0 else { throw SystemError("pthread_sigmask", code: code) }
    }

    func wait() {
        var set = Signals.set
        var number: Int32 = 0
        while sigwait(&set, &number) == EINTR {}
    }

    /// A further signal ends the process at once.
    func exitOnNext() {
        do {
            _ = try Thread("signals") {
                wait()
                _exit(130)
            }
        } catch {
            // Without the thread a second signal has no effect; the first one still ends the
            // service.
        }
    }
}

/// sd_notify(3): tells systemd that the service is ready, when systemd asked for it.
enum Readiness {
    static func notify(_ state: String) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), path.utf8.count < 108
        else { return }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard number >= 0 else { return }
        let descriptor = FileDescriptor(owning: number)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                Array(state.utf8).withUnsafeBytes {
                    sendto(
                        descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL),
                        address, length)
                }
            }
        }
    }
}
