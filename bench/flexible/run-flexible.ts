/** The figures of flexible sync and of its query language. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../measure.ts';
import { benchBootstrap } from './bootstrap.ts';
import { benchFanOut, FAN_OUTS } from './fan-out.ts';
import { benchQueries } from './queries.ts';

export type FlexibleBench = {
  readonly directory: string;
  /** Objects of the realm of the bootstraps. */
  readonly objects: number;
  /** Which parts: `queries`, `bootstrap`, `fan-out`. */
  readonly parts: ReadonlySet<string>;
  /** Directory for profiles of the server's processor. */
  readonly profile: string | undefined;
};

export async function measureFlexible({ directory, objects, parts, profile }: FlexibleBench): Promise<Row[]> {
  mkdirSync(directory);
  const rows: Row[] = [];
  if (parts.has('queries')) rows.push(...benchQueries());
  if (parts.has('bootstrap')) rows.push(...(await benchBootstrap(directory, objects, profile)));
  if (parts.has('fan-out')) {
    for (const fanOut of FAN_OUTS) rows.push(...(await benchFanOut(join(directory), fanOut, profile)));
  }
  return rows;
}
