/**
 * The rules of the flexible realm: per class the roles in order, compiled for users as they come. Of a user's roles the
 * first that applies counts. Administrators have all rights; whoever has no role has none.
 */
import type { Logger } from '../../log.ts';
import { QueryError } from '../../query/query-error.ts';
import type { ClassDefinition, RealmSchema } from '../../schema/definition.ts';
import { nearestName } from '../../schema/nearest-name.ts';
import { classAccess, EVERYTHING, noAccess } from './class-access.ts';
import { conditionHolds } from './condition.ts';
import type { ClassAccess, FlexibleRules, RowRule, RuleUser } from './contract.ts';
import { FieldRights } from './field-rights.ts';
import { FilterCache, type FilterScope } from './filter-cache.ts';
import type { ClassRule, Condition, Role } from './options.ts';

/** Stands for every class that the rules do not name. */
export const ANY_CLASS = '*';
/** Different problems that are logged: with the data of thousands of users a text could fail in as many ways. */
const MOST_REPORTED = 1_000;

/** The role's fields must exist, unless it stands for classes of all kinds. */
type CompiledRole = { readonly role: Role; readonly fields: FieldRights; readonly checksFields: boolean };

/** Access that was compiled against a schema of a certain shape. */
type Kept = { readonly access: ClassAccess; readonly shape: number };

/** Everybody may everything: development. */
export const EVERYBODY_EVERYTHING: FlexibleRules = { schemaMayGrow: true, access: () => EVERYTHING };

export class ClassRules implements FlexibleRules {
  readonly schemaMayGrow: boolean;
  readonly #classes: ReadonlyMap<string, readonly CompiledRole[]>;
  readonly #logger: Logger;
  readonly #filters = new FilterCache();
  readonly #kept = new WeakMap<RuleUser, WeakMap<RealmSchema, Map<string, Kept>>>();
  /** Problems that were logged already. */
  readonly #reported = new Set<string>();

  /** The rules are free of faults (check-rules.ts). */
  constructor(
    classes: Readonly<Record<string, ClassRule>>,
    { schemaMayGrow, logger }: { schemaMayGrow: boolean; logger: Logger },
  ) {
    this.schemaMayGrow = schemaMayGrow;
    this.#logger = logger;
    this.#classes = new Map(
      Object.entries(classes).map(([table, { roles }]) => [
        table,
        roles.map((role) => ({
          role,
          fields: new FieldRights(role),
          checksFields: table !== ANY_CLASS,
        })),
      ]),
    );
  }

  access(user: RuleUser, table: string, schema: RealmSchema): ClassAccess {
    if (user.isAdmin) return EVERYTHING;
    const kept = this.#keptOf(user, schema);
    const shape = shapeOf(schema);
    const known = kept.get(table);
    if (known?.shape === shape) return known.access;
    const access = this.#compile({ user, table, schema, shape });
    // Names of classes that do not exist come from clients, in any number.
    if (schema.has(table)) kept.set(table, { access, shape });
    return access;
  }

  #compile(scope: FilterScope): ClassAccess {
    const { user, table, schema } = scope;
    const roles = this.#classes.get(table) ?? this.#classes.get(ANY_CLASS) ?? [];
    // A role that cannot be judged must not let a later, wider one count, and gives no access itself.
    let judged: Role | undefined;
    try {
      const applying = roles.find(({ role }) => {
        judged = role;
        return conditionHolds(role.applyWhen ?? true, user);
      });
      return applying === undefined ? noAccess() : this.#roleAccess(applying, scope);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      if (schema.has(table) && judged !== undefined) this.#report(table, judged, error.message);
      return noAccess(judged?.name);
    }
  }

  #roleAccess({ role, fields, checksFields }: CompiledRole, scope: FilterScope): ClassAccess {
    const definition = scope.schema.get(scope.table);
    const missing = checksFields && definition ? missingField(role, definition) : undefined;
    if (missing !== undefined) {
      // A mistyped name would leave the field open that was meant.
      this.#report(scope.table, role, missing);
      return noAccess(role.name);
    }
    return classAccess({
      role: role.name,
      read: this.#filter(readCondition(role), scope),
      write: this.#filter(role.write ?? false, scope),
      mayInsert: role.insert ?? true,
      mayDelete: role.delete ?? true,
      fields,
      key: definition?.primaryKey?.field,
    });
  }

  #filter(condition: Condition, scope: FilterScope): RowRule {
    if (typeof condition === 'boolean') return condition ? 'all' : 'none';
    const query = this.#filters.compile(condition, scope);
    if (query.constant === undefined) return query;
    return query.constant ? 'all' : 'none';
  }

  /** Says what is wrong once, and not for every user and object. */
  #report(table: string, role: Role, reason: string): void {
    const problem = JSON.stringify([table, role.name, reason]);
    if (this.#reported.has(problem) || this.#reported.size >= MOST_REPORTED) return;
    this.#reported.add(problem);
    this.#logger.warn(
      `the role "${role.name}" of class ${table} cannot be used and gives no access: ${reason}`,
    );
  }

  #keptOf(user: RuleUser, schema: RealmSchema): Map<string, Kept> {
    const bySchema = this.#kept.get(user) ?? new WeakMap<RealmSchema, Map<string, Kept>>();
    const byTable = bySchema.get(schema) ?? new Map<string, Kept>();
    bySchema.set(schema, byTable);
    this.#kept.set(user, bySchema);
    return byTable;
  }
}

/** What may be written may be read. */
function readCondition({ read = false, write = false }: Role): Condition {
  if (read === true || write === true) return true;
  if (read === false) return write;
  return write === false || write === read ? read : `(${read}) OR (${write})`;
}

/** Says which of the role's fields the class does not have, if any. */
function missingField(
  { fields = {} }: Role,
  { name, columns, primaryKey }: ClassDefinition,
): string | undefined {
  const missing = Object.keys(fields).find((field) => !columns.has(field) && field !== primaryKey?.field);
  if (missing === undefined) return undefined;
  const nearest = nearestName(missing, columns.keys());
  return `${name} has no property '${missing}'${nearest === undefined ? '' : `, did you mean '${nearest}'?`}`;
}

/**
 * Changes whenever classes or properties are added or removed: a realm's schema is one object that grows in place, and
 * a filter that did not fit it may do so later.
 */
function shapeOf(schema: RealmSchema): number {
  let shape = 0;
  for (const { columns } of schema.values()) shape += 1 + columns.size;
  return shape;
}
