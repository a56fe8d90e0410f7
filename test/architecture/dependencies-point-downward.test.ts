/** DESIGN.md §2: dependencies point downward only. The table below is the rule; the imports must follow it. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** What each part may import besides itself. Files directly in `src` that everybody may import are below. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/schema': [],
  'src/changeset': ['src/schema'],
  'src/merge': ['src/changeset', 'src/schema'],
  'src/protocol': ['src/changeset', 'src/schema'],
  'src/store': ['src/changeset', 'src/merge', 'src/schema'],
  'src/query': ['src/schema', 'src/store'],
  'src/server': ['src/protocol', 'src/query', 'src/store', 'src/changeset', 'src/schema', 'src/config'],
  'src/client': ['src/protocol', 'src/query', 'src/store', 'src/changeset', 'src/schema'],
  'src/adapter': ['src/client', 'src/store', 'src/changeset', 'src/schema'],
  'src/connector': [
    'src/adapter',
    'src/client',
    'src/store',
    'src/changeset',
    'src/schema',
    'src/config',
    'src/logging',
  ],
  'src/config': ['src/schema'],
  'src/logging': ['src/config'],
  'src/embedded': [],
  'connectors/postgres': [
    'src/connector',
    'src/adapter',
    'src/client',
    'src/store',
    'src/schema',
    'src/config',
    'src/logging',
  ],
  'connectors/sqlserver': [
    'src/connector',
    'src/adapter',
    'src/client',
    'src/store',
    'src/schema',
    'src/config',
    'src/logging',
  ],
  models: [],
  'src/cli': [
    'connectors/postgres',
    'connectors/sqlserver',
    'src/connector',
    'src/server',
    'src/store',
    'src/client',
    'src/schema',
    'src/config',
    'src/logging',
    'src/embedded',
    'models',
  ],
};
const EVERYBODY = ['src/errors.ts', 'src/log.ts'];
/** The library's face: imports from every part, is imported by none. */
const FACES = ['src/index.ts'];

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s*'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'\s*\)|(?:^|\n)import\s+'(\.[^']+)'/g;

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name).replaceAll('\\', '/'));
}

function partOf(file: string): string {
  return Object.keys(MAY_IMPORT).find((part) => file.startsWith(`${part}/`)) ?? file;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? '';
    return relative(ROOT, resolve(ROOT, dirname(file), target)).replaceAll('\\', '/');
  });
}

const files = ['src', 'connectors', 'models'].flatMap(sources);

test('every source file belongs to a part of the design', () => {
  const known = [...Object.keys(MAY_IMPORT), ...EVERYBODY, ...FACES];
  expect(files.filter((file) => !known.includes(partOf(file)))).toEqual([]);
});

test('every import points downward', () => {
  const wrong = files
    .filter((file) => !FACES.includes(file))
    .flatMap((file) => {
      const part = partOf(file);
      const allowed = [part, ...(MAY_IMPORT[part] ?? []), ...EVERYBODY];
      return importsOf(file)
        .filter((target) => !allowed.includes(partOf(target)))
        .map((target) => `${file} imports ${target}`);
    });
  expect(wrong).toEqual([]);
});

test('no part depends on itself through others', () => {
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    (MAY_IMPORT[from] ?? []).some(
      (next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))),
    );
  expect(Object.keys(MAY_IMPORT).filter((part) => reaches(part, part))).toEqual([]);
});
