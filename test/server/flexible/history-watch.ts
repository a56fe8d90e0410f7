/**
 * Looks at every entry of the history as it is made: what a user had no right to do must not be in it. Knows nothing of
 * how the server judges.
 */
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { keyToken } from '../../../src/schema/value.ts';
import { type ClassAccess, covers } from '../../../src/server/rules/contract.ts';
import type { ServerRealm } from '../../../src/store/server/contract.ts';
import type { DecodedEntry } from '../../../src/store/server/snapshot-contract.ts';
import { instructionText } from './trace.ts';

/** The rights that the user of a client file has now; undefined for files that may everything. */
export type AccessOf = (fileIdent: number, table: string) => ClassAccess | undefined;

export class HistoryWatch {
  /** Objects that users have changed. */
  changes = 0;
  readonly #realm: ServerRealm;
  readonly #accessOf: AccessOf;
  #seen: number;

  constructor(realm: ServerRealm, accessOf: AccessOf) {
    this.#realm = realm;
    this.#accessOf = accessOf;
    this.#seen = realm.head.version;
  }

  /** In the step in which the realm has advanced. Throws when it finds something. */
  look(): void {
    const { now, head } = this.#realm;
    if (head.version === this.#seen) return;
    for (const entry of now.window(this.#seen).entries()) {
      for (const instruction of entry.instructions) this.#checkRight(entry, instruction);
      if (entry.version === head.version) this.#checkStates(entry);
    }
    this.#seen = head.version;
  }

  #checkRight({ origin, version }: DecodedEntry, instruction: Instruction): void {
    const access = this.#accessOf(origin, instruction.table);
    if (access === undefined || !('key' in instruction)) return;
    const kind = this.#realm.schema.get(instruction.table)?.kind;
    const mayWrite = kind === 'asymmetric' ? access.mayInsert : access.write !== 'none';
    const mayErase = instruction.op !== 'EraseObject' || access.mayDelete;
    const isDefault = instruction.op === 'Update' && instruction.isDefault === true;
    const mayField = !('field' in instruction) || isDefault || access.mayWriteField(instruction.field);
    if (mayWrite && mayErase && mayField) return;
    throw new Error(`version ${version} of file ${origin} has ${instructionText(instruction)}`);
  }

  /** Of the newest entry both states are at hand. */
  #checkStates({ origin, version, instructions }: DecodedEntry): void {
    const { now } = this.#realm;
    const { before } = now.window(version - 1);
    const looked = new Set<string>();
    for (const instruction of instructions) {
      if (!('key' in instruction)) continue;
      const { table, key } = instruction;
      const access = this.#accessOf(origin, table);
      const name = `${table} ${keyToken(key)}`;
      if (access === undefined || looked.has(name) || now.schema.get(table)?.kind !== 'topLevel') continue;
      looked.add(name);
      this.changes += 1;
      const [was, is] = [before.object(table, key), now.object(table, key)];
      const had = was === undefined || covers(access.write, { key, state: was }, before);
      const has = is === undefined || covers(access.write, { key, state: is }, now);
      const created = was !== undefined || is === undefined || access.mayInsert;
      if (!had || !has || !created) {
        throw new Error(`version ${version} of file ${origin} writes ${name} without the right to`);
      }
    }
  }
}
