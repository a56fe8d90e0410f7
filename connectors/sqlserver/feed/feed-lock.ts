/**
 * Two connectors must not read one feed: a lock of the session that reads it, which the server lets go of when the
 * connection ends. Who holds it is told by the feed's record.
 */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../src/log.ts';
import { shortText } from '../parameters.ts';
import { feedHeld } from './feed-errors.ts';
import { type FeedRecord, readRecord } from './feed-record.ts';
import type { FeedSession } from './feed-session.ts';

/** Names of locks have at most 255 characters, those of adapters 128. */
const PREFIX = 'isthmus feed ';
const RETRY_MILLISECONDS = 200;
const NOTICE_MILLISECONDS = 5_000;
/** The server takes about a minute to find out that a client is gone whose machine says nothing any more. */
export const DEFAULT_WAIT_MILLISECONDS = 75_000;

export const LOCK_STATEMENTS = {
  /** 0 and 1 when the lock was got. */
  get: "DECLARE @result int; EXEC @result = sp_getapplock @Resource = @resource, @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 0, @DbPrincipal = N'public'; SELECT CONVERT(varchar(10), @result);",
  release: "EXEC sp_releaseapplock @Resource = @resource, @LockOwner = N'Session', @DbPrincipal = N'public';",
  /** 0 when somebody else holds it. */
  test: "SELECT CONVERT(varchar(10), APPLOCK_TEST(N'public', @resource, N'Exclusive', N'Session'));",
} as const;

export async function isHeld(session: FeedSession, adapter: string): Promise<boolean> {
  const [row] = await session.query(LOCK_STATEMENTS.test, [shortText('resource', PREFIX + adapter)]);
  return row?.[0] === '0';
}

/**
 * Takes the lock for as long as the session lives. Waits for another connection that may have died unnoticed, and throws
 * `SqlServerFeedHeldError` after that.
 */
export async function takeLock(
  session: FeedSession,
  adapter: string,
  options: { readonly waitMilliseconds?: number | undefined; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { waitMilliseconds = DEFAULT_WAIT_MILLISECONDS, logger } = options;
  const since = Date.now();
  let noticed = since;
  for (;;) {
    const [row] = await session.query(LOCK_STATEMENTS.get, [shortText('resource', PREFIX + adapter)], {
      signal,
    });
    if (Number(row?.[0] ?? -1) >= 0) return;
    const waited = Date.now() - since;
    const holder = (): Promise<string> => readRecord(session, adapter).then(holderText);
    if (waited >= waitMilliseconds) throw feedHeld(adapter, await holder(), Math.round(waited / 1000));
    if (Date.now() - noticed >= NOTICE_MILLISECONDS) {
      noticed = Date.now();
      logger.warn('Waiting for the change feed, which another connection holds', {
        adapter,
        holder: await holder(),
        secondsLeft: Math.round((waitMilliseconds - waited) / 1000),
      });
    }
    await delay(RETRY_MILLISECONDS, undefined, { signal });
  }
}

/** Lets go before the connection ends, which the server may notice late. */
export async function releaseLock(session: FeedSession, adapter: string): Promise<void> {
  await session.execute(LOCK_STATEMENTS.release, [shortText('resource', PREFIX + adapter)]);
}

/** This process, as the record names it. */
export function thisHolder(): string {
  return `process ${process.pid} on ${hostname()}`;
}

export function holderText(record: FeedRecord | undefined): string {
  if (record?.holder === undefined) return 'a connection that says nothing of itself';
  return record.heldSince === undefined ? record.holder : `${record.holder} (since ${record.heldSince}Z)`;
}
