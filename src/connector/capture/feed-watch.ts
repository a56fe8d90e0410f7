/**
 * Watches how the change feed fares on the database's side: what it finds is logged when it begins, when it gets
 * worse, now and then while it lasts, and when it is well again. A lag that goes on growing although the feed streams is
 * an error of its own: nothing then stops it before the database does.
 */
import type { Logger } from '../../log.ts';
import type { FeedHealth } from '../dialect.ts';
import { type Finding, type FindingLevel, problem } from '../finding.ts';

export const DEFAULT_CHECK_MILLISECONDS = 60_000;
/** A finding that lasts is told again after this many checks: every quarter of an hour by default. */
const REMIND_AFTER_CHECKS = 15;
/** Kept log that has grown at this many checks in a row, by at least that much, is growing without end. */
const GROWING_CHECKS = 5;
const GROWING_BYTES = 64 * 1_048_576;
const GROWTH = 'feed/lag-grows';
const WEIGHT: Readonly<Record<FindingLevel, number>> = { ok: 0, warning: 1, error: 2 };

export type FeedWatchOptions = {
  readonly health: () => Promise<FeedHealth>;
  /** True while events are read; a feed that is not connected is told of elsewhere. */
  readonly isStreaming: () => boolean;
  /** 0 never looks. */
  readonly intervalMilliseconds: number;
  readonly logger: Logger;
};

type Told = { readonly finding: Finding; readonly checksAgo: number };

export class FeedWatch {
  readonly #options: FeedWatchOptions;
  readonly #told = new Map<string, Told>();
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;
  #closed = false;
  /** Kept bytes at the last checks during which they only grew, oldest first. */
  #growth: number[] = [];
  #health: FeedHealth | undefined;

  constructor(options: FeedWatchOptions) {
    this.#options = options;
  }

  /** What the last check found. */
  get health(): FeedHealth | undefined {
    return this.#health;
  }

  start(): void {
    const { intervalMilliseconds } = this.#options;
    if (intervalMilliseconds === 0) return;
    this.#timer = setInterval(() => void this.check(), intervalMilliseconds);
    void this.check();
  }

  /** Resolves when a check under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#checking;
  }

  /** Looks once; a call during a check waits for that one. Never throws. */
  check(): Promise<void> {
    this.#checking ??= this.#look().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #look(): Promise<void> {
    try {
      const health = await this.#options.health();
      if (this.#closed) return;
      const growth = this.#growing(health.retainedBytes);
      const findings = growth === undefined ? health.findings : [...health.findings, growth];
      this.#health = { ...health, findings };
      this.#tell(findings);
    } catch (error) {
      // A database that cannot be reached is reported by whatever needs it.
      this.#options.logger.verbose('The change feed could not be looked at', {
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  #growing(retained: number | undefined): Finding | undefined {
    const last = this.#growth.at(-1);
    if (retained === undefined || !this.#options.isStreaming()) this.#growth = [];
    else if (last !== undefined && retained <= last) this.#growth = [retained];
    else this.#growth.push(retained);
    const first = this.#growth.at(-GROWING_CHECKS - 1);
    if (first === undefined || retained === undefined || retained - first < GROWING_BYTES) return undefined;
    this.#growth = this.#growth.slice(-GROWING_CHECKS - 1);
    const megabytes = Math.round((retained - first) / 1_048_576);
    return problem(
      GROWTH,
      `the log that the database keeps for the change feed has grown by ${megabytes} MB over the last ${GROWING_CHECKS} checks, although the feed streams`,
      'look in the log for a table that is stopped or a statement that is repeated, for an old open transaction in the database, and at the load of this machine',
    );
  }

  #tell(findings: readonly Finding[]): void {
    const bad = new Map(
      findings.filter(({ level }) => level !== 'ok').map((finding) => [finding.check, finding]),
    );
    for (const [check, { finding }] of this.#told) {
      if (bad.has(check)) continue;
      this.#told.delete(check);
      const now = findings.find((other) => other.check === check)?.message;
      this.#options.logger.info('The change feed is well again', {
        check,
        was: finding.message,
        ...(now === undefined ? {} : { now }),
      });
    }
    for (const [check, finding] of bad) {
      const before = this.#told.get(check);
      const worse = before === undefined || WEIGHT[finding.level] > WEIGHT[before.finding.level];
      const remind = before !== undefined && before.checksAgo + 1 >= REMIND_AFTER_CHECKS;
      this.#told.set(check, { finding, checksAgo: worse || remind ? 0 : (before?.checksAgo ?? 0) + 1 });
      if (!worse && !remind) continue;
      const { level, message, remedy } = finding;
      const fields = { check, ...(remedy === undefined ? {} : { remedy }) };
      if (level === 'error') this.#options.logger.error(message, fields);
      else this.#options.logger.warn(message, fields);
    }
  }
}
