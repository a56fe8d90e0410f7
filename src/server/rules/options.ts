/** The rules as a configuration states them (docs/permissions.md). */

/** A predicate in the query language, or a constant. */
export type Condition = boolean | string;

export type FieldRule = { readonly read?: boolean; readonly write?: boolean };

/**
 * What users of a role may do with the objects of a class. The first role whose `applyWhen` holds counts, and only
 * that one.
 */
export type Role = {
  readonly name: string;
  /** On the user, such as `%%user.custom_data.team == 'ops'`. Default true. */
  readonly applyWhen?: Condition;
  /** Which objects are read, such as `owner == %%user.id`. Default false; what may be written may be read too. */
  readonly read?: Condition;
  /** Which objects are written: they must match before and after a change. Default false. */
  readonly write?: Condition;
  /** Whether objects that match `write` may be created. Default true. */
  readonly insert?: boolean;
  /** Whether objects that match `write` may be erased. Default true. */
  readonly delete?: boolean;
  /** Takes rights to single fields away; what is not said here comes from `additionalFields`. */
  readonly fields?: Readonly<Record<string, FieldRule>>;
  /** The rights to all fields that `fields` does not mention. Default: read and write. */
  readonly additionalFields?: FieldRule;
};

export type ClassRule = { readonly roles: readonly Role[] };

/** What can be done with a whole realm. Each level includes those before it. */
export const PATH_LEVELS = ['none', 'read', 'write', 'manage'] as const;
export type PathLevel = (typeof PATH_LEVELS)[number];

/** A right to the realms whose path fits. The first rule that fits path and user decides. */
export type PathRule = {
  /** Segments between slashes: text, `*` in a text, `~` or `:userId`, and `**` at the end (path-pattern.ts). */
  readonly path: string;
  /** Default `all`. */
  readonly users?: 'all' | string;
  readonly access: PathLevel;
};

export type RulesOptions = {
  /** Rules of the flexible realm by class; `*` stands for every class that is not named. */
  readonly classes?: Readonly<Record<string, ClassRule>>;
  /** Rights to the realms of partition-based sync, in order. */
  readonly paths?: readonly PathRule[];
};

/** Position in {@link PATH_LEVELS}, so that levels can be compared. */
export function levelRank(level: PathLevel): number {
  return PATH_LEVELS.indexOf(level);
}

export function higherLevel(a: PathLevel, b: PathLevel): PathLevel {
  return levelRank(a) >= levelRank(b) ? a : b;
}

/** True when `level` includes what `wanted` allows. */
export function includesLevel(level: PathLevel, wanted: PathLevel): boolean {
  return levelRank(level) >= levelRank(wanted);
}
