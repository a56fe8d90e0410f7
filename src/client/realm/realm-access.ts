/** What the accessors of collections and objects need to turn places into values and values into instructions. */
import type { ScalarValue } from '../../schema/value.ts';
import type { Assigner } from './assign.ts';
import type { ElementType } from './element-type.ts';
import type { Place } from './place.ts';
import type { RealmCore } from './realm-core.ts';

export interface RealmAccess {
  readonly core: RealmCore;
  readonly assigner: Assigner;
  /** What a program sees in a place: a plain value, or an accessor that stays live. */
  read(place: Place, element: ElementType): unknown;
  /** What a program sees of a value that is no container. */
  convert(value: ScalarValue): unknown;
}
