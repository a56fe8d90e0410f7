/** Reads the marks of a store that another process may have open, without keeping it from anything. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openForReading } from '../sqlite/database.ts';
import { Marks } from './marks.ts';
import { DATABASE_FILE } from './open-replica-store.ts';

/** By name; empty when there is no store in the directory. */
export function readMarks(directory: string, prefix: string): Map<string, string> {
  const file = join(directory, DATABASE_FILE);
  if (!existsSync(file)) return new Map();
  const database = openForReading(file);
  try {
    return new Marks(database).startingWith(prefix);
  } finally {
    database.close();
  }
}
