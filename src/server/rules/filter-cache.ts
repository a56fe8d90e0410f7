/**
 * Filters of rules compiled for users. A filter's meaning depends on the user only through the variables that it names,
 * so that users with the same values share one compiled query.
 */
import { compileQuery } from '../../query/compile.ts';
import type { Query } from '../../query/contract.ts';
import type { RealmSchema } from '../../schema/definition.ts';
import type { RuleUser } from './contract.ts';
import { userVariable, withVariables } from './user-variables.ts';

/** Compiled filters kept of one text: those that name the user's id differ for everyone, at a few KiB each. */
const MOST_KEPT = 1_000;

type Variable = readonly string[];

/** What is known of one text for one class and schema. */
type Texts = {
  /** Each set of variables that a compilation asked for: one, unless asking depends on the values. */
  readonly asked: Variable[][];
  readonly compiled: Map<string, Query>;
};

export type FilterScope = {
  readonly user: RuleUser;
  readonly table: string;
  readonly schema: RealmSchema;
  readonly shape: number;
};

export class FilterCache {
  readonly #schemas = new WeakMap<
    RealmSchema,
    { readonly shape: number; readonly texts: Map<string, Texts> }
  >();

  /** Throws `QueryError` when the text is no query of the class in that schema. */
  compile(text: string, { user, table, schema, shape }: FilterScope): Query {
    const texts = this.#texts(text, table, schema, shape);
    for (const variables of texts.asked) {
      const known = texts.compiled.get(valuesOf(user, variables));
      if (known !== undefined) return known;
    }
    const asked = new Map<string, Variable>();
    const query = withVariables(user, (variables) =>
      compileQuery(text, {
        schema,
        table,
        variables: (path) => {
          asked.set(JSON.stringify(path), path);
          return variables(path);
        },
      }),
    );
    if (texts.compiled.size >= MOST_KEPT) texts.compiled.clear();
    const used = [...asked.values()];
    if (!texts.asked.some((known) => sameVariables(known, used))) texts.asked.push(used);
    texts.compiled.set(valuesOf(user, used), query);
    return query;
  }

  #texts(text: string, table: string, schema: RealmSchema, shape: number): Texts {
    const known = this.#schemas.get(schema);
    const kept = known?.shape === shape ? known : { shape, texts: new Map<string, Texts>() };
    if (kept !== known) this.#schemas.set(schema, kept);
    const name = JSON.stringify([table, text]);
    const texts = kept.texts.get(name) ?? { asked: [], compiled: new Map<string, Query>() };
    kept.texts.set(name, texts);
    return texts;
  }
}

/** The names stand beside the values, so that sets of variables cannot be mistaken for one another. */
function valuesOf(user: RuleUser, variables: readonly Variable[]): string {
  const values = variables.map((path) => [path, userVariable(user, path)]);
  return JSON.stringify(values, (_name, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    return value;
  });
}

function sameVariables(a: readonly Variable[], b: readonly Variable[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
