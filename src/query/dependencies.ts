/** What the result of a query depends on, gathered from its operands. */
import type { LinkStep, QueryDependencies } from './contract.ts';

export type Dependencies = {
  readonly fields: readonly string[];
  readonly paths: readonly (readonly LinkStep[])[];
  readonly everything: boolean;
};

export const NO_DEPENDENCIES: Dependencies = { fields: [], paths: [], everything: false };

export function joinedDependencies(parts: Iterable<Dependencies>): Dependencies {
  const fields = new Set<string>();
  const paths = new Map<string, readonly LinkStep[]>();
  let everything = false;
  for (const part of parts) {
    for (const field of part.fields) fields.add(field);
    for (const path of part.paths) paths.set(JSON.stringify(path), path);
    everything ||= part.everything;
  }
  return { fields: [...fields], paths: [...paths.values()], everything };
}

/**
 * What a condition on the objects at the end of `outer` depends on. Inside of embedded objects no link step can name
 * the way, so that any change may matter.
 */
export function throughPath(outer: Dependencies, inner: Dependencies, isEmbedded: boolean): Dependencies {
  const [prefix = []] = outer.paths;
  return {
    fields: outer.fields,
    paths: isEmbedded ? outer.paths : [...outer.paths, ...inner.paths.map((path) => [...prefix, ...path])],
    everything: outer.everything || inner.everything || (isEmbedded && inner.paths.length > 0),
  };
}

/** Without ways that are the beginning of another one. */
export function publicDependencies(dependencies: Dependencies): QueryDependencies {
  const spelled = dependencies.paths.map((path) => path.map((step) => JSON.stringify(step)).join());
  const paths = dependencies.paths.filter(
    (_, at) => spelled[at] !== '' && !spelled.some((other) => other.startsWith(`${spelled[at]},`)),
  );
  return { fields: new Set(dependencies.fields), paths, everything: dependencies.everything };
}
