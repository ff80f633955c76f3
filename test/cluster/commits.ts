import type { Extent, RecordedBatch } from '../../src/model/batch.ts'
import type { Servers } from './servers.ts'

/** A batch as it was committed. */
export interface Commit extends Omit<RecordedBatch, 'batchId'> {
  /** The process of the state's server that served the node that committed it. */
  readonly session: number
}

/**
 * From now on each batch is written down in the transaction that commits it, under the number after that of the last one committed. A
 * transaction that began before another one ended would have its number and be refused, so the numbers are the order of commits.
 */
export async function recordCommits(servers: Servers): Promise<void> {
  await servers.ask(`
    CREATE SCHEMA recorded;
    CREATE TABLE recorded.commits (n bigint PRIMARY KEY, source_id text, extent text, received_ms bigint, session int);
    CREATE FUNCTION recorded.add() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO recorded.commits SELECT coalesce(max(n), 0) + 1, NEW.source_id, NEW.extent, NEW.received_ms, pg_backend_pid() FROM recorded.commits;
      RETURN NEW;
    END $$;
    CREATE TRIGGER recorded AFTER UPDATE OF done ON batches FOR EACH ROW WHEN (OLD.done = 0 AND NEW.done = 1) EXECUTE FUNCTION recorded.add()`)
}

/** What was committed of these sources, in order. */
export async function commitsOf(servers: Servers, sources: readonly string[]): Promise<Commit[]> {
  const rows = await servers.ask('SELECT source_id, extent, received_ms, session FROM recorded.commits ORDER BY n')
  const commits = rows.map((row) => ({
    sourceId: String(row['source_id']),
    extent: JSON.parse(String(row['extent'])) as Extent,
    receivedMs: Number(row['received_ms']),
    session: Number(row['session']),
  }))
  return commits.filter(({ sourceId }) => sources.includes(sourceId))
}

/** The offset up to which a source was committed, if its extents follow each other without a gap or an overlap; otherwise why not. */
export function reachOf(commits: readonly Commit[], sourceId: string): number | string {
  let reach = 0
  for (const { extent } of commits.filter((commit) => commit.sourceId === sourceId)) {
    const { kind, from, to, lost } = extent as Extent & { from: number; to: number; lost?: string }
    // Bodies are counted from 1, and the last one is included.
    const begin = kind === 'spool' ? from - 1 : from
    if (begin !== reach || to <= begin || lost !== undefined) return `${JSON.stringify(extent)} follows ${reach}`
    reach = to
  }
  return reach
}
