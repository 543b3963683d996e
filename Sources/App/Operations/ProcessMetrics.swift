import Glibc

/// What the kernel says of this process, read from /proc/self.
enum ProcessMetrics {
    static func write(to out: inout Exposition) {
        let fields = statFields()
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        if let fields, fields.count > 21, ticks > 0 {
            let cpu = (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)
            out.single(
                "process_cpu_seconds_total", .counter, "User and system time.", cpu / ticks)
            out.single("process_threads", .gauge, "Threads.", Double(fields[17]) ?? 0)
            if let boot = bootTime(), let started = Double(fields[19]) {
                out.single(
                    "process_start_time_seconds", .gauge, "When the process began, Unix time.",
                    boot + started / ticks)
            }
        }
        out.single(
            "process_resident_memory_bytes", .gauge, "Resident memory.",
            Double(residentBytes() ?? 0))
        out.single("process_open_fds", .gauge, "Open descriptors.", Double(openDescriptors()))
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            out.single(
                "process_max_fds", .gauge, "Most descriptors allowed.", Double(limit.rlim_cur))
        }
    }

    static func residentBytes() -> Int? {
        guard let text = SmallFile.read("/proc/self/statm") else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The fields of /proc/self/stat after the command's name.
    private static func statFields() -> [Substring]? {
        guard let text = SmallFile.read("/proc/self/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private static func bootTime() -> Double? {
        guard let text = SmallFile.read("/proc/stat") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") {
            return Double(line.dropFirst(6))
        }
        return nil
    }

    private static func openDescriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return max(0, count - 3)
    }
}
