/** What a comparison of tables and realms finds. */

/**
 * - `different`: row and object are both there and say different things.
 * - `rowWithoutObject`: the realm that the row belongs to has no such object.
 * - `objectWithoutRow`: no row has the object's key.
 * - `wrongRealm`: the row is there, and belongs to another realm than this object (or to none).
 */
export const DIFFERENCE_KINDS = ['different', 'rowWithoutObject', 'objectWithoutRow', 'wrongRealm'] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/**
 * - `standing`: both sides stood still and yet differ.
 * - `explained`: a policy of the configuration accepts it; the reason is given.
 * - `changing`: one of the sides kept changing while it was looked at, or the adapter was behind all the time.
 */
export const DIFFERENCE_STATES = ['standing', 'explained', 'changing'] as const;
export type DifferenceState = (typeof DIFFERENCE_STATES)[number];

export type PropertyDifference = {
  readonly property: string;
  /** As the database writes the value; `null` is NULL. Several columns are joined by commas. */
  readonly sql: string | null;
  readonly realm: string | null;
};

/** One object or row on which the two sides do not agree. */
export type Difference = {
  readonly kind: DifferenceKind;
  readonly state: DifferenceState;
  readonly className: string;
  /** `schema.table`. */
  readonly table: string;
  readonly key: string;
  /** The realm of the object, or the one that the row belongs to. */
  readonly realmPath: string;
  /** Of `different` only. */
  readonly properties: readonly PropertyDifference[];
  /** Why it is accepted, or why the one side cannot hold what the other has. */
  readonly reason?: string;
};
