/** Tables as the catalog shows them, made from their declarations; the same as DDL for a server. */
import { quoteIdentifier } from '../../connectors/sqlserver/sql-text.ts';
import type { ColumnInfo, ForeignKey, TableInfo } from '../../src/connector/dialect.ts';

export const COLLATION = 'SQL_Latin1_General_CP1_CI_AS';
const CHARACTERS: ReadonlySet<string> = new Set(['char', 'varchar', 'text', 'nchar', 'nvarchar', 'ntext']);

type Declaration = {
  readonly columns: Readonly<Record<string, string>>;
  readonly primaryKey?: readonly string[];
  readonly unique?: readonly (readonly string[])[];
  /** Column to `table.column`. */
  readonly references?: Readonly<Record<string, string>>;
  readonly schema?: string;
};

export function table(name: string, declaration: Declaration): TableInfo {
  const { columns, primaryKey = [Object.keys(columns)[0] ?? ''], unique = [], references = {} } = declaration;
  const schema = declaration.schema ?? 'dbo';
  return {
    table: { schema, name },
    columns: Object.entries(columns).map(([column, declared]) => columnOf(column, declared)),
    primaryKey,
    foreignKeys: Object.entries(references).map(([column, target]): ForeignKey => {
      const [referenced = '', referencedColumn = ''] = target.split('.');
      return {
        name: `FK_${name}_${column}`,
        columns: [column],
        referenced: { schema, name: referenced },
        referencedColumns: [referencedColumn],
      };
    }),
    uniqueKeys: [primaryKey, ...unique],
  };
}

/** `declared` as in DDL: `int IDENTITY NOT NULL`, `nvarchar(50) NULL DEFAULT N'x'`, `AS (a + b)`, `… COLLATE Turkish_CI_AS`. */
function columnOf(name: string, declared: string): ColumnInfo {
  const type = /^[a-z_0-9]+(\([^)]*\))?/.exec(declared)?.[0] ?? 'int';
  const baseType = type.replace(/\(.*/, '');
  const collation = /COLLATE (\w+)/.exec(declared)?.[1] ?? COLLATION;
  return {
    name,
    type,
    baseType,
    nullable: !declared.includes('NOT NULL'),
    hasDefault: declared.includes('DEFAULT'),
    readOnly: declared.includes('IDENTITY') || declared.startsWith('AS ') || baseType === 'rowversion',
    ...(CHARACTERS.has(baseType)
      ? {
          storage: {
            type: baseType,
            baseType,
            structure: {
              kind: 'characters',
              collation,
              codePage: collation.startsWith('Turkish') ? 1254 : 1252,
            },
          },
        }
      : {}),
  };
}

/** `CREATE TABLE` of the same declaration. */
export function ddl(name: string, declaration: Declaration): string {
  const { columns, primaryKey = [Object.keys(columns)[0] ?? ''], unique = [], references = {} } = declaration;
  const schema = declaration.schema ?? 'dbo';
  const quoted = (names: readonly string[]): string => names.map((each) => `[${each}]`).join(', ');
  const parts = [
    ...Object.entries(columns).map(([column, declared]) => `${quoteIdentifier(column)} ${declared}`),
    `CONSTRAINT [PK_${name}] PRIMARY KEY (${quoted(primaryKey)})`,
    ...unique.map((key) => `CONSTRAINT [UQ_${name}_${key.join('_')}] UNIQUE (${quoted(key)})`),
    ...Object.entries(references).map(([column, target]) => {
      const [referenced, referencedColumn] = target.split('.');
      return `CONSTRAINT [FK_${name}_${column}] FOREIGN KEY ([${column}]) REFERENCES [${schema}].[${referenced}] ([${referencedColumn}])`;
    }),
  ];
  return `CREATE TABLE [${schema}].[${name}] (${parts.join(', ')})`;
}

/** One of each kind of table that the connector writes. */
export const DECLARATIONS = {
  /** Made by a class: its key is the class's. */
  Person: {
    columns: {
      Id: 'nvarchar(50) NOT NULL',
      Name: 'nvarchar(100) NULL',
      Email: 'varchar(80) NULL',
      Born: 'date NULL',
      Salary: 'decimal(10,2) NULL',
      Boss: 'nvarchar(50) NULL',
    },
    references: { Boss: 'Person.Id' },
  },
  /** The database makes the key, the realm knows rows by `RealmId`. */
  Invoice: {
    columns: {
      InvoiceId: 'int IDENTITY(1,1) NOT NULL',
      RealmId: 'uniqueidentifier NULL',
      Total: 'money NOT NULL DEFAULT 0',
      At: 'datetimeoffset(3) NULL',
      Version: 'rowversion NOT NULL',
    },
    unique: [['RealmId']],
  },
  InvoiceLine: {
    columns: {
      InvoiceId: 'int NOT NULL',
      Line: 'smallint NOT NULL',
      Text: 'nvarchar(max) NULL',
      Proof: 'varbinary(max) NULL',
    },
    primaryKey: ['InvoiceId', 'Line'],
    references: { InvoiceId: 'Invoice.InvoiceId' },
  },
  /** A list of links. */
  __Person__Friends: {
    columns: { oid: 'nvarchar(50) NOT NULL', idx: 'int NOT NULL', target: 'nvarchar(50) NULL' },
    primaryKey: ['oid', 'idx'],
    references: { oid: 'Person.Id', target: 'Person.Id' },
  },
  /** A dictionary of numbers. */
  __Person__Marks: {
    columns: { oid: 'nvarchar(50) NOT NULL', key: 'nvarchar(200) NOT NULL', target: 'float NULL' },
    primaryKey: ['oid', 'key'],
    references: { oid: 'Person.Id' },
  },
  /** Every other type. */
  Everything: {
    columns: {
      Code: 'char(8) NOT NULL',
      Bit: 'bit NULL',
      Tiny: 'tinyint NULL',
      Big: 'bigint NULL',
      Real: 'real NULL',
      Money: 'smallmoney NULL',
      Time: 'time(7) NULL',
      Precise: 'datetime2(7) NULL',
      Old: 'datetime NULL',
      Minute: 'smalldatetime NULL',
      Fixed: 'binary(4) NULL',
      Turkish: 'varchar(20) COLLATE Turkish_CI_AS NULL',
      Long: 'varchar(max) NULL',
      Xml: 'xml NULL',
      Any: 'sql_variant NULL',
      'odd ] name': 'nchar(3) NULL',
    },
  },
} as const satisfies Record<string, Declaration>;

export type TableOf = keyof typeof DECLARATIONS;

export function declared(name: TableOf): TableInfo {
  return table(name, DECLARATIONS[name]);
}
