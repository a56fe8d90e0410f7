/** What a statement gives back. */
import type { ResultColumn } from '../../contract.ts';
import type { Data } from './environment.ts';
import type { PlanColumn } from './query.ts';

export type StatementResult = {
  readonly command: 'select' | 'insert' | 'update' | 'delete' | 'merge' | 'other';
  readonly rowCount?: number;
  /** A result set: of SELECT, or of OUTPUT. */
  readonly columns?: readonly ResultColumn[];
  readonly rows?: readonly Data[];
};

export function resultColumns(columns: readonly PlanColumn[]): readonly ResultColumn[] {
  return columns.map(({ name, type, nullable, identity }) => ({
    name,
    type,
    nullable,
    ...(identity ? { identity } : {}),
  }));
}
