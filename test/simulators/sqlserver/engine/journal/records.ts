/** What the journal's lines hold: each line is one transaction, a list of these. */
import type { SqlType } from '../../contract.ts';
import type { RetentionUnit } from '../change-tracking/database-tracking.ts';
import type { Operation } from '../change-tracking/table-tracking.ts';
import type { Permission } from '../storage/database.ts';
import type { ReferentialAction } from '../storage/definition.ts';
import type { JsonDatum } from './values.ts';

export type ServerRecord = {
  readonly k: 'server';
  readonly commits: number;
  readonly nextDatabaseId: number;
  readonly nextPrincipalId: number;
  readonly logins: readonly {
    readonly name: string;
    readonly password: string;
    readonly sid: string;
    readonly principalId: number;
    readonly disabled: boolean;
    readonly defaultDatabase: string;
    readonly roles: readonly string[];
    readonly permissions: readonly string[];
  }[];
};

export type DatabaseRecord = {
  readonly k: 'database';
  readonly id: number;
  readonly name: string;
  readonly owner: string;
  readonly created: number;
  readonly collation: string;
  readonly compatibilityLevel: number;
  readonly snapshotIsolation: boolean;
  readonly readCommittedSnapshot: boolean;
  readonly readOnly: boolean;
  readonly state: 'online' | 'offline';
  readonly access: 'multiUser' | 'singleUser' | 'restrictedUser';
  readonly recovery: 'full' | 'simple' | 'bulkLogged';
  readonly options: readonly (readonly [string, boolean])[];
  readonly schemas: readonly { readonly id: number; readonly name: string; readonly owner: string }[];
  readonly principals: readonly {
    readonly id: number;
    readonly name: string;
    readonly kind: 'user' | 'role';
    readonly login?: string;
    readonly defaultSchema?: string;
    readonly memberOf: readonly string[];
    readonly created: number;
  }[];
  readonly permissions: readonly Permission[];
  readonly views: readonly {
    readonly id: number;
    readonly schema: string;
    readonly name: string;
    readonly text: string;
    readonly created: number;
  }[];
  readonly sequences: readonly {
    readonly id: number;
    readonly schema: string;
    readonly name: string;
    readonly type: SqlType;
    readonly start: string;
    readonly increment: string;
    readonly last: string | null;
  }[];
  readonly tracking: {
    readonly autoCleanup: boolean;
    readonly period: number;
    readonly unit: RetentionUnit;
    readonly current: number;
    readonly cleanupVersion: number;
  } | null;
  readonly rowVersion: string;
  readonly nextObjectId: number;
  readonly nextSchemaId: number;
  readonly nextPrincipalId: number;
};

export type TableRecord = {
  readonly k: 'table';
  readonly database: number;
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly created: number;
  readonly modified: number;
  readonly nextColumnId: number;
  readonly nextSlot: number;
  readonly nextRowId: number;
  readonly columns: readonly {
    readonly id: number;
    readonly name: string;
    readonly type: SqlType;
    readonly nullable: boolean;
    readonly collation?: string;
    readonly slot: number;
    readonly identity?: { readonly seed: string; readonly increment: string; readonly last: string | null };
    readonly default?: {
      readonly objectId: number;
      readonly name: string;
      readonly text: string;
      readonly systemNamed: boolean;
    };
    readonly computed?: { readonly text: string; readonly persisted: boolean };
    readonly rowGuid: boolean;
  }[];
  readonly indexes: readonly {
    readonly id: number;
    readonly name: string;
    readonly kind: 'primary key' | 'unique constraint' | 'index';
    readonly objectId?: number;
    readonly unique: boolean;
    readonly clustered: boolean;
    readonly columns: readonly { readonly id: number; readonly descending: boolean }[];
    readonly included: readonly number[];
    readonly filter?: string;
    readonly systemNamed: boolean;
  }[];
  readonly foreignKeys: readonly {
    readonly objectId: number;
    readonly name: string;
    readonly columns: readonly number[];
    readonly referencedTable: number;
    readonly referencedColumns: readonly number[];
    readonly onDelete: ReferentialAction;
    readonly onUpdate: ReferentialAction;
    readonly disabled: boolean;
    readonly trusted: boolean;
    readonly systemNamed: boolean;
  }[];
  readonly checks: readonly {
    readonly objectId: number;
    readonly name: string;
    readonly text: string;
    readonly column?: number;
    readonly disabled: boolean;
    readonly systemNamed: boolean;
  }[];
  readonly tracking: {
    readonly columnsTracked: boolean;
    readonly beginVersion: number;
    readonly minValidVersion: number;
    readonly cleanupVersion: number;
    readonly since: number;
  } | null;
};

export type JournalRecord =
  | ServerRecord
  | DatabaseRecord
  | TableRecord
  | { readonly k: 'noDatabase'; readonly id: number }
  | { readonly k: 'noTable'; readonly database: number; readonly id: number }
  /** All rows of a table; with `more`, further ones. */
  | {
      readonly k: 'rows';
      readonly more?: boolean;
      readonly database: number;
      readonly table: number;
      readonly rows: readonly (readonly [number, readonly JsonDatum[]])[];
    }
  /** All that change tracking knows of a table. */
  | {
      readonly k: 'tracked';
      readonly database: number;
      readonly table: number;
      readonly keys: readonly {
        readonly mapKey: string;
        readonly key: readonly JsonDatum[];
        readonly changes: readonly {
          readonly v: number;
          readonly o: Operation;
          readonly c?: readonly number[];
          readonly x?: string;
        }[];
      }[];
    }
  /** The commit table of a database. */
  | {
      readonly k: 'commits';
      readonly database: number;
      readonly commits: readonly (readonly [number, number, number])[];
    }
  | CommitRecord
  | { readonly k: 'cleanup' | 'restore'; readonly name: string; readonly version: number };

export type CommitRecord = {
  readonly k: 'commit';
  readonly commit: number;
  readonly time: number;
  /** The change tracking version that databases gave it, by their ids. */
  readonly versions: readonly (readonly [number, number])[];
  /** Database, table, row, its values (null: deleted), context, columns that an update set. */
  readonly changes: readonly (readonly [
    number,
    number,
    number,
    readonly JsonDatum[] | null,
    string | null,
    readonly number[] | null,
  ])[];
  /** Identity counters of the tables: database, table, last value. */
  readonly identities: readonly (readonly [number, number, string])[];
  /** Rowversion counters by database. */
  readonly rowVersions: readonly (readonly [number, string])[];
};
