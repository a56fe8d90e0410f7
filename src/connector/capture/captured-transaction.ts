/** What a transaction of the database came to in one realm. */
import type { Instruction } from '../../changeset/instruction.ts';
import type { SyncedRealm } from '../realms.ts';

export type CapturedTransaction = {
  readonly realmPath: string;
  readonly instructions: number;
  readonly classes: readonly string[];
};

export function capturedIn(realm: SyncedRealm, instructions: readonly Instruction[]): CapturedTransaction {
  return {
    realmPath: realm.path,
    instructions: instructions.length,
    classes: [...new Set(instructions.map((instruction) => instruction.table))],
  };
}
