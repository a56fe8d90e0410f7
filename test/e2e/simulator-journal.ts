/** What the journal of SQL Server's simulator tells of the adapter's checkpoints: each commit is a line of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  CommitRecord,
  JournalRecord,
  TableRecord,
} from '../simulators/sqlserver/engine/journal/records.ts';
import { decodeDatum } from '../simulators/sqlserver/engine/journal/values.ts';

export type Checkpoint = { readonly realm: string; readonly sequence: number };

/** What the commits since the server's start have written to `isthmus.checkpoint`, in their order. */
export function checkpointsIn(directory: string): readonly Checkpoint[] {
  const found: Checkpoint[] = [];
  let checkpoint: TableRecord | undefined;
  const lines = readFileSync(join(directory, 'journal.jsonl'), 'utf8').split('\n');
  // What stands after the last line break was not committed, or is only being written.
  for (const line of lines.slice(0, -1)) {
    const records: readonly JournalRecord[] = JSON.parse(line);
    for (const record of records) {
      if (record.k === 'table' && record.schema === 'isthmus' && record.name === 'checkpoint') {
        checkpoint = record;
      } else if (record.k === 'commit' && checkpoint !== undefined) {
        found.push(...checkpointsOf(record, checkpoint));
      }
    }
  }
  return found;
}

function checkpointsOf(
  { changes }: CommitRecord,
  { id, database, columns }: TableRecord,
): readonly Checkpoint[] {
  const own = changes.filter((change) => change[0] === database && change[1] === id);
  return own.map(([, , , row]) => {
    const value = (column: string): string => {
      const slot = columns.find(({ name }) => name === column)?.slot;
      const datum = slot === undefined ? undefined : row?.[slot];
      if (datum === undefined) throw new Error('a checkpoint was deleted');
      return String(decodeDatum(datum));
    };
    return { realm: value('realm'), sequence: Number(value('sequence')) };
  });
}
