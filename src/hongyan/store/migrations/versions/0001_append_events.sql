-- The end of the log, for stores with many writers. Who appends holds the lock of the log's head until the commit: so positions are
-- dense and in commit order, and whoever reads sees a prefix of the log. It is an advisory lock and no row, because each commit would
-- leave a dead version of that row, and none can be cleared away while somebody reads for long (a backup, say).
--
-- One call for one batch: each array has an entry for each draft, in the order of the calls. For each draft `codes` says
-- 0: appended; 1: the same (sender, client_id) is there already, at these places; 2: it is there in another lane; 3: the lane's version,
-- in `positions`, is not the one named. A draft that bumps must be the last of its batch, and no two may have the same (sender, client_id).
-- `xid` is the transaction, for pg_xact_status.
-- Each statement sees what was committed before it began (READ COMMITTED), so what comes after the lock sees the whole log. The planner
-- knows nothing of how many drafts there are: whatever the tables' statistics say, each draft is one step down each index.
CREATE FUNCTION append_events(
    lanes text[], types text[], senders text[], times bigint[], client_ids text[], contents bytea[], versions bigint[], bumps boolean[],
    OUT positions bigint[], OUT seqs bigint[], OUT stored_times bigint[], OUT codes smallint[], OUT xid bigint
) LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
DECLARE
    head bigint;
    added bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1751474532, 0);
    SELECT coalesce(max(e.position), 0) INTO STRICT head FROM events e;
    WITH judged AS MATERIALIZED (
        SELECT d.*, e.position AS old_position, e.lane AS old_lane, e.seq AS old_seq, e.time AS old_time, coalesce(l.version, 0) AS now,
            CASE
                WHEN e.position IS NOT NULL THEN CASE WHEN e.lane = d.lane THEN 1 ELSE 2 END
                WHEN d.version <> coalesce(l.version, 0) THEN 3
                ELSE 0
            END AS code
        FROM unnest(lanes, types, senders, times, client_ids, contents, versions) WITH ORDINALITY
            AS d (lane, type, sender, time, client_id, content, version, n)
        LEFT JOIN LATERAL (
            SELECT old.position, old.lane, old.seq, old.time FROM events old
            WHERE old.sender = d.sender AND old.client_id = d.client_id AND old.client_id IS NOT NULL LIMIT 1
        ) e ON true
        LEFT JOIN LATERAL (SELECT known.version FROM lanes known WHERE known.lane = d.lane LIMIT 1) l ON true
    ), placed AS MATERIALIZED (
        SELECT j.*, head + count(*) FILTER (WHERE j.code = 0) OVER (ORDER BY j.n) AS position,
            coalesce(top.seq, 0) + count(*) FILTER (WHERE j.code = 0) OVER (PARTITION BY j.lane ORDER BY j.n) AS seq
        FROM judged j
        LEFT JOIN LATERAL (SELECT last.seq FROM events last WHERE last.lane = j.lane ORDER BY last.seq DESC LIMIT 1) top ON true
    ), inserted AS (
        INSERT INTO events (position, lane, seq, type, sender, time, client_id, content)
        SELECT p.position, p.lane, p.seq, p.type, p.sender, p.time, p.client_id, p.content FROM placed p WHERE p.code = 0
        ORDER BY p.position
    )
    SELECT
        array_agg(CASE p.code WHEN 0 THEN p.position WHEN 3 THEN p.now ELSE p.old_position END ORDER BY p.n),
        array_agg(CASE p.code WHEN 0 THEN p.seq ELSE p.old_seq END ORDER BY p.n),
        array_agg(CASE p.code WHEN 0 THEN p.time ELSE p.old_time END ORDER BY p.n),
        array_agg(p.code::smallint ORDER BY p.n),
        count(*) FILTER (WHERE p.code = 0)
    INTO positions, seqs, stored_times, codes, added
    FROM placed p;
    IF bumps[cardinality(bumps)] AND codes[cardinality(codes)] = 0 THEN
        INSERT INTO lanes AS known (lane, version) VALUES (lanes[cardinality(lanes)], head + added)
        ON CONFLICT (lane) DO UPDATE SET version = excluded.version;
    END IF;
    xid := pg_current_xact_id()::text::bigint;
END
$$
