/** Statements that define objects, principals and permissions. */
import type { Condition, Expression, TypeName } from './ast-expressions.ts';
import type { CommonTable, ObjectName, QueryExpression } from './ast-queries.ts';

export type ReferentialAction = 'noAction' | 'cascade' | 'setNull' | 'setDefault';

export type KeyColumn = { readonly name: string; readonly descending: boolean };

export type ConstraintBody =
  | {
      readonly kind: 'primaryKey' | 'unique';
      /** Absent: as the server chooses, clustered for a primary key. */
      readonly clustered: boolean | undefined;
      readonly columns: readonly KeyColumn[];
    }
  | {
      readonly kind: 'foreignKey';
      readonly columns: readonly string[];
      readonly table: ObjectName;
      /** Absent: its primary key. */
      readonly references: readonly string[] | undefined;
      readonly onDelete: ReferentialAction;
      readonly onUpdate: ReferentialAction;
    }
  /** `text` is the source between the parentheses, for the catalog; `column` the one that it stands at. */
  | {
      readonly kind: 'check';
      readonly condition: Condition;
      readonly text: string;
      readonly column: string | undefined;
    }
  /** `column` is the one it is for: given by FOR, or the one it stands at. */
  | { readonly kind: 'default'; readonly column: string; readonly value: Expression; readonly text: string };

export type TableConstraint = {
  readonly line: number;
  readonly name: string | undefined;
  readonly body: ConstraintBody;
};

export type ColumnDefinition = {
  readonly line: number;
  readonly name: string;
  /** Absent for a computed column. */
  readonly type: TypeName | undefined;
  readonly computed:
    | { readonly expression: Expression; readonly text: string; readonly persisted: boolean }
    | undefined;
  readonly collation: string | undefined;
  /** Absent: not said. */
  readonly nullable: boolean | undefined;
  readonly identity: { readonly seed: bigint; readonly increment: bigint } | undefined;
  readonly rowGuid: boolean;
  readonly sparse: boolean;
  /** Constraints that stand at the column; keys and checks name their columns as those of the table do. */
  readonly constraints: readonly TableConstraint[];
};

export type IndexDefinition = {
  readonly line: number;
  readonly name: string;
  readonly unique: boolean;
  readonly clustered: boolean;
  readonly columns: readonly KeyColumn[];
  readonly included: readonly string[];
  readonly filter: { readonly condition: Condition; readonly text: string } | undefined;
};

export type AlterTableAction =
  | {
      readonly kind: 'add';
      /** `WITH NOCHECK ADD`. */
      readonly check: boolean;
      readonly columns: readonly ColumnDefinition[];
      readonly constraints: readonly TableConstraint[];
      /** `WITH VALUES` of a DEFAULT. */
      readonly withValues: boolean;
    }
  | {
      readonly kind: 'alterColumn';
      readonly name: string;
      readonly type: TypeName;
      readonly collation: string | undefined;
      readonly nullable: boolean | undefined;
    }
  | {
      readonly kind: 'drop';
      readonly items: readonly {
        readonly kind: 'column' | 'constraint';
        readonly name: string;
        readonly ifExists: boolean;
      }[];
    }
  | {
      readonly kind: 'checkConstraint';
      /** `WITH CHECK`: also verify the rows that are there. */
      readonly verify: boolean;
      readonly enabled: boolean;
      /** Absent: ALL. */
      readonly names: readonly string[] | undefined;
    }
  | { readonly kind: 'enableChangeTracking'; readonly trackColumns: boolean }
  | { readonly kind: 'disableChangeTracking' }
  | { readonly kind: 'switch'; readonly target: ObjectName };

export type DataDefinition =
  | {
      readonly kind: 'createTable';
      readonly line: number;
      readonly name: ObjectName;
      readonly columns: readonly ColumnDefinition[];
      readonly constraints: readonly TableConstraint[];
      readonly indexes: readonly IndexDefinition[];
    }
  | {
      readonly kind: 'alterTable';
      readonly line: number;
      readonly name: ObjectName;
      readonly action: AlterTableAction;
    }
  | {
      readonly kind: 'drop';
      readonly line: number;
      readonly what: 'table' | 'schema' | 'database' | 'user' | 'login' | 'role' | 'sequence' | 'view';
      readonly names: readonly ObjectName[];
      readonly ifExists: boolean;
    }
  | { readonly kind: 'truncateTable'; readonly line: number; readonly name: ObjectName }
  | {
      readonly kind: 'createIndex';
      readonly line: number;
      readonly table: ObjectName;
      readonly index: IndexDefinition;
    }
  | {
      readonly kind: 'alterIndex';
      readonly line: number;
      /** Absent: ALL. */
      readonly name: string | undefined;
      readonly table: ObjectName;
      readonly action: 'disable' | 'rebuild' | 'reorganize';
    }
  | {
      readonly kind: 'dropIndex';
      readonly line: number;
      readonly ifExists: boolean;
      readonly indexes: readonly { readonly name: string; readonly table: ObjectName }[];
    }
  | {
      readonly kind: 'createSchema';
      readonly line: number;
      readonly name: string;
      readonly owner: string | undefined;
    }
  | {
      readonly kind: 'createView';
      readonly line: number;
      readonly name: ObjectName;
      readonly columns: readonly string[] | undefined;
      readonly query: QueryExpression;
      readonly commonTables: readonly CommonTable[];
      /** The whole statement, for the catalog. */
      readonly text: string;
    }
  | {
      readonly kind: 'createSequence';
      readonly line: number;
      readonly name: ObjectName;
      readonly type: TypeName | undefined;
      readonly start: bigint | undefined;
      readonly increment: bigint | undefined;
    }
  | {
      readonly kind: 'createDatabase';
      readonly line: number;
      readonly name: string;
      readonly collation: string | undefined;
    }
  | {
      readonly kind: 'createLogin' | 'alterLogin';
      readonly line: number;
      readonly name: string;
      readonly password: string | undefined;
      readonly defaultDatabase: string | undefined;
      /** ALTER LOGIN … ENABLE | DISABLE. */
      readonly enabled: boolean | undefined;
    }
  | {
      readonly kind: 'createUser' | 'alterUser';
      readonly line: number;
      readonly name: string;
      /** Absent: the login of the same name; `null`: WITHOUT LOGIN. */
      readonly login: string | null | undefined;
      readonly defaultSchema: string | undefined;
    }
  | { readonly kind: 'createRole'; readonly line: number; readonly name: string }
  | {
      readonly kind: 'alterRole';
      readonly line: number;
      /** A role of the database or of the server. */
      readonly scope: 'database' | 'server';
      readonly role: string;
      readonly change: 'add' | 'drop';
      readonly member: string;
    }
  | PermissionStatement;

export type PermissionStatement = {
  readonly kind: 'grant' | 'deny' | 'revoke';
  readonly line: number;
  /** In upper case with single spaces, e.g. `VIEW CHANGE TRACKING`; `ALL`. */
  readonly permissions: readonly { readonly name: string; readonly columns: readonly string[] | undefined }[];
  readonly securable:
    | { readonly kind: 'object'; readonly name: ObjectName }
    | { readonly kind: 'schema' | 'database'; readonly name: string }
    /** No ON: the current database, or the server for permissions such as VIEW SERVER STATE. */
    | { readonly kind: 'current' };
  readonly principals: readonly string[];
  readonly grantOption: boolean;
};

export type AlterDatabase = {
  readonly kind: 'alterDatabase';
  readonly line: number;
  /** Absent: CURRENT. */
  readonly name: string | undefined;
  readonly changes: readonly DatabaseChange[];
  /** `WITH ROLLBACK IMMEDIATE | NO_WAIT | ROLLBACK AFTER n`. */
  readonly termination: 'rollbackImmediate' | 'noWait' | undefined;
};

export type DatabaseChange =
  | {
      readonly kind: 'changeTracking';
      /** Absent: `SET CHANGE_TRACKING (options)`, which changes the options of one that is on. */
      readonly on: boolean | undefined;
      readonly retention:
        | { readonly period: number; readonly unit: 'minutes' | 'hours' | 'days' }
        | undefined;
      readonly autoCleanup: boolean | undefined;
    }
  /** Names in upper case, e.g. ALLOW_SNAPSHOT_ISOLATION, READ_COMMITTED_SNAPSHOT, AUTO_CLOSE. */
  | { readonly kind: 'option'; readonly name: string; readonly on: boolean }
  | { readonly kind: 'compatibilityLevel'; readonly level: number }
  | {
      readonly kind: 'state';
      readonly state:
        | 'online'
        | 'offline'
        | 'emergency'
        | 'readOnly'
        | 'readWrite'
        | 'singleUser'
        | 'multiUser'
        | 'restrictedUser';
    }
  | { readonly kind: 'recovery'; readonly model: 'full' | 'simple' | 'bulkLogged' }
  | { readonly kind: 'collate'; readonly collation: string }
  | { readonly kind: 'modifyName'; readonly name: string };
