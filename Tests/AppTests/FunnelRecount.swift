/// Counts the funnel again from the rows and events themselves: another way to the same numbers.
enum FunnelRecount {
    static let sql = """
        INSERT INTO funnel_days (
            program_id, day, channel, campaign, source, referrer, stage, count, amount)
        WITH lead_places AS (
            SELECT l.id, l.program_id, l.source, l.created_at,
                coalesce(l.won_amount, 0) AS won_amount,
                CASE WHEN l.channel <> l.source THEN l.channel
                    ELSE coalesce(k.channel, l.channel, 'none') END AS channel,
                coalesce(k.campaign, 'none') AS campaign, coalesce(p.kind, 'none') AS referrer
            FROM leads AS l
            LEFT JOIN links AS k ON k.id = l.link_id
            LEFT JOIN participants AS p ON p.id = l.participant_id
        ), entries AS (
            SELECT object_id, min(occurred_at) AS at,
                CASE to_state WHEN 'qualified' THEN 3 WHEN 'opportunity' THEN 4 WHEN 'won' THEN 5
                    ELSE 2 END AS stage
            FROM events
            WHERE object_kind = 'lead'
                AND to_state IN ('submitted', 'disqualified', 'qualified', 'opportunity', 'won')
            GROUP BY object_id, stage
        ), facts AS (
            SELECT program_id, created_at AS at, channel, campaign, source, referrer, 1 AS stage,
                0 AS amount
            FROM lead_places WHERE source = 'form'
            UNION ALL
            SELECT l.program_id, e.at, l.channel, l.campaign, l.source, l.referrer, e.stage,
                CASE e.stage WHEN 5 THEN l.won_amount ELSE 0 END
            FROM entries AS e JOIN lead_places AS l ON l.id = e.object_id
            UNION ALL
            SELECT c.program_id, c.occurred_at, l.channel, l.campaign, l.source, l.referrer,
                6, c.amount
            FROM conversions AS c JOIN lead_places AS l ON l.id = c.lead_id
            UNION ALL
            SELECT c.program_id, c.occurred_at, coalesce(k.channel, r.channel, 'none'),
                CASE WHEN k.seq IS NULL THEN coalesce(r.campaign, 'none')
                    ELSE coalesce(k.campaign, 'none') END,
                'none', coalesce(p.kind, 'none'), 6, c.amount
            FROM conversions AS c
            LEFT JOIN clicks AS x ON x.id = c.click_id
            LEFT JOIN links AS k ON k.seq = x.link_seq
            LEFT JOIN links AS r ON r.code_key = lower(c.ref)
            LEFT JOIN participants AS p ON p.id = coalesce(k.participant_id, r.participant_id)
            WHERE c.lead_id IS NULL
        )
        SELECT program_id, at / 86400000, channel, campaign, source, referrer, stage, count(*),
            sum(amount)
        FROM facts
        GROUP BY program_id, at / 86400000, channel, campaign, source, referrer, stage
        """
}
