/** Runs every case on one database. A dialect's test file is one call of {@link describeConformance}. */
import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { collectionCases } from './cases/collections.ts';
import { conflictCases } from './cases/conflicts.ts';
import { convergenceCases } from './cases/convergence.ts';
import { joinTableCases } from './cases/join-tables.ts';
import { keyCases } from './cases/keys.ts';
import { loadCases } from './cases/loading.ts';
import { realmCases } from './cases/many-realms.ts';
import { mappingCases } from './cases/mapping.ts';
import { policyCases } from './cases/policies.ts';
import { relationCases } from './cases/relations.ts';
import { rowCases } from './cases/rows-and-objects.ts';
import { watchedListConvergenceCases } from './cases/watched-list-convergence.ts';
import { watchedListCases } from './cases/watched-lists.ts';
import { Deployment, type DeploymentOptions } from './deployment.ts';
import type { Capability, ConformanceTarget } from './target.ts';

/** What a case is given: a deployment on a database of its own, closed when the case is over. */
export type Deploy = (options: DeploymentOptions) => Promise<Deployment>;
/** Declares a case; it is skipped where one of its needs is missing. */
export type Case = (
  promise: string,
  needs: readonly Capability[],
  run: (deploy: Deploy) => Promise<void>,
) => void;
export type Cases = { readonly about: string; readonly declare: (declareCase: Case) => void };

const ALL: readonly Cases[] = [
  rowCases,
  relationCases,
  watchedListCases,
  watchedListConvergenceCases,
  joinTableCases,
  collectionCases,
  keyCases,
  conflictCases,
  mappingCases,
  realmCases,
  policyCases,
  loadCases,
  convergenceCases,
];

export function describeConformance(target: ConformanceTarget): void {
  describe(`a connector to ${target.name}`, () => {
    const open: Deployment[] = [];
    beforeAll(() => target.start());
    afterEach(async () => {
      for (const deployment of open.splice(0)) await deployment.close();
    });
    afterAll(() => target.stop());
    const deploy: Deploy = async (options) => {
      const deployment = await Deployment.open(await target.open(), options);
      open.push(deployment);
      return deployment;
    };
    for (const { about, declare } of ALL) {
      describe(about, () => {
        declare((promise, needs, run) => {
          const missing = needs.filter((need) => !target.capabilities.has(need));
          const name =
            missing.length === 0 ? promise : `${promise} (${target.name} has no ${missing.join(', ')})`;
          it.skipIf(missing.length > 0)(name, () => run(deploy));
        });
      });
    }
  });
}
