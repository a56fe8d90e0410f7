/** `isthmus doctor`: every finding provoked on a real database, beside whatever is in order. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { examinePostgres } from '../../connectors/postgres/doctor/examine.ts';
import { type PostgresOptions, parsePostgresOptions } from '../../connectors/postgres/options.ts';
import { clockFinding } from '../../src/connector/doctor/clock-findings.ts';
import type { Finding } from '../../src/connector/finding.ts';
import { Bench, type Place } from '../e2e/bad-input.ts';
import { embedded } from '../support/postgres.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

async function examine(place: Place, changes: Partial<PostgresOptions> = {}): Promise<readonly Finding[]> {
  const options = parsePostgresOptions({ ...place.options(changes), logger: quiet });
  const findings: Finding[] = [];
  for await (const examined of examinePostgres(options, new AbortController().signal))
    findings.push(...examined.findings);
  return findings;
}

const quiet = { error: () => {}, warn: () => {}, info: () => {} };

/** What is not in order, as `level check message → remedy`. */
function complaints(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ level }) => level !== 'ok')
    .map(({ level, check, message, remedy }) => `${level} ${check} ${message} → ${remedy ?? ''}`);
}

const levels = (findings: readonly Finding[], check: string): string[] =>
  findings.filter((finding) => finding.check === check).map(({ level }) => level);

describe('a connector in good order', () => {
  test('has nothing but warnings about settings, and exit code 0', async () => {
    const place = await bench.place();
    await place.synced();
    const findings = await examine(place);
    expect(complaints(findings).filter((line) => !line.includes('postgres/max-slot-wal-keep-size'))).toEqual(
      [],
    );
    for (const check of [
      'local/directory',
      'local/disk',
      'local/lock',
      'tables/stopped',
      'postgres/connection',
      'postgres/tls',
      'postgres/version',
      'postgres/wal-level',
      'postgres/max-replication-slots',
      'postgres/max-wal-senders',
      'postgres/replication-privilege',
      'postgres/wal-sender-timeout',
      'postgres/own-tables',
      'clock/database-server',
      'models/mapping',
      'tables/usable',
      'postgres/slot',
      'postgres/slot-lag',
      'postgres/publication',
      'postgres/dead-letters',
      'server/reachable',
      'clock/object-server',
      'server/login',
      'server/rights',
      'server/realms',
    ])
      expect(levels(findings, check), check).toEqual(['ok']);
    const slot = findings.find(({ check }) => check === 'postgres/slot')?.message;
    expect(slot).toContain(`read by the adapter ${place.database.slice(0, 20)}`);

    const doctor = place.command('doctor');
    expect(await doctor.exited).toBe(0);
    expect(doctor.log).toMatch(/The tables\n {2}ok {7}"public"\."item" can be read, written and followed/);
    expect(doctor.log).toMatch(/\d+ ok, 1 warning, 0 errors/);
  });

  test('that never ran is told what its first start will make', async () => {
    const place = await bench.place('');
    const findings = await examine(place);
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(complaints(findings).join('\n')).toMatch(
      /warning models\/planned the start runs CREATE TABLE "public"\."item"/,
    );
    expect(complaints(findings).join('\n')).toContain('there is no replica yet → run isthmus load');
    // Nothing was made by looking.
    expect(await place.sql("SELECT count(*) FROM pg_class WHERE relname = 'item'")).toEqual([{ count: '0' }]);
    expect(await place.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'isthmus'")).toEqual([
      { count: '0' },
    ]);
  });
});

describe('what keeps a connector from starting', () => {
  test('in the configuration: every mistake, with exit code 3', async () => {
    const place = await bench.place();
    const doctor = place.command('doctor', { ignoreSQLerrors: 'perhaps', adpterName: 'x' }, {}, ['--json']);
    expect(await doctor.exited).toBe(3);
    const found = doctor.log
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line): unknown => JSON.parse(line));
    expect(found).toContainEqual(
      expect.objectContaining({
        check: 'configuration',
        level: 'error',
        message: expect.stringContaining('adpterName'),
      }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({
        check: 'configuration',
        message: expect.stringContaining('ignoreSQLerrors'),
      }),
    );
    expect(found.at(-1)).toEqual({ summary: { ok: 0, warning: 0, error: 2 } });
  });

  test('a database that cannot be reached does not hide the object server, nor the other way round', async () => {
    const place = await bench.place();
    const { host, user, password } = bench.postgres;
    const noDatabase = await examine(place, { postgresConfig: { host, port: 1, user, password } });
    expect(levels(noDatabase, 'postgres/connection')).toEqual(['error']);
    expect(levels(noDatabase, 'server/login')).toEqual(['ok']);
    const noServer = await examine(place, {
      realmConfig: { server: 'http://127.0.0.1:1', user: { username: 'a', password: 'b' } },
    });
    expect(levels(noServer, 'server/reachable')).toEqual(['error']);
    expect(levels(noServer, 'tables/usable')).toEqual(['ok']);
    const wrongPassword = await examine(place, {
      realmConfig: { server: bench.server.url, user: { username: 'admin', password: 'wrong' } },
    });
    expect(complaints(wrongPassword).join('\n')).toMatch(
      /error server\/login .*refuses user admin.*realmConfig.user/,
    );
    const wrongApp = await examine(place, {
      realmConfig: { server: bench.server.url, appId: 'other', user: { username: 'admin', password: 'x' } },
    });
    expect(complaints(wrongApp).join('\n')).toMatch(/error server\/reachable .*app other.*realmConfig.appId/);
  });

  test('a user of the object server who is no administrator', async () => {
    const place = await bench.place();
    const password = 'secret-of-ann';
    const base = `${bench.server.url}/api/client/v2.0/app/isthmus/auth/providers/local-userpass/register`;
    const registered = await fetch(base, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ann@example.com', password }),
    });
    expect(registered.ok).toBe(true);
    const findings = await examine(place, {
      realmConfig: { server: bench.server.url, user: { username: 'ann@example.com', password } },
    });
    expect(complaints(findings).join('\n')).toMatch(
      /error server\/rights .*no administrator.*isthmus user promote/,
    );
  });

  test('a user of the database without rights: each of them, with the statement that gives it', async () => {
    const place = await bench.place(`CREATE TABLE item (id integer PRIMARY KEY, name text, amount integer);
      ALTER TABLE item ENABLE ROW LEVEL SECURITY`);
    const user = `doctor_${place.database.slice(-8)}`;
    await place.sql(`CREATE ROLE ${user} LOGIN PASSWORD 'secret'; GRANT SELECT ON item TO ${user}`);
    const { host, port } = bench.postgres;
    const found = complaints(
      await examine(place, { postgresConfig: { host, port, user, password: 'secret' } }),
    ).join('\n');
    expect(found).toContain(`ALTER ROLE "${user}" REPLICATION`);
    expect(found).toContain(`GRANT CREATE ON DATABASE "${place.database}" TO "${user}"`);
    expect(found).toContain(`GRANT INSERT, UPDATE, DELETE ON "public"."item" TO "${user}"`);
    expect(found).toMatch(/warning tables\/owner the table "public"\."item" belongs to postgres/);
    expect(found).toMatch(/error tables\/row-security row level security hides rows/);
  });

  test.runIf(embedded)('settings of the server, all of them at once', async () => {
    const poor = await Bench.start({
      wal_level: 'replica',
      wal_sender_timeout: '0',
      idle_session_timeout: '10min',
      max_replication_slots: '1',
    });
    try {
      const place = await poor.place();
      await place.sql("SELECT pg_create_physical_replication_slot('taken')");
      const found = complaints(await examine(place)).join('\n');
      expect(found).toContain('error postgres/wal-level wal_level of the server is replica');
      expect(found).toContain(
        'error postgres/max-replication-slots all 1 replication slots of the server are in use',
      );
      expect(found).toContain('warning postgres/wal-sender-timeout');
      expect(found).toContain('warning postgres/idle-session-timeout');
      expect(found).toContain('warning postgres/max-slot-wal-keep-size');
    } finally {
      await poor.stop();
    }
  });
});

const model = (name: string, properties: Record<string, string> = {}) => ({
  name,
  primaryKey: 'id',
  properties: { id: 'int', ...properties },
});

describe('tables and models', () => {
  test('that cannot be followed, or only badly, each with its reason', async () => {
    const place = await bench.place(`
      CREATE TABLE silent (id int PRIMARY KEY); ALTER TABLE silent REPLICA IDENTITY NOTHING;
      CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
      CREATE TABLE late (id int PRIMARY KEY DEFERRABLE); CREATE UNIQUE INDEX ON late (id);
      CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
      CREATE TABLE ruled (id int PRIMARY KEY); CREATE RULE nothing AS ON DELETE TO ruled DO INSTEAD NOTHING;
      CREATE TABLE watched (id int PRIMARY KEY, double int GENERATED ALWAYS AS (id * 2) STORED);
      CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER bell BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION noop();
      CREATE VIEW seen AS SELECT id FROM parent`);
    const names = ['silent', 'fleeting', 'late', 'parent', 'ruled', 'watched', 'seen'];
    const findings = await examine(place, {
      schema: names.map((name) => model(name)),
      createPostgresSchema: false,
    });
    const found = complaints(findings).join('\n');
    expect(found).toMatch(
      /error tables\/replica-identity .*"silent" has REPLICA IDENTITY NOTHING.*REPLICA IDENTITY DEFAULT/,
    );
    expect(found).toMatch(/error tables\/logged .*"fleeting" is UNLOGGED.*SET LOGGED/);
    expect(found).toMatch(/error tables\/replica-identity .*"late" is DEFERRABLE.*REPLICA IDENTITY FULL/);
    expect(found).toMatch(/warning tables\/inheritance .*"parent" \(child\)/);
    expect(found).toMatch(/warning tables\/rules .*"ruled" has rules \(nothing\)/);
    expect(found).toMatch(/error tables\/kind public\.seen is a view/);
    const notes = findings.map(({ message }) => message).join('\n');
    expect(notes).toContain('"public"."watched" has triggers (bell)');
    expect(notes).toContain('the database makes the values of double in "public"."watched"');
  });

  test('every class and property without a place is named, not the first alone', async () => {
    const place = await bench.place(
      'CREATE TABLE one (id int PRIMARY KEY, a text); CREATE TABLE keyless (id int)',
    );
    const found = complaints(
      await examine(place, {
        createPostgresSchema: false,
        schema: [
          model('one', { a: 'string?', b: 'int?', c: 'int?', other: 'two?' }),
          model('two'),
          model('keyless'),
        ],
      }),
    ).join('\n');
    expect(found).toContain('property one.b has no column');
    expect(found).toContain('property one.c has no column');
    expect(found).toContain('class two has no table');
    expect(found).toContain('table public.keyless of class keyless has no primary key');
    expect(found).not.toContain('one.a ');
  });

  test('every pair of naming functions that is not inverse is named', async () => {
    const place = await bench.place(
      'CREATE TABLE t_one (id int PRIMARY KEY, "A" text); CREATE TABLE t_two (id int PRIMARY KEY)',
    );
    const found = complaints(
      await examine(place, {
        createPostgresSchema: false,
        schema: [model('one', { a: 'string?' }), model('two')],
        mapRealmClassName: (name: string) => `t_${name}`,
        mapPostgresTableName: (name: string) => name.replace('t_', 'x_'),
      }),
    );
    expect(found.filter((line) => line.includes('mapRealmClassName'))).toHaveLength(2);
    const throwing = complaints(
      await examine(place, {
        createPostgresSchema: false,
        schema: [model('one', { a: 'string?' })],
        mapRealmClassName: (name: string) => `t_${name}`,
        mapRealmPropertyName: () => {
          throw new Error('no such property');
        },
      }),
    ).join('\n');
    expect(throwing).toMatch(
      /error models\/names a naming function throws for one\.a: Error: no such property/,
    );
  });

  test('values that fit no object, and conversion functions that throw, are found in rows that are there', async () => {
    const place = await bench.place(`CREATE TABLE item (id integer PRIMARY KEY, at timestamptz, name text);
      INSERT INTO item VALUES (1, 'infinity', 'x'), (2, NULL, 'y')`);
    const schema = [model('item', { at: 'date?', name: 'string?' })];
    const found = complaints(
      await examine(place, {
        schema,
        convertPostgresValueToRealm: (_table: string, column: string, value: unknown) => {
          if (column === 'name') throw new Error('cannot convert');
          return value;
        },
      }),
    ).join('\n');
    expect(found).toMatch(/tables\/values item\.at of the row with key 1/);
    expect(found).toMatch(/tables\/values .*item\.name of the row with key 1.*cannot convert/);
  });
});

describe('slot and machine', () => {
  test('a slot that is gone while the replica is there is an error with the way out', async () => {
    const place = await bench.place();
    const { adapter } = await place.synced();
    await adapter.close();
    await place.sql(`SELECT pg_drop_replication_slot('${place.slot}')`);
    expect(complaints(await examine(place)).join('\n')).toMatch(
      /error postgres\/slot the replication slot \S+ does not exist.*isthmus load --resume/,
    );
    const doctor = place.command('doctor');
    expect(await doctor.exited).toBe(3);
    expect(doctor.log).toMatch(
      / {2}error {4}the replication slot .* does not exist.*\[postgres\/slot\]\n {11}→ run isthmus load --resume/,
    );
    expect(doctor.log).toContain('[errors-found]');
  });

  test('dead letters that wait are counted', async () => {
    const place = await bench.place();
    const { adapter } = await place.synced();
    await adapter.close();
    await place.sql(
      `INSERT INTO isthmus.dead_letter (adapter, realm, sequence, reason, payload) VALUES ('${place.database}', '/a', 1, 'r', '{}')`,
    );
    expect(complaints(await examine(place)).join('\n')).toMatch(
      /warning postgres\/dead-letters 1 dead letters wait since 20.*isthmus deadletter list/,
    );
  });

  test.skipIf(process.getuid?.() === 0)('a directory that cannot be written', async () => {
    const place = await bench.place();
    const parent = join(place.directory, 'closed');
    mkdirSync(parent);
    chmodSync(parent, 0o500);
    const findings = await examine(place, { localPath: join(parent, 'replica') });
    expect(complaints(findings).join('\n')).toContain('error local/directory');
  });

  test('clocks that disagree are warned of, and refused when logins would fail', () => {
    expect(clockFinding('object server', 1_500, 0).level).toBe('ok');
    expect(clockFinding('object server', -2_500, 1_000).level).toBe('ok');
    expect(clockFinding('object server', -2_500, 0)).toMatchObject({
      level: 'warning',
      message: 'the clock of the object server is 2.5 s behind this machine’s',
    });
    expect(clockFinding('database server', 400_000, 10).level).toBe('error');
  });
});
