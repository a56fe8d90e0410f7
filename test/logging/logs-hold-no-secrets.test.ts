import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFileLogger, defaultLogFileName, LogLevels, toLogger } from '../../src/logging/logger.ts';

type Line = { readonly message: string; readonly fields: unknown };

function recorder(): { lines: Line[]; target: Parameters<typeof toLogger>[0] } {
  const lines: Line[] = [];
  const record = (message: string, fields?: unknown): void => void lines.push({ message, fields });
  return { lines, target: { error: record, warn: record, info: record } };
}

test.each([
  'postgres://isthmus:geheim@db:5432/music',
  'host=db password=geheim user=x',
  "password = 'geheim und mehr'",
  'Authorization: Bearer geheim.token',
])('a secret in the text %s is taken out', (text) => {
  const { lines, target } = recorder();
  toLogger(target).info(`connecting with ${text}`);
  expect(lines[0]?.message).not.toContain('geheim');
});

test('secrets are taken out of fields at any depth, and of errors', () => {
  const { lines, target } = recorder();
  toLogger(target).error('failed', {
    config: { user: 'u', password: 'geheim', pool: [{ refreshToken: 'geheim' }] },
    error: new Error('postgres://u:geheim@h/d', { cause: { admin_password: 'geheim' } }),
    rows: 5n,
  });
  expect(JSON.stringify(lines)).not.toContain('geheim');
  expect(lines[0]?.fields).toMatchObject({ config: { user: 'u' }, rows: '5' });
});

test('levels that a logger does not have go to the next coarser one', () => {
  const { lines, target } = recorder();
  toLogger(target).debug('fine');
  expect(lines).toEqual([{ message: 'fine', fields: undefined }]);
});

test('a file logger writes lines of its level and above', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'isthmus-log-'));
  try {
    const file = join(directory, 'adapter.txt');
    const logger = createFileLogger(LogLevels.VERBOSE, file);
    logger.debug('too fine');
    logger.verbose('SELECT 1', { rows: 1 });
    await expect
      .poll(() => readFile(file, 'utf8').catch(() => ''), { timeout: 20_000 })
      .toMatch(/verbose\s+SELECT 1 \{"rows":1\}/);
    expect(await readFile(file, 'utf8')).not.toContain('too fine');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('the default file is named as the reference says', () => {
  expect(defaultLogFileName(new Date(2026, 0, 2, 13, 4, 5))).toBe('realm-adapter-log-2026-01-02-04-05.txt');
});
