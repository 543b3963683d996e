import Crypto
import Database
import HTTP
import JSON
import LeadRegistration
import Model
import Platform
import ReferralLinks

/// What every loop, job and command shares: the database, the routes, the configuration.
final class Application: Sendable {
    let configuration: Configuration
    let database: Database
    let clock: Clock
    let log: Log
    let routes: RouteTable
    let router: Router<Int>
    let requestMetrics: RequestMetrics
    let clicks: ClickDoor
    let clientAddress: ClientAddress
    let forwards: Forwards
    let collectorFailures: CollectorFailures
    let formGate: FormGate
    let exports = ExportPlaces()
    let signingKey: SigningKey
    /// `/openapi.json`, rendered once.
    let contract: [UInt8]
    let lifecycle = Locked(Lifecycle())
    private let attached: Locked<Server?>

    struct Lifecycle: Sendable {
        var isDraining = false
        /// A backup or verification is running.
        var isMaintaining = false
        var isImporting = false
        var isLoadingResults = false
        /// URL of this service as clients reach it, without a trailing slash.
        var publicURL = ""
    }

    /// Opens the database (migrating it) and prepares everything that needs no thread of its own.
    init(configuration: Configuration, clock: Clock = .system, log: Log) throws {
        self.configuration = configuration
        self.clock = clock
        self.log = log
        var settings = DatabaseSettings()
        settings.onNotice = { log.write(.warning, $0) }
        let attached = Locked<Server?>(nil)
        self.attached = attached
        settings.onBatchEnd = { attached.withLock { $0 }?.deliver() }
        settings.remains = [configuration.signingKeyPath]
        if configuration.makesBesideRemains { settings.making = .besideRemains }
        // A key that cannot be used ends the start before a database is made; a new key is made
        // after it, for a key without a database is the remains of one.
        let key = try SigningKey.find(configuration.signingKeyPath) { log.write(.warning, $0) }
        database = try Database(
            path: configuration.databasePath, migrations: Application.migrations,
            settings: settings,
            clock: clock)
        if database.isNew {
            log.write(.info, "made a new database at \(configuration.databasePath)")
        }
        signingKey = try key ?? SigningKey.make(configuration.signingKeyPath)
        clicks = ClickDoor(database: database)
        clientAddress = ClientAddress(trusted: configuration.trustedProxies)
        forwards = Forwards(log: log, isPublic: configuration.publicURL != nil)
        collectorFailures = CollectorFailures(log: log)
        FreeMail.take(configuration.freeMailHosts)
        formGate = FormGate(postsPerTenMinutes: configuration.formPostsPerTenMinutes)
        routes = RouteTable.all
        requestMetrics = RequestMetrics(endpoints: routes.endpoints)
        contract = OpenAPI.document(of: routes.endpoints).encoded()
        var router = Router<Int>()
        for (index, endpoint) in routes.endpoints.enumerated() {
            router.add(endpoint.method, endpoint.path, index)
        }
        self.router = router
    }

    /// The numbered files of `Migrations/`, compiled into the binary.
    static var migrations: [Migration] {
        EmbeddedMigrations.all.map { file in
            Migration(name: file.name, sql: file.text, checksum: SHA256.hash(file.text))
        }
    }

    /// Takes note of the server, for the answers of writes and for the metrics.
    func attach(_ server: Server) {
        attached.withLock { $0 = server }
        // For what was answered before.
        server.deliver()
    }

    var serverStatistics: ServerStatistics? { attached.withLock { $0 }?.statistics }

    var publicURL: String { configuration.publicURL ?? lifecycle.withLock { $0.publicURL } }
}
