/** Values on their way between a database and a realm: as texts of the database, and what converts them. */
import type { ScalarValue } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';

export type SqlText = string | null;
/** The database did not send this column because it did not change (an unchanged TOAST value). Never NULL. */
export const UNCHANGED: unique symbol = Symbol('unchanged');
export type FeedValue = SqlText | typeof UNCHANGED;

/** Converts one column's texts to one property's values and back. Both throw `DataError` on what does not fit. */
export type ValueCodec = {
  readonly toRealm: (text: string) => ScalarValue;
  readonly toSql: (value: ScalarValue) => SqlText;
};

/**
 * Converts one column's texts to the whole value of a property that is no scalar of a fixed type (a collection, an
 * embedded object, a mixed value) and back. A value that `toRealm` made and `toSql` writes again is equal to the
 * database; one that `toSql` wrote reads back as the same value. Both throw `DataError` on what does not fit.
 */
export type StateCodec = {
  readonly toRealm: (text: string) => StateValue;
  /** `null` for null and for an absent embedded object; an empty collection has a text of its own. */
  readonly toSql: (value: StateValue) => SqlText;
};
