import { expect, it } from 'vitest';
import { SqlServerFeedLostError } from '../../../connectors/sqlserver/errors.ts';
import { type FeedFacts, healthOf } from '../../../connectors/sqlserver/feed/feed-health.ts';
import type { FeedRecord } from '../../../connectors/sqlserver/feed/feed-record.ts';
import { FollowedTable } from '../../../connectors/sqlserver/feed/followed-table.ts';
import { readyTables } from '../../../connectors/sqlserver/feed/poll.ts';
import { type FoundDatabase, requireSame, sourceText } from '../../../connectors/sqlserver/feed/source.ts';
import { judge, trackingFrom } from '../../../connectors/sqlserver/feed/tracking-state.ts';
import { comparePositions, positionOf } from '../../../connectors/sqlserver/feed/version.ts';
import type { FeedKnown, TableInfo } from '../../../src/connector/dialect.ts';

const info: TableInfo = {
  table: { schema: 'dbo', name: 'Artist' },
  columns: [
    { name: 'ArtistId', type: 'int', baseType: 'int', nullable: false, hasDefault: false, readOnly: false },
  ],
  primaryKey: ['ArtistId'],
  foreignKeys: [],
};
const artist = new FollowedTable(info);
const tracked = { objectId: '1', begin: 5n, minValid: 5n };
const asked = { tables: [artist], cursor: 40n, database: 'Chinook' };

it('takes versions for numbers of any size', () => {
  const versions = [9n, 10n, 9_007_199_254_740_993n, 9_007_199_254_740_992n].map(positionOf);
  expect(versions.toSorted(comparePositions)).toEqual(['9', '10', '9007199254740992', '9007199254740993']);
});

it('reads on from a version that is still valid, to the number', () => {
  expect(judge({ ...tracked, minValid: 40n }, 40n)).toMatchObject({
    kind: 'ready',
    since: 40n,
    isNew: false,
  });
  expect(judge({ ...tracked, minValid: 41n }, 40n)).toEqual({ kind: 'outdated', minValid: 41n });
});

it('reads a table whose tracking began anew from there, and says so', () => {
  expect(judge({ ...tracked, begin: 41n, minValid: 41n }, 40n)).toMatchObject({ since: 41n, isNew: true });
  expect(judge({ ...tracked, begin: 41n, minValid: 44n }, 40n)).toMatchObject({ since: 44n, isNew: true });
});

it('says “Last sync version is outdated!” with the tables, the versions and what to do', () => {
  const state = { current: 50n, tables: [tracked, { ...tracked, minValid: 45n }] };
  expect(() => readyTables(state, asked)).toThrow(
    /^Last sync version is outdated! Changes were read up to version 40, but .* dbo\.Artist \(from version 45 on\).* — run isthmus load --resume, which .* nothing is wiped.*CHANGE_RETENTION/,
  );
});

it('knows a database that was set back, or that tracks nothing any more', () => {
  expect(() => readyTables({ current: 39n, tables: [tracked, tracked] }, asked)).toThrow(
    /Chinook stands at version 39, but changes up to 40 were read: it was set back/,
  );
  expect(() => readyTables({ current: undefined, tables: [tracked, tracked] }, asked)).toThrow(
    /change tracking is off for the database Chinook.*ALTER DATABASE \[Chinook\] SET CHANGE_TRACKING = ON/,
  );
});

it('waits for a table that cannot be read, and passes nothing over', () => {
  for (const [lacking, why] of [
    [{ objectId: undefined }, /not there/],
    [{ begin: undefined }, /not tracked/],
    [{ minValid: undefined }, /VIEW CHANGE TRACKING/],
  ] as const) {
    const found = readyTables({ current: 50n, tables: [tracked, { ...tracked, ...lacking }] }, asked);
    expect(found).toMatchObject({ kind: 'blocked', table: 'dbo.Artist', why: expect.stringMatching(why) });
  }
});

it('goes by the oldest current version when the rows of one answer show several', () => {
  const rows = [
    ['0', '50', '1', '5', '5'],
    ['1', '49', '2', '5', '5'],
  ];
  expect(trackingFrom(rows, 2).current).toBe(49n);
});

const found: FoundDatabase = { database: '7', created: '2026-01-02T03:04:05', group: null, name: 'Chinook' };
const record: FeedRecord = {
  line: 'line-2',
  previousLine: 'line-1',
  position: 40n,
  holder: undefined,
  heldSince: undefined,
  confirmedAt: undefined,
};
const known = (line: string, more: Partial<FeedKnown> = {}): FeedKnown => ({
  position: positionOf(40n),
  committed: positionOf(40n),
  source: sourceText(found, line),
  ...more,
});

it('takes the line before for the same one, since the replicas may not have heard of the new one', () => {
  for (const line of ['line-1', 'line-2'])
    expect(() => requireSame(found, record, 40n, known(line), undefined)).not.toThrow();
  expect(() => requireSame(found, record, 40n, known('line-0'), undefined)).toThrow(SqlServerFeedLostError);
});

it('notices another database of the name, but no other server of an availability group', () => {
  const other = { ...found, created: '2026-02-02T00:00:00' };
  expect(() => requireSame(other, record, 40n, known('line-2'), undefined)).toThrow(
    /Chinook is not the one that was followed.*isthmus load --resume.*isthmus verify --repair sql/,
  );
  const source = sourceText({ ...found, group: 'g' }, 'line-2');
  expect(() =>
    requireSame({ ...other, group: 'g' }, record, 40n, known('line-2', { source }), undefined),
  ).not.toThrow();
});

it('notices an earlier state by its counter, and by what was recorded in this process', () => {
  expect(() => requireSame(found, record, 39n, known('line-2'), undefined)).toThrow(/was set back/);
  const own = { line: 'line-2', position: 44n };
  expect(() => requireSame(found, record, 60n, known('line-2'), own)).toThrow(/was set back/);
});

const facts: FeedFacts = {
  adapter: 'shop',
  database: 'Chinook',
  tracking: { cleansUp: true, retentionMinutes: 2880 },
  record: { ...record, holder: 'process 4711 on web1', heldSince: '2026-01-02T03:04:05' },
  state: { current: 40n, tables: [tracked] },
  tables: [info],
  isHeld: true,
  silentSeconds: 0,
};
const levels = (more: Partial<FeedFacts>): string[] =>
  healthOf({ ...facts, ...more }).findings.map(({ check, level }) => `${check} ${level}`);

it('warns long before what is still to be read is cleaned up', () => {
  expect(levels({}).every((line) => line.endsWith(' ok'))).toBe(true);
  const state = { current: 90n, tables: [tracked] };
  expect(levels({ state, silentSeconds: 60 })).toContain('sqlserver/feed-lag ok');
  expect(levels({ state, silentSeconds: 1441 * 60 })).toContain('sqlserver/feed-lag warning');
  expect(levels({ state, silentSeconds: 2881 * 60 })).toContain('sqlserver/feed-lag error');
  // A quiet database has nothing to be read, however long ago that was said.
  expect(levels({ silentSeconds: 1e9 })).toContain('sqlserver/feed-lag ok');
});

it('warns of a retention too short for an outage, and of one without end', () => {
  const tracking = { cleansUp: true, retentionMinutes: 60 };
  expect(levels({ tracking })).toContain('sqlserver/retention warning');
  expect(levels({ tracking: { ...tracking, cleansUp: false } })).toContain('sqlserver/retention warning');
  // A login that may not see it cannot be warned.
  expect(levels({ tracking: { ...tracking, retentionMinutes: undefined } })).toContain(
    'sqlserver/retention ok',
  );
});

it('shows who reads the feed, and what became of it when nobody can', () => {
  expect(healthOf(facts).findings[0]?.message).toContain(
    'stands at version 40; read by process 4711 on web1 (since 2026-01-02T03:04:05Z)',
  );
  expect(levels({ tracking: undefined })).toEqual(['sqlserver/feed error']);
  expect(levels({ record: undefined })).toContain('sqlserver/feed error');
  expect(levels({ state: { current: 12n, tables: [tracked] } })).toContain('sqlserver/feed error');
  const gone = { current: 90n, tables: [{ ...tracked, minValid: 60n }] };
  expect(levels({ state: gone, isHeld: false })).toContain('sqlserver/tracked-tables error');
  expect(levels({ state: { current: 40n, tables: [{ ...tracked, begin: undefined }] } })).toContain(
    'sqlserver/tracked-tables warning',
  );
});
