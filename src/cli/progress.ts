/**
 * How far a load is, as text: a bar for each table on a terminal, plain lines elsewhere, and the closing table. Pure;
 * `progress-display.ts` puts it on a screen.
 */
import type { LoadProgress, LoadReport } from '../connector/load/run-load.ts';

/** How far one table is, with its times in milliseconds of one clock. */
export type TableProgress = {
  readonly table: string;
  readonly state: 'running' | 'done';
  readonly estimatedRows: number;
  readonly rowsRead: number;
  readonly startedAt: number;
  readonly changedAt: number;
};

/** Bars wider than this tell nothing more. */
const WIDEST_BAR = 30;
const NARROWEST_BAR = 8;
const FULL = '█';
/** Eighths of a character, so that a short bar still moves. */
const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const THOUSANDS = new Intl.NumberFormat('en-US');

/** What a table's progress is after an event; `undefined` for events that concern no table. */
export function advanced(
  tables: ReadonlyMap<string, TableProgress>,
  event: LoadProgress,
  now: number,
): TableProgress | undefined {
  if (event.kind === 'uploading') return undefined;
  const before = tables.get(event.table) ?? {
    table: event.table,
    state: 'running' as const,
    estimatedRows: 0,
    rowsRead: 0,
    startedAt: now,
    changedAt: now,
  };
  switch (event.kind) {
    case 'table':
      return { ...before, estimatedRows: Math.max(0, event.estimatedRows), changedAt: now };
    case 'rows':
      return { ...before, rowsRead: event.rows, changedAt: now };
    case 'tableDone':
      return { ...before, rowsRead: event.rowsRead, state: 'done', changedAt: now };
  }
}

/** One line for each table, no wider than `width` columns. `now` is on the clock of the progress. */
export function renderBars(tables: readonly TableProgress[], now: number, width: number): string[] {
  const nameWidth = Math.max(0, ...tables.map(({ table }) => table.length));
  return tables.map((progress) => {
    const name = progress.table.padEnd(nameWidth);
    const facts = factsOf(progress, now);
    const room = Math.min(WIDEST_BAR, width - nameWidth - facts.length - 4);
    const line = room < NARROWEST_BAR ? `${name}  ${facts}` : `${name}  ${bar(progress, room)}  ${facts}`;
    return line.slice(0, width);
  });
}

/** What is done to the tables, in words. */
export type Verbs = { readonly running: string; readonly done: string };

const LOADING: Verbs = { running: 'loading', done: 'loaded' };

/** One line without a bar, for logs. */
export function renderLine(progress: TableProgress, now: number, verbs: Verbs = LOADING): string {
  const verb = verbs[progress.state];
  return `${verb} ${progress.table}: ${factsOf(progress, now).replace(/ +/g, ' ').trim()}`;
}

/** The table at the end: rows read, objects written and seconds of every table, and their sums. */
export function renderReport(report: LoadReport): string[] {
  const total = {
    table: 'total',
    rowsRead: sum(report.tables.map(({ rowsRead }) => rowsRead)),
    objectsWritten: sum(report.tables.map(({ objectsWritten }) => objectsWritten)),
    seconds: report.seconds,
  };
  const rows = [...report.tables, total].map(({ table, rowsRead, objectsWritten, seconds }) => [
    table,
    count(rowsRead),
    count(objectsWritten),
    seconds.toFixed(2),
  ]);
  const header = ['table', 'rows read', 'objects written', 'seconds'];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => pad(cell, widths[column] ?? 0, column === 0)).join('  ');
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(header), rule, ...rows.slice(0, -1).map(line), rule, line(rows.at(-1) ?? [])];
}

/** Rows a second since the table was begun; 0 before anything can be said. */
export function rowsPerSecond({ rowsRead, startedAt, changedAt, state }: TableProgress, now: number): number {
  const milliseconds = (state === 'done' ? changedAt : now) - startedAt;
  return milliseconds <= 0 ? 0 : (rowsRead * 1000) / milliseconds;
}

/** `2,000 of 3,503 rows  12,345 rows/s  ETA 0:01`, or what took how long when the table is done. */
function factsOf(progress: TableProgress, now: number): string {
  const rate = `${count(Math.round(rowsPerSecond(progress, now)))} rows/s`.padStart(15);
  if (progress.state === 'done') {
    const rows = `${count(progress.rowsRead)} rows`.padStart(22);
    return `${rows}  ${rate}  ${((progress.changedAt - progress.startedAt) / 1000).toFixed(1)} s`;
  }
  const of = progress.estimatedRows === 0 ? '' : ` of ${count(expectedRows(progress))}`;
  const rows = `${count(progress.rowsRead)}${of} rows`.padStart(22);
  const left = secondsLeft(progress, now);
  return `${rows}  ${rate}${left === undefined ? '' : `  ETA ${clock(left)}`}`;
}

/** The database only estimates; a table that turns out larger must not show more than the whole. */
function expectedRows({ estimatedRows, rowsRead }: TableProgress): number {
  return Math.max(estimatedRows, rowsRead);
}

function secondsLeft(progress: TableProgress, now: number): number | undefined {
  const rate = rowsPerSecond(progress, now);
  if (progress.estimatedRows === 0 || rate === 0) return undefined;
  return Math.ceil((expectedRows(progress) - progress.rowsRead) / rate);
}

function bar(progress: TableProgress, width: number): string {
  const expected = expectedRows(progress);
  const share = progress.state === 'done' ? 1 : expected === 0 ? 0 : progress.rowsRead / expected;
  const eighths = Math.floor(share * width * 8);
  const filled = FULL.repeat(Math.floor(eighths / 8)) + (PARTS[eighths % 8] ?? '');
  return filled.padEnd(width, '░');
}

function clock(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(Math.floor(seconds % 60))}`;
}

function count(value: number): string {
  return THOUSANDS.format(value);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function pad(text: string, width: number, left: boolean): string {
  return left ? text.padEnd(width) : text.padStart(width);
}
