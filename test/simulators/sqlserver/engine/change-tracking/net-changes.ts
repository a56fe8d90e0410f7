/** What CHANGETABLE(CHANGES t, v) shows: one row for each key that changed after v (sql-server.md facts 4 to 17). */
import type { Datum } from '../../contract.ts';
import type { Operation, TableTracking, TrackedChange } from './table-tracking.ts';

/** How the simulator answers where nothing proves what SQL Server does (the open questions of sql-server.md). */
export type UnprovedBehaviour = {
  /** Q2: a key deleted and inserted again is shown as an update, or as an insert. */
  reinsertedAs: 'U' | 'I';
  /** Q3: of several writers' contexts a net row shows the last one's, or the first one's. */
  contextOf: 'last' | 'first';
  /** Q8: the mask of several updates holds all their columns, or only the last one's. */
  maskOf: 'all' | 'last';
  /** Q4: a rolled-back transaction that changed tracked tables uses up a version. */
  gapsAfterRollback: boolean;
  /** Q1: how far above the current version a truncated table's validity begins. */
  truncateRaisesBy: 0 | 1;
};

export function defaultBehaviour(): UnprovedBehaviour {
  return {
    reinsertedAs: 'U',
    contextOf: 'last',
    maskOf: 'all',
    gapsAfterRollback: false,
    truncateRaisesBy: 0,
  };
}

export type NetChange = {
  readonly version: number;
  readonly creationVersion: number | null;
  readonly operation: Operation;
  readonly columns: Uint8Array | null;
  readonly context: Uint8Array | null;
  readonly key: readonly Datum[];
};

/** Changes of versions above `since` and up to `until`. `since` null: everything that is stored. */
export function netChanges(
  tracking: TableTracking,
  since: number | null,
  until: number,
  behaviour: UnprovedBehaviour,
): NetChange[] {
  const net: NetChange[] = [];
  for (const { key, changes } of tracking.keys.values()) {
    const known = changes.filter((change) => change.version <= until);
    const after = since === null ? known : known.filter((change) => change.version > since);
    const last = after.at(-1);
    if (!last) continue;
    const created = known.findLast((change) => change.operation === 'I');
    const operation = netOperation(after, last, behaviour);
    const context = behaviour.contextOf === 'last' ? last.context : (after[0]?.context ?? null);
    net.push({
      version: last.version,
      creationVersion: created && operation !== 'D' ? created.version : null,
      operation,
      columns: operation === 'U' ? mask(tracking, after, behaviour) : null,
      context,
      key,
    });
  }
  return net;
}

function netOperation(
  after: readonly TrackedChange[],
  last: TrackedChange,
  behaviour: UnprovedBehaviour,
): Operation {
  if (last.operation === 'D') return 'D';
  if (after[0]?.operation === 'I') return 'I';
  return after.some((change) => change.operation === 'D') ? behaviour.reinsertedAs : 'U';
}

function mask(
  tracking: TableTracking,
  after: readonly TrackedChange[],
  behaviour: UnprovedBehaviour,
): Uint8Array | null {
  if (!tracking.columnsTracked) return null;
  const union = new Set<number>();
  for (const change of behaviour.maskOf === 'last' ? after.slice(-1) : after) {
    if (change.operation !== 'U' || !change.columns) return null;
    for (const id of change.columns) union.add(id);
  }
  return encodeMask(union);
}

/** An opaque value for readers; CHANGE_TRACKING_IS_COLUMN_IN_MASK understands it. */
export function encodeMask(columns: ReadonlySet<number>): Uint8Array {
  const bytes = Buffer.alloc(4 + columns.size * 4);
  let at = 4;
  for (const id of [...columns].sort((a, b) => a - b)) at = bytes.writeUInt32LE(id, at);
  return bytes;
}

/** Whether the column is in the mask; undefined when it is no mask of ours (error 22101). */
export function isColumnInMask(mask: Uint8Array, column: number): boolean | undefined {
  if (mask.length < 4 || mask.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(mask.buffer, mask.byteOffset, mask.length);
  for (let at = 4; at < bytes.length; at += 4) if (bytes.readUInt32LE(at) === column) return true;
  return false;
}
