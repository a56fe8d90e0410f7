/** Small changesets of a class `Item {_id: int, n: int}` for tests of the history. */
import { encodeChangeset } from '../../../src/changeset/codec.ts';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import type { Upload, UploadEntry } from '../../../src/store/server/contract.ts';

export const SCHEMA: readonly Instruction[] = [
  {
    op: 'AddTable',
    table: 'Item',
    kind: 'topLevel',
    primaryKey: { field: '_id', type: 'int', nullable: false },
  },
  {
    op: 'AddColumn',
    table: 'Item',
    field: 'n',
    column: { type: 'int', nullable: false, collection: 'single' },
  },
];

const keyOf = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;

export function createItem(id: number): Instruction {
  return { op: 'CreateObject', table: 'Item', key: keyOf(id) };
}

export function setItem(id: number, n: number): Instruction {
  const value = { type: 'int', value: BigInt(n) } as const;
  return { op: 'Update', table: 'Item', key: keyOf(id), field: 'n', path: [], value, isDefault: false };
}

export function entry(
  clientVersion: number,
  serverVersion: number,
  instructions: readonly Instruction[],
): UploadEntry {
  const changeset = encodeChangeset(instructions);
  return { clientVersion, serverVersion, timestamp: clientVersion, originFileIdent: 0, changeset };
}

/** An upload whose progress is that of its last entry. */
export function upload(...entries: UploadEntry[]): Upload {
  const { clientVersion = 0, serverVersion = 0 } = entries.at(-1) ?? {};
  return { entries, progress: { clientVersion, serverVersion }, lockedServerVersion: 0 };
}
