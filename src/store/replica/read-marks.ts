/** Reads the marks of a store that another process may have open, without keeping it from anything. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { openForReading } from '../sqlite/database.ts';
import { Marks } from './marks.ts';
import { DATABASE_FILE } from './open-replica-store.ts';

/** By name; empty when there is no store in the directory. */
export function readMarks(directory: string, prefix: string): Map<string, string> {
  const file = join(directory, DATABASE_FILE);
  if (!existsSync(file)) return new Map();
  const database = existsSync(`${file}-wal`) ? openForReading(file) : openAtRest(file);
  try {
    return new Marks(database).startingWith(prefix);
  } finally {
    database.close();
  }
}

/** Nobody has it open: without this, reading would leave an empty log beside it. */
function openAtRest(file: string): DatabaseSync {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true });
}
