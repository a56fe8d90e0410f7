/**
 * The feed of the simulated database as change tracking would have it: polls that show every changed row once, as it is
 * at the poll, up to some version; checkpoints as the poll shows them, whichever versions it delivers.
 */
import {
  eventsOf,
  type FollowedLayout,
  type NetChange,
  regroup,
} from '../../connectors/sqlserver/feed/regroup.ts';
import type { Checkpoint, FeedChange, FeedEvent, FeedTable, SqlText } from '../../src/connector/dialect.ts';
import type { Random } from '../support/random.ts';

type Touch = { readonly version: number; readonly kind: FeedChange['kind'] };
type NetCommit = { readonly own: Checkpoint | undefined; readonly changes: readonly FeedChange[] };

/** What one poll delivers of `log`, whose commits have the versions 1, 2, …; everything up to `cursor` came before. */
export function netPoll(
  log: readonly NetCommit[],
  cursor: number,
  rowOf: (table: FeedTable, key: string) => readonly SqlText[] | undefined,
  random: Random,
): { readonly upTo: number; readonly events: readonly FeedEvent[] } {
  const upTo = cursor + 1 + random.below(log.length - cursor);
  const own = new Map<string, number>();
  const touches = new Map<FeedTable, Map<string, Touch[]>>();
  for (const [index, commit] of log.entries()) {
    if (commit.own !== undefined) own.set(commit.own.realmPath, commit.own.sequence);
    for (const change of commit.changes) addTouch(touches, change, index + 1);
  }
  const changes: NetChange[] = [];
  for (const [table, ofTable] of touches) {
    const layout: FollowedLayout = { table, keyPlaces: [0] };
    for (const [key, all] of ofTable) {
      const last = all.at(-1);
      if (last === undefined || last.version <= cursor) continue;
      const row = rowOf(table, key);
      const creation = all.findLast(({ kind }) => kind === 'insert')?.version;
      const before = all.findLast(({ version }) => version <= cursor);
      const existed = before !== undefined && before.kind !== 'delete';
      // A row that was deleted and inserted again is reported either way, as nobody says which.
      const again = creation !== undefined && creation > cursor && random.chance(0.5);
      changes.push({
        layout,
        operation: row === undefined ? 'D' : !existed || again ? 'I' : 'U',
        version: BigInt(last.version),
        creation: creation === undefined ? undefined : BigInt(creation),
        key: [key],
        row,
      });
    }
  }
  const transactions = regroup(changes, BigInt(upTo));
  if (transactions.length === 0) transactions.push({ version: BigInt(upTo), changes: [] });
  const told = [...own].map(
    ([realmPath, sequence]): FeedEvent => ({ kind: 'own', checkpoint: { realmPath, sequence } }),
  );
  const events = transactions.flatMap((transaction, place) => [
    ...eventsOf(transaction, place === 0 ? told : [], new Date(0)),
  ]);
  return { upTo, events };
}

function addTouch(touches: Map<FeedTable, Map<string, Touch[]>>, change: FeedChange, version: number): void {
  if (change.kind === 'truncate') throw new Error('the simulation truncates nothing');
  const key = String(change.kind === 'delete' ? change.old[0] : change.row[0]);
  const ofTable = touches.get(change.table) ?? new Map<string, Touch[]>();
  touches.set(change.table, ofTable);
  const ofKey = ofTable.get(key) ?? [];
  ofTable.set(key, ofKey);
  ofKey.push({ version, kind: change.kind });
}
