import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const CODE = /readonly code(?:: string)? = '([^']+)'/g;

test('docs/errors.md has every error code of the sources, and no other', () => {
  const inSources = ['src', 'connectors']
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
    )
    .flatMap((text) => [...text.matchAll(CODE)].map(([, code]) => code));
  const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code]) => code);
  expect([...new Set(documented)].sort()).toEqual([...new Set(inSources)].sort());
});
