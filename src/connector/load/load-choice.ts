/**
 * Which tables a load concerns. A load that finds everything loaded before compares everything; one that finds tables
 * that were not loaded yet, or whose changes went unnoticed, brings just those, and says so.
 */
import { nearestName } from '../../schema/nearest-name.ts';
import type { ReplicaStore } from '../../store/replica/contract.ts';
import { tableId } from '../dialect.ts';
import { MappingError } from '../errors.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import { classStates } from '../schema-watch/class-states.ts';
import { readRun, readTableLoad } from './load-marks.ts';

export type LoadRequest = {
  /** Names of classes. */
  readonly only?: readonly string[];
  /** All tables, also when some were never loaded. */
  readonly compare?: boolean;
};

export type LoadChoice = {
  readonly classes: readonly ClassMapping[];
  /** Fewer than there are. */
  readonly isPart: boolean;
};

/** `feedCreated`: nothing that was loaded before is followed any more. Throws `MappingError` for the name of no class. */
export function chooseLoad(
  store: ReplicaStore,
  mapping: Mapping,
  feedCreated: boolean,
  { only, compare = false }: LoadRequest,
): LoadChoice {
  const all: LoadChoice = { classes: mapping.order, isPart: false };
  if (feedCreated) return all;
  if (only !== undefined) {
    const wanted = new Set(only.map((name) => classNamed(name, mapping).className));
    return { classes: mapping.order.filter(({ className }) => wanted.has(className)), isPart: true };
  }
  if (compare || readRun(store)?.state !== 'complete') return all;
  const states = classStates(store);
  const classes = mapping.order.filter(
    ({ className, table }) =>
      states.get(className)?.state === 'comparing' ||
      readTableLoad(store, tableId(table.table))?.state !== 'done',
  );
  return classes.length === 0 || classes.length === mapping.order.length ? all : { classes, isPart: true };
}

function classNamed(name: string, mapping: Mapping): ClassMapping {
  const mapped = mapping.forClass(name);
  if (mapped !== undefined) return mapped;
  const known = mapping.order.map(({ className }) => className);
  const nearest = nearestName(name, known);
  throw new MappingError(`there is no class ${name} to be loaded`, {
    remedy: nearest === undefined ? `the classes are ${known.join(', ')}` : `did you mean ${nearest}?`,
  });
}
