/**
 * Whether a running adapter has passed on what there was at a certain time. A difference that stands still says
 * nothing while the adapter works through changes of an hour ago.
 *
 * Towards the realms the change feed tells it: what it was confirmed to is in the adapter's replicas. Towards the
 * database the checkpoints tell it: they hold the newest version of each realm that was applied. They do not move for
 * versions that bring nothing to SQL, so a checkpoint that stands still is taken to have arrived, too.
 */
import type { Position, SourceDialect, SqlWriter } from '../dialect.ts';
import type { VerifiedRealms } from './verified-realms.ts';

type Look = {
  readonly newest: Position | undefined;
  readonly versions: ReadonlyMap<string, number>;
  /** When all of what there was had been passed on; `undefined` until then. */
  passedOnAt: number | undefined;
};

export class AdapterBacklog {
  readonly #dialect: SourceDialect;
  readonly #writer: SqlWriter;
  readonly #realms: VerifiedRealms;
  readonly #looks: Look[] = [];
  #checkpoints: ReadonlyMap<string, number> = new Map();

  constructor(dialect: SourceDialect, writer: SqlWriter, realms: VerifiedRealms) {
    this.#dialect = dialect;
    this.#writer = writer;
    this.#realms = realms;
  }

  /** Takes down how far both sides are, and what of earlier looks has been passed on. Returns the look's number. */
  async look(now: number): Promise<number> {
    const feed = await this.#dialect.feedStanding?.();
    const confirmed = feed?.held === true ? feed.confirmed : undefined;
    const before = this.#checkpoints;
    this.#checkpoints = await this.#writer.checkpoints();
    const moves = [...this.#checkpoints].some(([path, sequence]) => before.get(path) !== sequence);
    for (const look of this.#looks) {
      if (look.passedOnAt !== undefined) continue;
      const captured =
        confirmed === undefined ||
        look.newest === undefined ||
        this.#dialect.comparePositions(confirmed, look.newest) >= 0;
      if (captured && (!moves || this.#applied(look))) look.passedOnAt = now;
    }
    const versions = new Map(
      this.#realms.all().map(({ path, replica }) => [path, replica.download.serverVersion]),
    );
    const look: Look = { newest: feed?.newest, versions, passedOnAt: undefined };
    const nobodyRuns = feed !== undefined && !feed.held;
    if (nobodyRuns) look.passedOnAt = now;
    return this.#looks.push(look) - 1;
  }

  /** When the adapter had passed on what there was at a look; `undefined` while it has not. */
  passedOnAt(look: number): number | undefined {
    return this.#looks[look]?.passedOnAt;
  }

  #applied({ versions }: Look): boolean {
    return [...versions].every(([path, version]) => (this.#checkpoints.get(path) ?? version) >= version);
  }
}
