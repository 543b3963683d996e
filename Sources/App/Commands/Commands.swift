import Database
import Glibc
import HTTP
import JSON
import Model
import Programs

extension Command {
    /// Every command, in the order of the help.
    static let all: [Command] = [
        Command(
            name: "serve", operands: [],
            options: [
                (
                    "--init", "",
                    "Make a new database even where the log or the signing key of an earlier one "
                        + "lies; a log is set aside."
                )
            ], summary: "Run the service.",
            help: """
                Opens the database (migrating it if needed; a missing one is made, and told of in
                the log), listens, and runs until SIGTERM or SIGINT, which finish what was begun. A
                second signal ends it at once.
                """, run: Serve.run),
        Command(
            name: "demo", operands: [], options: [], summary: "Try it on a temporary database.",
            help: """
                Serves a temporary database with a program, participants, links, leads and a month
                of history, made through the same code as real input. Prints a key and curl lines to
                try. The database is deleted at the end.
                """, run: Demo.run),
        Command(
            name: "migrate", operands: [], options: [], summary: "Bring the database up to date.",
            help: """
                Applies the migrations that the database lacks, and says which version it has.
                `serve` does the same by itself; this is for doing it beforehand.
                """, run: Maintenance.migrate),
        Command(
            name: "keys", operands: ["create|list|revoke"],
            options: [
                ("--name", "NAME", "create: what the key is for."),
                ("--scope", "SCOPE", "create: read, write, payouts or admin; several with commas."),
                ("--id", "KEY_ID", "revoke: which key."),
                ("--init", "", "create: make the database when there is none."),
            ], summary: "Make, list or revoke API keys.",
            help: """
                referrald keys create --name portal --scope write   prints the secret, once
                referrald keys list
                referrald keys revoke --id key_…
                While a daemon runs, this goes through its private socket.
                """, run: Keys.run),
        Command(
            name: "import-leads", operands: ["FILE"],
            options: [("--program", "PROGRAM_ID", "Where the leads are referred.")],
            summary: "Refer the rows of a CSV file.",
            help: """
                The first line names the columns: email, and any of name, company, domain, phone,
                note, country, industry, company_size, use_case, intro, estimated_value (minor
                units), channel, referred_at, and participant_id, ref or referrer_email. Refused
                rows go to standard output with line and reason, the progress to standard error. A
                row that was imported before adds nothing, so a file can be read again. FILE may be
                - for standard input. While a daemon runs, this goes through its private socket.
                """, run: ImportCommand.run),
        Command(
            name: "backup", operands: ["[FILE]"],
            options: [
                ("--dir", "DIR", "Write the copy here, named by its time."),
                ("--keep", "N", "With --dir: the newest N of these copies stay; others go."),
            ], summary: "Write a consistent copy to FILE or DIR.",
            help: """
                Copies the database while it is in use, checks the copy's integrity and the ledger's
                proofs, and gives it its name last. Refuses a FILE that exists. With --keep, older
                copies are deleted once the new one is whole.
                """, run: Maintenance.backup),
        Command(
            name: "verify", operands: [],
            options: [
                SavedHead.option,
                (
                    "--receipts-head", "SEQ:HASH",
                    "A kept head of receipts, or a file with the answer of "
                        + "/v1/registrations/head: it must be in the chain."
                ),
            ],
            summary: "Prove the database and the ledger.",
            help: """
                Writes nothing: a copy that only another user may write to is read as it is.
                Checks the file's integrity, that every transaction sums to zero, that balances
                equal their sums, the hash chain, that rewards, payouts and redemptions match the
                journal, the chain of receipts, and that they and the accepted claims agree. Names
                the first fault. With --head also that the journal still holds everything that it
                held then.
                """, run: Maintenance.verify),
        Command(
            name: "verify-entry", operands: ["FILE"], options: [SavedHead.option],
            summary: "Check the proof of a ledger entry offline.",
            help: """
                Says whether FILE, an answer of /v1/ledger/transactions/{id}/proof, proves that the
                entry is part of the journal with the head that it names, and with --head that this
                is the head that was kept. Exit status 0 when it does, 1 when it does not.
                """, run: VerifyEntry.run),
        Command(
            name: "verify-receipt", operands: ["FILE"],
            options: [
                (
                    "--key", "KEY",
                    "The public key in hex, or a file with the answer of "
                        + "/v1/registrations/verification_key."
                )
            ], summary: "Check a partner's receipt offline.",
            help: """
                Says whether FILE is, byte for byte, a receipt that the key signed, and for which
                registration. Without --key the service's own key file is used. Exit status 0 when
                it holds, 1 when it does not.
                """, run: VerifyReceipt.run),
        Command(
            name: "health", operands: [], options: [],
            summary: "Ask a running service if it is ready.",
            help: "Exit status 0 when /readyz answers 200, else 1 with the reason.",
            run: Maintenance.health),
        Command(
            name: "check-config", operands: [], options: [],
            summary: "Check the settings and print them.",
            help: "Exit status 78 when a value cannot be used, with its name.",
            run: { configuration, _ in
                for (name, value) in configuration.effective { Terminal.print("\(name)=\(value)") }
                let key = configuration.adminKey == nil ? "is not set" : "is set"
                Terminal.print("REFERRALD_ADMIN_KEY \(key)")
                for warning in configuration.warnings { Terminal.error("warning: \(warning)") }
                return 0
            }),
        Command(
            name: "version", operands: [], options: [], summary: "Print the version.",
            help: "Prints the versions of referrald and of the system's SQLite.",
            run: { _, _ in
                Terminal.print(
                    "referrald \(Version.number) (SQLite \(DatabaseStatistics.sqliteVersion))")
                return 0
            }),
    ]
}
