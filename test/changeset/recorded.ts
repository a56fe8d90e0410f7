/** The recorded traffic of real clients in test/vectors, as a test wants to walk it. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Instruction } from '../../src/changeset/instruction.ts';
import type { ClassDefinition, ColumnDefinition } from '../../src/schema/definition.ts';

const vectors = new URL('../vectors/', import.meta.url);

const recordedCase = z.object({
  name: z.string(),
  schema: z.array(z.record(z.string(), z.unknown())),
  transactions: z.array(z.object({ js: z.string() })).default([]),
  uploads: z.array(z.object({ clientVersion: z.number(), changeset: z.string() })).default([]),
});
export type RecordedCase = z.infer<typeof recordedCase>;

const recordedMerge = z.object({
  name: z.string().optional(),
  messages: z.array(
    z.object({
      kind: z.string(),
      entries: z.array(z.object({ changeset: z.string() })).default([]),
    }),
  ),
});
export type RecordedMerge = z.infer<typeof recordedMerge>;

export function recordedCases(): RecordedCase[] {
  return z.array(recordedCase).parse(JSON.parse(readFileSync(new URL('changesets.json', vectors), 'utf8')));
}

export function recordedMerges(file: 'designed' | 'random'): RecordedMerge[] {
  const text = gunzipSync(readFileSync(new URL(`merges/${file}.jsonl.gz`, vectors))).toString();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => recordedMerge.parse(JSON.parse(line)));
}

/** Follows the schema that a stream of instructions builds up. */
export class SchemaFollower {
  readonly schema = new Map<string, ClassDefinition & { readonly columns: Map<string, ColumnDefinition> }>();

  follow(instructions: readonly Instruction[]): void {
    for (const instruction of instructions) {
      if (instruction.op === 'AddTable' && !this.schema.has(instruction.table)) {
        const { table: name, kind, primaryKey } = instruction;
        this.schema.set(name, {
          name,
          kind,
          ...(primaryKey === undefined ? {} : { primaryKey }),
          columns: new Map(),
        });
      } else if (instruction.op === 'AddColumn') {
        this.schema.get(instruction.table)?.columns.set(instruction.field, instruction.column);
      }
    }
  }
}
