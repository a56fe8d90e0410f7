/** Every statement that the connector can send, for a representative set of tables, from the builders that make them. */
import { LETTER_STATEMENTS } from '../../connectors/sqlserver/dead-letter-box.ts';
import { INSERT_LETTER } from '../../connectors/sqlserver/dead-letter-rows.ts';
import { fetchText } from '../../connectors/sqlserver/fetch-rows.ts';
import { OWN_TABLES_DDL, OWN_TABLES_STATE } from '../../connectors/sqlserver/own-tables.ts';
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
import type { TableInfo } from '../../src/connector/dialect.ts';
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
  return [...writer(), ...lists(), ...rows(), ...deadLetters(), ...ownTables()];
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

function ownTables(): KnownStatement[] {
  return named('Own tables', {
    'what is there': OWN_TABLES_STATE,
    ...Object.fromEntries(OWN_TABLES_DDL.map((text, place) => [`make ${place + 1}`, text])),
  });
}
