/**
 * Which database a feed comes from, and which line of its history. Versions mean something only along one such line: a
 * database that was restored, copied or made anew counts on from where its backup stood, and gives other changes the
 * numbers that we have read.
 *
 * Noticed are: another database of the name (its id and the time it was made, unless both belong to one availability
 * group); an earlier state, from before the feed was opened last (the name of the line, which is new with each opening);
 * an earlier state that has not yet counted past what was read; and, while the process lives, any earlier state than the
 * one that it has confirmed last.
 *
 * Not to be noticed is a state that was saved since the last opening and restored while no connector ran, once enough was
 * changed in it that its counter has passed the version that was read: the database shows nothing of the commits behind
 * its versions to a login without VIEW DATABASE STATE. `isthmus verify` finds what it changed.
 */
import { z } from 'zod';
import type { FeedKnown } from '../../../src/connector/dialect.ts';
import type { Session } from '../session.ts';
import { moved, setBack } from './feed-errors.ts';
import type { FeedRecord } from './feed-record.ts';
import { versionOf } from './version.ts';

/** By name, since DB_ID() is another number than that of sys.databases in Azure SQL Database. */
export const DATABASE_IDENTITY =
  'SELECT CONVERT(varchar(20), d.[database_id]), CONVERT(varchar(30), d.[create_date], 126), ' +
  'CONVERT(varchar(36), d.[group_database_id]), d.[name] FROM sys.databases AS d WHERE d.[name] = DB_NAME();';

const sourceSchema = z.object({
  /** Unique among the databases that a server has at a time. */
  database: z.string(),
  /** When it was made, restored or renamed. */
  created: z.string(),
  /** Set when the database belongs to an availability group, on all of whose servers it is one and the same. */
  group: z.string().nullable(),
  /** Name of the line of history: see {@link FeedRecord}. */
  line: z.string(),
});

export type Source = z.infer<typeof sourceSchema>;
export type FoundDatabase = Omit<Source, 'line'> & { readonly name: string };

export async function databaseIdentity(session: Session): Promise<FoundDatabase> {
  const [row] = await session.query(DATABASE_IDENTITY);
  const [database, created, group, name] = row ?? [];
  return { database: database ?? '', created: created ?? '', group: group ?? null, name: name ?? '' };
}

export function sourceText({ database, created, group }: FoundDatabase, line: string): string {
  return JSON.stringify({ database, created, group, line } satisfies Source);
}

/** What the process itself has written into the record last, which only an earlier state lacks. */
export type OwnRecord = { readonly line: string; readonly position: bigint };

/**
 * Throws `SqlServerFeedLostError` when the database is not the one that `known` comes from, or an earlier state of it.
 * `current` is the version it stands at.
 */
export function requireSame(
  found: FoundDatabase,
  record: FeedRecord | undefined,
  current: bigint,
  known: FeedKnown,
  own: OwnRecord | undefined,
): void {
  const before = rememberedSource(known);
  if (before !== undefined) {
    const sameGroup = before.group !== null && before.group === found.group;
    if (!sameGroup && (before.database !== found.database || before.created !== found.created))
      throw moved(
        `the database ${found.name} is not the one that was followed: it was made, restored or renamed at ${found.created} (with id ${found.database}), and the one that was followed at ${before.created} (with id ${before.database})`,
      );
    if (record !== undefined && record.line !== before.line && record.previousLine !== before.line)
      throw moved(
        `the database ${found.name} does not hold what was followed: the feed was opened since by a connector with another localPath, or an earlier state of the database was restored`,
      );
  }
  if (known.position !== undefined && current < versionOf(known.position))
    throw setBack(found.name, current, versionOf(known.position));
  if (own !== undefined && record !== undefined && record.line === own.line && record.position < own.position)
    throw setBack(found.name, record.position, own.position);
}

/** The name of the line that the replicas remember. */
export function lineOf(known: FeedKnown): string | undefined {
  return rememberedSource(known)?.line;
}

function rememberedSource({ source }: FeedKnown): Source | undefined {
  if (source === undefined) return undefined;
  const parsed = sourceSchema.safeParse(JSON.parse(source));
  if (parsed.success) return parsed.data;
  throw moved('the replicas in localPath were filled from a database of another kind');
}
