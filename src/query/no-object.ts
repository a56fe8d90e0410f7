/** What conditions without properties are asked about: they read nothing, so that nothing will do. */
import { NULL } from '../schema/value.ts';
import type { QueryObject, QueryWorld } from './contract.ts';

export const NO_OBJECT: QueryObject = { key: NULL, state: { fields: new Map() } };
export const NO_WORLD: QueryWorld = {
  schema: new Map(),
  object: () => undefined,
  objects: () => [],
  linking: () => [],
};
