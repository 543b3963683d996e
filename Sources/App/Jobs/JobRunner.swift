import Database
import Model
import Platform
import Records
import RewardLedger

/// Does what falls due, through the writer like any request: at its time, or as soon as the service
/// is up again, and once, because a job's row goes in the transaction that does it.
final class JobRunner: Sendable {
    private let app: Application
    private let isStopping = Locked(false)
    private let wake: WakeUp

    /// Jobs of one transaction: a slice of a few milliseconds, so that a redirect never waits for
    /// it.
    private static let sliceJobs = 50
    /// Stored answers deleted in one transaction.
    private static let sliceAnswers = 500
    /// Longest time between two looks; what is scheduled meanwhile is at most this late.
    private static let restMilliseconds: Int64 = 1_000
    /// Until a job that could not be done is tried again.
    private static let retryMilliseconds: Int64 = 3_600_000

    init(_ app: Application) throws {
        self.app = app
        wake = try WakeUp()
    }

    /// Starts the runner's thread.
    func start() throws -> Thread {
        try Thread("jobs") { [self] in
            var reader: Reader?
            var memory = MemoryReturn()
            while !isStopping.withLock({ $0 }) {
                if !runSlice(&reader) { wake.wait(milliseconds: JobRunner.restMilliseconds) }
                if let statistics = app.serverStatistics { memory.look(statistics) }
                for reason in UnreadableRows.takeReasons() {
                    app.log.write(.error, "a list left out a row that cannot be read: \(reason)")
                }
            }
        }
    }

    func stop() {
        isStopping.withLock { $0 = true }
        wake.raise()
    }

    /// Does one slice. True when there may be more to do at once. Looks before it writes: the
    /// writer uses the moments in which nobody calls it.
    func runSlice(_ kept: inout Reader?) -> Bool {
        do {
            let reader = try kept ?? app.database.makeReader()
            kept = reader
            let now = app.clock.now()
            var isMore = false
            if let next = try JobStore.nextDue(reader), next <= now {
                let slice = try app.database.perform(JobRunner.runDue)
                if let fault = slice.fault { app.log.write(.error, fault) }
                isMore = slice.fault != nil || slice.done == JobRunner.sliceJobs
            }
            if try PayoutRunStore.running(reader) != nil {
                let fault = try app.database.perform {
                    try PayoutRunBook.advance($0, standing: PayOut.standing)
                }
                if let fault { app.log.write(.error, fault) }
                isMore = true
            }
            if try IdempotencyStore.isPruningDue(at: now, reader) {
                let pruned = try app.database.perform { tx in
                    try IdempotencyStore.prune(limit: JobRunner.sliceAnswers, tx)
                }
                isMore = isMore || pruned == JobRunner.sliceAnswers
            }
            return isMore
        } catch {
            app.log.write(.error, "due jobs could not be done: \(type(of: error))")
            return false
        }
    }

    private struct Slice: Sendable {
        var done = 0
        var fault: String?
    }

    /// Does what is due. A job that cannot be done is put off, alone, and the next slice does the
    /// others: it must not stand in their way.
    @Sendable
    private static func runDue(_ tx: Transaction) throws -> Slice {
        let jobs = try JobStore.due(at: tx.now, limit: sliceJobs, tx)
        for job in jobs {
            do {
                // First: a job that schedules its next one may get the same sequence for it.
                try JobStore.remove(job, tx)
                try perform(job, tx)
            } catch {
                if let fault = error as? DatabaseFault, fault.isRetryable { throw error }
                try tx.undo()
                try JobStore.putOff(job, to: tx.now.advanced(byMilliseconds: retryMilliseconds), tx)
                return Slice(
                    fault: "a \(job.kind) job could not be done and is tried again in an hour: "
                        + "\(type(of: error))")
            }
        }
        return Slice(done: jobs.count)
    }

    /// What each kind of job does. An unknown kind is a later version's and stays for it.
    private static func perform(_ job: Job, _ tx: Transaction) throws {
        switch job.kind {
        case "reward.hold": try ReleaseHold.run(job.subject(RewardID.self), tx)
        case BenefitBook.holdJob: try BenefitBook.endHold(job.subject(BenefitID.self), tx)
        case RewardBook.choiceJob: try ChooseReward.due(job.subject(RewardID.self), tx)
        case RewardBook.dueJob: try MissReward.promise(job.subject(RewardID.self), tx)
        case RewardBook.targetJob: try MissReward.target(job.subject(RewardID.self), tx)
        case "lead.follow_up": try MoveLead.followUp(job.subject(LeadID.self), tx)
        case RegistrationJobs.decision:
            try RegistrationJobs.decisionDue(
                job.subject(RegistrationID.self), at: job.dueAt, tx)
        case RegistrationJobs.reminder:
            try RegistrationJobs.remind(job.subject(RegistrationID.self), at: job.dueAt, tx)
        case RegistrationJobs.lapse:
            try MoveRegistration.lapse(job.subject(RegistrationID.self), tx)
        case ActivateRehearsal.job:
            try ActivateRehearsal.due(job.subject(RehearsalID.self), tx)
        case SchedulePayouts.job:
            try SchedulePayouts.run(job.subject(ProgramID.self), at: job.dueAt, tx)
        case FollowCampaign.job: try FollowCampaign.due(job.subject(CampaignID.self), tx)
        case OpenDispute.deadlineJob:
            try OpenDispute.escalate(job.subject(DisputeID.self), tx)
        case CloseParticipant.claimsJob:
            try CloseParticipant.giveUpClaims(job.subject(ParticipantID.self), tx)
        default: throw DatabaseFault(operation: "unknown job", code: DatabaseFault.corrupt)
        }
    }
}
