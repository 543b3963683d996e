extension RouteTable {
    /// Every route of the service, noun by noun.
    static let all: RouteTable = {
        var routes = RouteTable()
        RedirectRoutes.add(to: &routes)
        FormRoutes.add(to: &routes)
        ScriptRoutes.add(to: &routes)
        OperationsRoutes.add(to: &routes)
        ProgramRoutes.add(to: &routes)
        RewardRuleRoutes.add(to: &routes)
        ParticipantRoutes.add(to: &routes)
        LinkRoutes.add(to: &routes)
        ClickRoutes.add(to: &routes)
        LeadRoutes.add(to: &routes)
        ConversionRoutes.add(to: &routes)
        RewardRoutes.add(to: &routes)
        PayoutRoutes.add(to: &routes)
        StatementRoutes.add(to: &routes)
        LedgerRoutes.add(to: &routes)
        EventRoutes.add(to: &routes)
        KeyRoutes.add(to: &routes)
        DaemonRoutes.add(to: &routes)
        return routes
    }()
}
