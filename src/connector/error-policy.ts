/** `ignoreSQLerrors`: whether what one side refuses of the other is put aside, or stops the connector there. */

/** For all classes, or by class; classes that are not named are put aside. */
export type ErrorPolicy = boolean | ReadonlyMap<string, boolean>;

/**
 * True when a transaction that concerns these classes may be put aside. It is put aside as a whole, so that one class
 * whose changes must not be is enough to stop.
 */
export function putsAside(policy: ErrorPolicy, classes: Iterable<string>): boolean {
  if (typeof policy === 'boolean') return policy;
  for (const name of classes) if (policy.get(name) === false) return false;
  return true;
}
