/**
 * What waits of one object to be written to its row: the names of what was changed, not the values. The values are
 * those that the realm holds when the time has come, so that however much happened meanwhile is written once.
 */
import { z } from 'zod';
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';

/** Sequence of the checkpoint that the part was written with; 0 while it waits. */
const sequence = z.number();
const heldSchema = z.object({
  /** Absent when the row is there and stays. */
  row: z.object({ operation: z.enum(['insert', 'replace', 'delete']), sequence }).optional(),
  properties: z.record(z.string(), sequence),
  lists: z.record(z.string(), sequence),
});

export type HeldRecord = z.infer<typeof heldSchema>;

export function emptyRecord(): HeldRecord {
  return { properties: {}, lists: {} };
}

export function parseRecord(text: string): HeldRecord {
  return heldSchema.parse(JSON.parse(text));
}

export function isEmpty({ row, properties, lists }: HeldRecord): boolean {
  return row === undefined && Object.keys(properties).length === 0 && Object.keys(lists).length === 0;
}

/** Adds what one instruction does to the object. */
export function addTo(record: HeldRecord, instruction: MergedInstruction): void {
  switch (instruction.type) {
    case 'INSERT': {
      const gone = record.row?.operation === 'delete' || record.row?.operation === 'replace';
      record.row = { operation: gone ? 'replace' : 'insert', sequence: 0 };
      for (const property of instruction.values.keys()) record.properties[property] = 0;
      break;
    }
    case 'SET':
      for (const property of instruction.values.keys()) record.properties[property] = 0;
      break;
    case 'DELETE':
      record.row = { operation: 'delete', sequence: 0 };
      record.properties = {};
      record.lists = {};
      break;
    case 'LIST_SET':
    case 'LIST_INSERT':
    case 'LIST_ERASE':
    case 'LIST_CLEAR':
      record.lists[instruction.property] = 0;
      break;
    default:
      break; // concerns no object
  }
}

/** Applies `change` to the sequence of every part; a part for which it returns `undefined` is dropped. */
export function mapSequences(record: HeldRecord, change: (sequence: number) => number | undefined): void {
  if (record.row !== undefined) {
    const changed = change(record.row.sequence);
    if (changed === undefined) delete record.row;
    else record.row.sequence = changed;
  }
  for (const parts of [record.properties, record.lists]) {
    for (const [name, before] of Object.entries(parts)) {
      const changed = change(before);
      if (changed === undefined) delete parts[name];
      else parts[name] = changed;
    }
  }
}
