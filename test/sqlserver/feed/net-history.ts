/** A history of commits over tables that refer to each other, and what change tracking says of it: the model for tests. */
import type { FollowedLayout, NetChange } from '../../../connectors/sqlserver/feed/regroup.ts';
import type { FeedChange, SqlText } from '../../../src/connector/dialect.ts';
import type { Random } from '../../support/random.ts';

/** `id`, a value, and the `id` of a row of the table before, or nothing. */
export const LAYOUTS: readonly FollowedLayout[] = ['parent', 'child', 'grandchild'].map((name) => ({
  table: { table: { schema: 'dbo', name }, columns: ['id', 'value', 'ref'] },
  keyPlaces: [0],
}));

const KEYS = 6;

export type Row = { readonly value: string; readonly ref: string | null };
/** By table and key: `1/4`. */
export type State = Map<string, Row>;
type Touch = { readonly version: bigint; readonly kind: 'I' | 'U' | 'D' };

export class NetHistory {
  readonly #random: Random;
  readonly state: State = new Map();
  readonly #states: State[] = [new Map()];
  readonly #touches = new Map<string, Touch[]>();
  #version = 0n;
  #values = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get version(): bigint {
    return this.#version;
  }

  at(version: bigint): State {
    return new Map(this.#states[Number(version)]);
  }

  /** A transaction of some statements; none of them breaks a reference. */
  commit(statements = 1 + this.#random.below(4)): void {
    const before = new Map(this.state);
    for (let i = 0; i < statements; i += 1) this.#statement();
    this.#version += 1n;
    for (const name of new Set([...before.keys(), ...this.state.keys()])) {
      const [was, is] = [before.get(name), this.state.get(name)];
      if (was === is) continue;
      const kind = is === undefined ? 'D' : was === undefined || this.#remade.has(name) ? 'I' : 'U';
      const touches = this.#touches.get(name) ?? [];
      this.#touches.set(name, touches);
      touches.push({ version: this.#version, kind });
    }
    this.#remade.clear();
    this.#states.push(new Map(this.state));
  }

  /** Rows that were deleted and inserted again by the transaction under way. */
  readonly #remade = new Set<string>();

  /** What `CHANGETABLE(CHANGES …)` joined to its table yields, per table. */
  netSince(since: bigint, until: bigint = this.#version): NetChange[][] {
    const perTable: NetChange[][] = LAYOUTS.map(() => []);
    const shown = this.at(until);
    for (const [name, all] of this.#touches) {
      const touches = all.filter(({ version }) => version <= until);
      const last = touches.at(-1);
      if (last === undefined || last.version <= since) continue;
      const [place, key = ''] = name.split('/');
      const row = shown.get(name);
      const creation = touches.findLast(({ kind }) => kind === 'I')?.version;
      const existed = this.#states[Number(since)]?.has(name) ?? false;
      perTable[Number(place)]?.push({
        layout: LAYOUTS[Number(place)]!,
        operation: row === undefined ? 'D' : !existed ? 'I' : 'U',
        version: last.version,
        creation,
        key: [key],
        row: row === undefined ? undefined : [key, row.value, row.ref],
      });
    }
    return perTable;
  }

  #statement(): void {
    const place = this.#random.below(LAYOUTS.length);
    const key = String(this.#random.below(KEYS));
    const name = `${place}/${key}`;
    const isReferred = [...this.state].some(
      ([other, { ref }]) => other.startsWith(`${place + 1}/`) && ref === key,
    );
    if (this.state.has(name) && this.#random.chance(0.35)) {
      if (isReferred) return;
      this.state.delete(name);
      return;
    }
    const parents = [...this.state.keys()].filter((other) => other.startsWith(`${place - 1}/`));
    const ref =
      parents.length === 0 || this.#random.chance(0.2)
        ? null
        : (this.#random.pick(parents).split('/')[1] ?? null);
    if (!this.state.has(name)) this.#remade.add(name);
    this.#values += 1;
    this.state.set(name, { value: `v${this.#values}`, ref });
  }
}

/** Does to `state` what the feed says. */
export function applyTo(state: State, change: FeedChange): void {
  if (change.kind === 'truncate') return;
  const place = LAYOUTS.findIndex(({ table }) => table === change.table);
  const text = (value: unknown): SqlText => (typeof value === 'string' ? value : null);
  if (change.kind === 'delete') {
    state.delete(`${place}/${text(change.old[0])}`);
    return;
  }
  const [key, value, ref] = change.row.map(text);
  state.set(`${place}/${key}`, { value: value ?? '', ref: ref ?? null });
}

/** Rows that refer to rows that are not there. */
export function dangling(state: State): string[] {
  return [...state]
    .filter(([name, { ref }]) => ref !== null && !state.has(`${Number(name.split('/')[0]) - 1}/${ref}`))
    .map(([name]) => name);
}
