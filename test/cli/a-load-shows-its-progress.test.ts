import { expect, test } from 'vitest';
import {
  advanced,
  renderBars,
  renderLine,
  renderReport,
  type TableProgress,
} from '../../src/cli/progress.ts';
import { createProgressDisplay } from '../../src/cli/progress-display.ts';
import type { LoadProgress } from '../../src/connector/load/run-load.ts';
import { silentLogger } from '../../src/log.ts';

const track: TableProgress = {
  table: 'track',
  state: 'running',
  estimatedRows: 4_000,
  rowsRead: 1_000,
  startedAt: 10_000,
  changedAt: 10_500,
};
const genre: TableProgress = {
  ...track,
  table: 'genre',
  state: 'done',
  rowsRead: 25,
  estimatedRows: 25,
  changedAt: 10_050,
};

test('a running table shows its share, its rows a second and the time that is left', () => {
  const [line] = renderBars([track], 10_500, 120);
  expect(line).toContain('1,000 of 4,000 rows');
  expect(line).toContain('2,000 rows/s');
  expect(line).toContain('ETA 0:02');
  expect(line?.match(/█/g)).toHaveLength(7);
  expect(line?.match(/░/g)?.length).toBe(22);
});

test('a table that is done shows a full bar and what it took', () => {
  const [line] = renderBars([genre], 20_000, 120);
  expect(line).not.toContain('░');
  expect(line).toContain('500 rows/s');
  expect(line).not.toContain('ETA');
});

test('bars stand in one column and never exceed the width of the terminal', () => {
  for (const width of [20, 60, 80, 200]) {
    const lines = renderBars([track, { ...genre, table: 'playlist_track' }], 10_500, width);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    if (width >= 80) expect(new Set(lines.map((line) => line.indexOf('█'))).size).toBe(1);
  }
});

test('a table larger than estimated never shows more than the whole', () => {
  const [line] = renderBars([{ ...track, rowsRead: 5_000 }], 10_500, 120);
  expect(line).toContain('5,000 of 5,000 rows');
  expect(line).toContain('ETA 0:00');
});

test('a table without estimate and without time shows rows only', () => {
  const unknown = { ...track, estimatedRows: 0, rowsRead: 0, changedAt: 10_000 };
  expect(renderLine(unknown, 10_000)).toBe('loading track: 0 rows 0 rows/s');
});

test('the closing table has every table and the sums', () => {
  const lines = renderReport({
    tables: [
      { table: 'artist', rowsRead: 275, objectsWritten: 275, seconds: 0.01 },
      { table: 'track', rowsRead: 3_503, objectsWritten: 3, seconds: 0.25 },
    ],
    rowsLeftOut: 0,
    uploaded: true,
    seconds: 0.4,
  });
  expect(lines).toEqual([
    'table   rows read  objects written  seconds',
    '──────  ─────────  ───────────────  ───────',
    'artist        275              275     0.01',
    'track       3,503                3     0.25',
    '──────  ─────────  ───────────────  ───────',
    'total       3,778              278     0.40',
  ]);
});

const events: LoadProgress[] = [
  { kind: 'table', table: 'artist', estimatedRows: 275 },
  { kind: 'rows', table: 'artist', rows: 100 },
  { kind: 'tableDone', table: 'artist', rowsRead: 275, objectsWritten: 275, seconds: 1 },
  { kind: 'uploading' },
];

test('events add up to the progress of a table', () => {
  const tables = new Map<string, TableProgress>();
  for (const [at, event] of events.entries()) {
    const progress = advanced(tables, event, at * 1000);
    if (progress !== undefined) tables.set(progress.table, progress);
  }
  expect(tables.get('artist')).toEqual({
    table: 'artist',
    state: 'done',
    estimatedRows: 275,
    rowsRead: 275,
    startedAt: 0,
    changedAt: 2000,
  });
});

test('on a terminal bars are redrawn in place and log lines appear above them', () => {
  const written: string[] = [];
  const screen = { isTTY: true, columns: 100, rows: 30, write: (text: string) => written.push(text) };
  let now = 0;
  const display = createProgressDisplay(screen, silentLogger, () => now);
  const logged: string[] = [];
  const logger = display.above({
    ...silentLogger,
    warn: (message) => void logged.push(`${message} after ${written.length}`),
  });
  for (const event of events.slice(0, 3)) {
    now += 1_000;
    display.update(event);
  }
  const before = written.length;
  logger.warn('careful');
  expect(logged).toEqual([`careful after ${before + 1}`]);
  expect(written[before]).toBe('\u001b[1A\r\u001b[0J');
  expect(written.at(-1)).toContain('artist');
});

test('elsewhere plain lines tell the same, without control characters', () => {
  const written: string[] = [];
  const logged: string[] = [];
  const logger = { ...silentLogger, info: (message: string) => void logged.push(message) };
  let now = 0;
  const display = createProgressDisplay({ write: (text) => written.push(text) }, logger, () => now);
  for (const event of events) {
    now += 1_000;
    display.update(event);
  }
  display.finish({ tables: [], rowsLeftOut: 0, uploaded: true, seconds: 3 });
  expect(logged).toEqual([
    'loaded artist: 275 rows 138 rows/s 2.0 s',
    'Waiting until the server holds everything',
  ]);
  expect([...logged, ...written].join('')).not.toContain('\u001b');
});
