/**
 * A connection to a database that is nothing but a {@link NetHistory}: it answers the statements of the feed, from a
 * snapshot where one is open, and fails when it is told to.
 */
import { RECORD_STATEMENTS } from '../../../connectors/sqlserver/feed/feed-record.ts';
import type { FeedSession } from '../../../connectors/sqlserver/feed/feed-session.ts';
import { FollowedTable } from '../../../connectors/sqlserver/feed/followed-table.ts';
import { POLL_STATEMENTS } from '../../../connectors/sqlserver/feed/poll.ts';
import { type NetChange, placeOf } from '../../../connectors/sqlserver/feed/regroup.ts';
import { TRACKING_STATE } from '../../../connectors/sqlserver/feed/tracking-state.ts';
import type { SqlParameter } from '../../../connectors/sqlserver/parameters.ts';
import type { TextRow } from '../../../connectors/sqlserver/session.ts';
import type { Random } from '../../support/random.ts';
import { LAYOUTS, type NetHistory } from './net-history.ts';

const text = { type: 'nvarchar(20)', baseType: 'nvarchar', hasDefault: false, readOnly: false };

export const TABLES = LAYOUTS.map(
  ({ table: { table } }) =>
    new FollowedTable({
      table,
      columns: [
        { ...text, name: 'id', nullable: false },
        { ...text, name: 'value', nullable: true },
        { ...text, name: 'ref', nullable: true },
      ],
      primaryKey: ['id'],
      foreignKeys: [],
    }),
);

export type FakeDatabase = {
  readonly history: NetHistory;
  /** Sequence of our own transaction by version. */
  readonly own: Map<bigint, number>;
  /** Chance that a statement fails. */
  readonly faults: number;
  /** Somebody else commits between two statements. */
  readonly meanwhile: () => void;
  minValid: bigint;
  /** By place of the table, the beginning of its tracking; none while it is off. */
  readonly begin: (bigint | undefined)[];
};

export class FakeTrackingSession implements FeedSession {
  readonly broken = false;
  readonly #database: FakeDatabase;
  readonly #random: Random;
  #snapshot: bigint | undefined;
  transactions = 0;

  constructor(database: FakeDatabase, random: Random) {
    this.#database = database;
    this.#random = random;
  }

  async query(statement: string, parameters: readonly SqlParameter[] = []): Promise<readonly TextRow[]> {
    this.#statement();
    const { history, own } = this.#database;
    const value = (name: string): bigint =>
      BigInt(String(parameters.find((each) => each.name === name)?.value));
    switch (statement) {
      case TRACKING_STATE:
        return [undefined, ...TABLES].map((table, place) => {
          const begin = table === undefined ? 0n : this.#database.begin[place - 1];
          const { minValid } = this.#database;
          const valid = begin === undefined ? undefined : minValid > begin ? minValid : begin;
          return [
            String(place),
            String(history.version),
            String(100 + place),
            begin?.toString() ?? null,
            valid?.toString() ?? null,
          ];
        });
      case RECORD_STATEMENTS.confirm:
        return [['1']];
      case POLL_STATEMENTS.allCheckpoints:
      case POLL_STATEMENTS.changedCheckpoints: {
        const since = statement === POLL_STATEMENTS.allCheckpoints ? -1n : value('since');
        const shown = [...own].filter(([version]) => version > since && version <= this.#shown);
        const last = shown.at(-1);
        return last === undefined ? [] : [['/shop', String(last[1])]];
      }
      default:
        return TABLES.flatMap((table, place) => {
          if (!statement.includes(table.backlogText(place))) return [];
          const places = this.#changes(place, value(`since${place}`)).map(placeOf);
          const counted = places.sort((a, b) => (a < b ? -1 : 1)).slice(0, Number(value('limit')));
          const [first, last] = [counted[0], counted.at(-1)];
          return [
            [String(place), String(counted.length), first?.toString() ?? null, last?.toString() ?? null],
          ];
        });
    }
  }

  async *rows(
    statement: string,
    parameters: readonly SqlParameter[] = [],
  ): AsyncGenerator<readonly TextRow[]> {
    const place = TABLES.findIndex(({ changesText }) => changesText === statement);
    const [since, upTo] = parameters.map(({ value }) => BigInt(String(value)));
    for (const change of this.#changes(place, since ?? 0n)) {
      if (placeOf(change) > (upTo ?? 0n)) continue;
      this.#statement();
      const { operation, version, creation, key, row } = change;
      yield [
        [
          operation,
          String(version),
          creation?.toString() ?? null,
          null,
          ...key,
          ...(row ?? [null, null, null]),
        ],
      ];
    }
  }

  async execute(statement: string): Promise<{ rows: readonly TextRow[]; count: number }> {
    if (statement === RECORD_STATEMENTS.moveOn) this.#database.history.commit(0);
    return { rows: [], count: 1 };
  }

  async begin(): Promise<void> {
    this.#statement();
    this.#snapshot = this.#database.history.version;
    this.transactions += 1;
  }

  async commit(): Promise<void> {
    this.#snapshot = undefined;
  }

  async rollback(): Promise<void> {
    this.#snapshot = undefined;
  }

  async close(): Promise<void> {}

  get #shown(): bigint {
    return this.#snapshot ?? this.#database.history.version;
  }

  #changes(place: number, since: bigint): NetChange[] {
    return this.#database.history.netSince(since, this.#shown)[place] ?? [];
  }

  #statement(): void {
    this.#database.meanwhile();
    if (this.#random.next() >= this.#database.faults) return;
    throw Object.assign(new Error('Transaction was deadlocked'), { number: 1205 });
  }
}
