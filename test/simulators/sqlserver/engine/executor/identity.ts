/** IDENTITY columns: values made, and values given where that is allowed. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { Column } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import type { Run } from './environment.ts';

/** Whether the statement gives the values itself; 544, 545 and 8101 where the session's setting forbids or demands it. */
export function identityGiven(
  run: Run,
  table: Table,
  named: readonly Column[] | undefined,
  line: number,
): boolean {
  const column = table.identityColumn;
  if (!column) return false;
  const on = run.session.identityInsert === table;
  if (!named) {
    if (!on) return false;
    throw new SqlFailure(
      8101,
      `An explicit value for the identity column in table '${table.name}' can only be specified when a column list is used and IDENTITY_INSERT is ON.`,
      { line },
    );
  }
  const given = named.includes(column);
  if (given && !on) {
    throw new SqlFailure(
      544,
      `Cannot insert explicit value for identity column in table '${table.name}' when IDENTITY_INSERT is set to OFF.`,
      { line },
    );
  }
  if (!given && on) {
    throw new SqlFailure(
      545,
      `Explicit value must be specified for identity column in table '${table.name}' either when IDENTITY_INSERT is set to ON or when a replication user is inserting into a NOT FOR REPLICATION identity column.`,
      { line },
    );
  }
  return given;
}

/** The next value. It stays taken whatever becomes of the transaction. */
export function nextIdentity(run: Run, column: Column): Datum {
  const identity = column.identity!;
  const next = identity.last === undefined ? identity.seed : identity.last + identity.increment;
  const limit = { tinyint: 255n, smallint: 32767n, int: 2147483647n, bigint: 9223372036854775807n }[
    column.type.kind as 'int'
  ];
  if (limit !== undefined && next > limit) {
    throw new SqlFailure(
      8115,
      `Arithmetic overflow error converting IDENTITY to data type ${column.type.kind}.`,
    );
  }
  identity.last = next;
  remember(run, next);
  return column.type.kind === 'decimal' ? next * 10n ** BigInt(column.type.scale) : next;
}

/** A value that was given: the counter never stays behind it. */
export function noteIdentity(run: Run, column: Column, value: Datum): void {
  if (typeof value !== 'bigint') return;
  const identity = column.identity!;
  const plain = column.type.kind === 'decimal' ? value / 10n ** BigInt(column.type.scale) : value;
  const { last, increment } = identity;
  const ahead = last === undefined || (increment > 0n ? plain > last : plain < last);
  if (ahead) identity.last = plain;
  remember(run, plain);
}

function remember(run: Run, value: bigint): void {
  run.session.scopeIdentity = value;
  run.session.lastIdentity = value;
}
