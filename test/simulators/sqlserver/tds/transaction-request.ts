/** Requests of the transaction manager: what drivers send instead of BEGIN TRANSACTION and COMMIT. */
import type { IsolationLevel } from '../contract.ts';
import type { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';

const Operation = { begin: 5, commit: 7, rollback: 8, save: 9 } as const;
const BEGIN_ANOTHER = 0x01;

const LEVELS: ReadonlyMap<number, IsolationLevel> = new Map([
  [1, 'read uncommitted'],
  [2, 'read committed'],
  [3, 'repeatable read'],
  [4, 'serializable'],
  [5, 'snapshot'],
]);

/** How a transaction begins. */
export type Beginning = { readonly isolation: IsolationLevel | undefined; readonly name: string };

export type TransactionRequest =
  | ({ readonly kind: 'begin' } & Beginning)
  | { readonly kind: 'commit'; readonly next: Beginning | undefined }
  | { readonly kind: 'rollback'; readonly name: string; readonly next: Beginning | undefined }
  | { readonly kind: 'save'; readonly name: string };

export function readTransactionRequest(reader: ByteReader): TransactionRequest {
  const operation = reader.u16();
  switch (operation) {
    case Operation.begin:
      return { kind: 'begin', ...readBeginning(reader) };
    case Operation.commit:
      readName(reader);
      return { kind: 'commit', next: readNext(reader) };
    case Operation.rollback:
      return { kind: 'rollback', name: readName(reader), next: readNext(reader) };
    case Operation.save:
      return { kind: 'save', name: readName(reader) };
    default:
      throw new ProtocolError(`the simulator has no transaction request ${operation}`);
  }
}

function readBeginning(reader: ByteReader): Beginning {
  const level = reader.u8();
  const isolation = LEVELS.get(level);
  if (level !== 0 && isolation === undefined) throw new ProtocolError(`there is no isolation level ${level}`);
  return { isolation, name: readName(reader) };
}

function readNext(reader: ByteReader): Beginning | undefined {
  if (reader.left === 0) return undefined;
  return (reader.u8() & BEGIN_ANOTHER) === 0 ? undefined : readBeginning(reader);
}

function readName(reader: ByteReader): string {
  return reader.text(reader.u8() / 2);
}
