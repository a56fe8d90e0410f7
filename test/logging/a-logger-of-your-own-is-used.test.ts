/** `logger: winston.createLogger(...)`, as the reference has it, and `createFileLogger()` without arguments. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import winston from 'winston';
import { parsePostgresOptions } from '../../connectors/postgres/options.ts';
import { createFileLogger } from '../../src/logging/logger.ts';

test('a winston logger gets lines and fields, at its own level and in its own form, without secrets', () => {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = winston.createLogger({
    level: 'verbose',
    format: winston.format.json(),
    transports: [new winston.transports.Stream({ stream })],
  });
  const { engine } = parsePostgresOptions({
    realmConfig: { server: 'http://localhost:1', user: { username: 'u', password: 'p' } },
    realmRegex: '/r',
    schema: [],
    dbName: 'd',
    logger,
    logLevel: 'error',
  });
  engine.logger.verbose('SQL', { text: 'SELECT 1', password: 'geheim' });
  engine.logger.debug('too fine');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 'verbose', message: 'SQL', text: 'SELECT 1', password: '[secret]' },
  ]);
});

test('without arguments the file logger logs at level info to a file named after the time, in the current directory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isthmus-log-'));
  const before = process.cwd();
  process.chdir(directory);
  try {
    const logger = createFileLogger();
    logger.verbose('too fine');
    logger.info('hello');
    const content = (): string => {
      const [name] = readdirSync(directory);
      return name === undefined ? '' : readFileSync(join(directory, name), 'utf8');
    };
    await expect.poll(content, { timeout: 20_000 }).toMatch(/info\s+hello/);
    expect(content()).not.toContain('too fine');
    expect(readdirSync(directory)[0]).toMatch(/^realm-adapter-log-\d{4}-\d\d-\d\d-\d\d-\d\d\.txt$/);
  } finally {
    process.chdir(before);
    rmSync(directory, { recursive: true, force: true });
  }
});
