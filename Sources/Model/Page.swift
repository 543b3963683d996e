/// A window of a list that is sorted newest first.
public struct PageRequest: Sendable {
    public enum Window: Sendable {
        /// What is older than this sequence number; from the newest when nil.
        case older(than: Int64?)
        /// What is newer than this sequence number, nearest first.
        case newer(than: Int64)
    }

    /// 1 to 100.
    public let limit: Int
    public let window: Window
    /// Whether the answer says how many there are in all.
    public let isCounted: Bool

    public init(limit: Int, window: Window, isCounted: Bool = false) {
        self.limit = min(max(limit, 1), 100)
        self.window = window
        self.isCounted = isCounted
    }
}

/// The items of one window, newest first.
public struct Page<Item> {
    public let items: [Item]
    /// More in the direction of the request.
    public let hasMore: Bool
    public let hasOlder: Bool
    public let hasNewer: Bool
    /// How many there are in all windows together, counted up to `totalMost`; nil: nobody asked.
    public let total: Int64?

    /// Where counting stops, so that it costs no more on a long list.
    public static var totalMost: Int64 { 10_000 }

    public init(items: [Item], hasMore: Bool, request: PageRequest, total: Int64? = nil) {
        self.items = items
        self.hasMore = hasMore
        self.total = total
        switch request.window {
        case .older(let place):
            hasOlder = hasMore
            hasNewer = place != nil
        case .newer:
            hasOlder = true
            hasNewer = hasMore
        }
    }
}
