/** Every statement that the connector can send, for a representative set of tables, from the builders that make them. */
import { CATALOG_STATEMENTS } from '../../connectors/sqlserver/catalog.ts';
import { WATCH_STATEMENTS } from '../../connectors/sqlserver/catalog-watch.ts';
import { COLLATIONS, missingStatements } from '../../connectors/sqlserver/ddl.ts';
import { LETTER_STATEMENTS } from '../../connectors/sqlserver/dead-letter-box.ts';
import { INSERT_LETTER } from '../../connectors/sqlserver/dead-letter-rows.ts';
import {
  OWN_TABLE_RIGHTS,
  SERVER_CLOCK,
  WAITING_LETTERS,
} from '../../connectors/sqlserver/doctor/examine.ts';
import { databaseStatements, SITUATION } from '../../connectors/sqlserver/doctor/server-findings.ts';
import { HAS_PERMISSION, OTHER_RELATION, STATE } from '../../connectors/sqlserver/doctor/table-findings.ts';
import { SILENCE } from '../../connectors/sqlserver/feed/feed-health.ts';
import { LOCK_STATEMENTS } from '../../connectors/sqlserver/feed/feed-lock.ts';
import { RECORD_STATEMENTS } from '../../connectors/sqlserver/feed/feed-record.ts';
import { FollowedTable } from '../../connectors/sqlserver/feed/followed-table.ts';
import { POLL_STATEMENTS } from '../../connectors/sqlserver/feed/poll.ts';
import { DATABASE_IDENTITY } from '../../connectors/sqlserver/feed/source.ts';
import {
  DATABASE_TRACKING,
  enableTracking,
  TABLES_TRACKING,
} from '../../connectors/sqlserver/feed/tracking.ts';
import { TRACKING_STATE } from '../../connectors/sqlserver/feed/tracking-state.ts';
import { fetchText } from '../../connectors/sqlserver/fetch-rows.ts';
import { OWN_TABLES_DDL, OWN_TABLES_STATE } from '../../connectors/sqlserver/own-tables.ts';
import { grant, LACKING } from '../../connectors/sqlserver/permissions.ts';
import { createDatabase, WHO } from '../../connectors/sqlserver/preparation.ts';
import { createUser, schemaGrants, USER_EXISTS } from '../../connectors/sqlserver/prepare-database.ts';
import { ROLL_BACK } from '../../connectors/sqlserver/session.ts';
import {
  CURRENT_VERSION,
  ESTIMATE,
  FIRST_READ,
  readRows,
} from '../../connectors/sqlserver/snapshot/snapshot-statements.ts';
import { LIMIT_LOCKS } from '../../connectors/sqlserver/sqlserver-dialect.ts';
import {
  HOLD_CHECKPOINT,
  MOVE_CHECKPOINTS,
  READ_CHECKPOINTS,
} from '../../connectors/sqlserver/writer/checkpoint-statements.ts';
import { probeText } from '../../connectors/sqlserver/writer/column-at-fault.ts';
import { lookUpText } from '../../connectors/sqlserver/writer/key-lookups.ts';
import {
  clearText,
  cutText,
  eraseText,
  moveText,
  readText,
  setText,
} from '../../connectors/sqlserver/writer/list-statements.ts';
import {
  deleteAllText,
  identityOffText,
  insertItemsText,
  textOf,
} from '../../connectors/sqlserver/writer/set-statements.ts';
import type { TableInfo, WantedTable } from '../../src/connector/dialect.ts';
import { declared } from './tables.ts';

export type KnownStatement = { readonly section: string; readonly name: string; readonly text: string };

/** Shapes of writes on one table: columns by which rows are looked for, and columns that are set. */
type Shape = readonly [keys: readonly string[], columns: readonly string[]];

const person = declared('Person');
const invoice = declared('Invoice');
const line = declared('InvoiceLine');
const everything = declared('Everything');
const friends = declared('__Person__Friends');
const marks = declared('__Person__Marks');

export function statementList(): readonly KnownStatement[] {
  return [
    ...named('Sessions', { 'roll back': ROLL_BACK, 'wait for locks no longer': LIMIT_LOCKS }),
    ...writer(),
    ...lists(),
    ...rows(),
    ...deadLetters(),
    ...feed(),
    ...snapshots(),
    ...catalog(),
    ...preparation(),
    ...doctor(),
  ];
}

function named(section: string, statements: Readonly<Record<string, string>>): KnownStatement[] {
  return Object.entries(statements).map(([name, text]) => ({ section, name, text }));
}

function writer(): KnownStatement[] {
  return [
    ...named('Checkpoints', {
      'read all': READ_CHECKPOINTS,
      'wait for one': HOLD_CHECKPOINT,
      move: MOVE_CHECKPOINTS,
    }),
    ...writes(person, [[['Id'], ['Name', 'Email', 'Born', 'Salary', 'Boss']]]),
    ...writes(invoice, [
      [['RealmId'], ['Total', 'At']],
      [['InvoiceId'], ['Total', 'At']],
    ]),
    ...writes(line, [
      [
        ['InvoiceId', 'Line'],
        ['Text', 'Proof'],
      ],
    ]),
    ...named('Writes', {
      'upsert Everything': textOf('upsert', everything, ['Code'], rest(everything)),
      'insert Person, keys alone': textOf('upsert', person, ['Id'], []),
      'update Person, freeing deleted rows': textOf('update', person, ['Boss'], ['Boss']),
      'assign Invoice': textOf('assign', invoice, ['InvoiceId'], ['RealmId']),
      'empty Person': deleteAllText(person),
      'leave the keys of Invoice to the database again': identityOffText(invoice),
    }),
  ];
}

function rest({ columns }: TableInfo): string[] {
  return columns.slice(1).map(({ name }) => name);
}

function writes(table: TableInfo, shapes: readonly Shape[]): KnownStatement[] {
  return shapes.flatMap(([keys, columns]) =>
    (['upsert', 'update', 'delete'] as const).map((kind) => ({
      section: 'Writes',
      name: `${kind} ${table.table.name} by ${keys.join(', ')}`,
      text: textOf(kind, table, keys, columns),
    })),
  );
}

function lists(): KnownStatement[] {
  return named('Lists and other collections', {
    clear: clearText(friends),
    cut: cutText(friends),
    erase: eraseText(friends),
    move: moveText(friends),
    set: setText(friends),
    insert: insertItemsText(friends, ['oid', 'idx', 'target']),
    read: readText(friends),
    'replace items: delete': textOf('delete', marks, ['oid'], []),
    'replace items: insert': insertItemsText(marks, ['oid', 'key', 'target']),
  });
}

function rows(): KnownStatement[] {
  return named('Single rows', {
    'look keys up': lookUpText({ table: invoice, by: 'RealmId', column: 'InvoiceId' }),
    'fetch Person': fetchText(person, ['Id', 'Name', 'Salary'], ['Id']),
    'fetch Everything': fetchText(
      everything,
      everything.columns.map(({ name }) => name),
      ['Code'],
    ),
    ...Object.fromEntries(
      ['Bit', 'Precise', 'Xml'].map((name) => [`probe ${name}`, probeText(everything, name)]),
    ),
  });
}

function deadLetters(): KnownStatement[] {
  return named('Dead letters', { insert: INSERT_LETTER, ...LETTER_STATEMENTS });
}

function numbered(name: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text, place) => [`${name} ${place + 1}`, text]));
}

function feed(): KnownStatement[] {
  const followed = [person, line, everything].map((table) => new FollowedTable(table));
  return named('Change feed', {
    'database identity': DATABASE_IDENTITY,
    'state of tables': TRACKING_STATE,
    ...POLL_STATEMENTS,
    ...Object.fromEntries(
      followed.flatMap((table, place) => [
        [`backlog of ${table.info.table.name}`, `${table.backlogText(place)};`],
        [`changes of ${table.info.table.name}`, table.changesText],
      ]),
    ),
    'backlogs of several': `${followed.map((table, place) => table.backlogText(place)).join(' UNION ALL ')};`,
    ...prefixed('record', RECORD_STATEMENTS),
    ...prefixed('lock', LOCK_STATEMENTS),
    'time since the last confirmation': SILENCE,
  });
}

function snapshots(): KnownStatement[] {
  const read = (table: TableInfo, after?: readonly string[]): string =>
    readRows(
      table,
      table.columns.map(({ name }) => name),
      after,
    ).text;
  return named('Snapshots', {
    version: CURRENT_VERSION,
    'begin the snapshot': FIRST_READ,
    estimate: ESTIMATE,
    'read Person': read(person),
    'read Person after a key': read(person, ['a']),
    'read InvoiceLine after a key': read(line, ['1', '2']),
    'read Everything': read(everything),
  });
}

function catalog(): KnownStatement[] {
  return [
    ...named('Catalog', { ...CATALOG_STATEMENTS, collations: COLLATIONS }),
    ...named('Watch of the catalog', WATCH_STATEMENTS),
  ];
}

const WANTED: readonly WantedTable[] = [
  {
    table: { schema: 'app', name: 'Person' },
    kind: 'object',
    columns: [
      { name: 'Id', type: 'nvarchar(450)', nullable: false },
      { name: 'Code', type: 'int', nullable: false, generated: true },
      { name: 'RealmId', type: 'uniqueidentifier', nullable: true, unique: true },
      { name: 'Boss', type: 'nvarchar(450)', nullable: true },
    ],
    primaryKey: ['Id'],
    foreignKeys: [
      { columns: ['Boss'], referenced: { schema: 'app', name: 'Person' }, referencedColumns: ['Id'] },
    ],
  },
  {
    table: person.table,
    kind: 'object',
    columns: [
      { name: 'Height', type: 'float', nullable: false },
      { name: 'Nick', type: 'nvarchar(max)', nullable: true },
    ],
    primaryKey: ['Id'],
    foreignKeys: [],
  },
];

function preparation(): KnownStatement[] {
  const unprepared = {
    version: '13.0.1601.5',
    engineEdition: '3',
    edition: 'Developer Edition',
    compatibility: 120,
    snapshots: '0',
    writable: true,
    database: 'shop',
    tracked: false,
  };
  return [
    ...named('Preparation', {
      situation: SITUATION,
      ...numbered('database', databaseStatements(unprepared)),
      'what of the database is tracked': DATABASE_TRACKING,
      'what of the tables is tracked': TABLES_TRACKING,
      'track a table': enableTracking(person.table),
      'permissions that are lacking': LACKING,
      grant: grant('SELECT, INSERT', person.table, 'isthmus'),
      'who we are': WHO,
      'make the database': createDatabase('shop'),
      'is there a user': USER_EXISTS,
      'make the user': createUser('isthmus'),
      ...numbered('grant on the schema', schemaGrants('dbo', 'isthmus')),
      'own tables: what is there': OWN_TABLES_STATE,
      ...numbered('own tables: make', OWN_TABLES_DDL),
    }),
    ...named(
      'Tables from models',
      numbered('make', missingStatements(WANTED, new Map([['dbo.Person', person]]))),
    ),
  ];
}

function doctor(): KnownStatement[] {
  return named('Doctor', {
    'state of a table': STATE,
    permission: HAS_PERMISSION,
    'what else has the name': OTHER_RELATION,
    'the server’s clock': SERVER_CLOCK,
    'rights on our own tables': OWN_TABLE_RIGHTS,
    'letters that wait': WAITING_LETTERS,
  });
}

function prefixed(prefix: string, statements: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(statements).map(([name, text]) => [`${prefix}: ${name}`, text]));
}
