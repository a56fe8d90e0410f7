import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { Operand } from '../../src/merge/operand.ts';
import { mergePair } from '../../src/merge/pair-rules.ts';
import { type StampedChangeset, transform } from '../../src/merge/transform.ts';
import { TransformError } from '../../src/merge/transform-error.ts';
import { Model } from './model.ts';
import { formatAll } from './notation.ts';
import { type Draw, randomChanges } from './random-changes.ts';

type Side = readonly StampedChangeset[];

/** Cuts instructions into changesets with their own stamps, increasing on each side. */
function cut(instructions: readonly Instruction[], fileIdent: number, draw: Draw): Side {
  const changesets: StampedChangeset[] = [];
  let timestamp = draw(4);
  for (let start = 0; start < instructions.length; ) {
    const end = start + 1 + draw(4);
    changesets.push({
      changeset: { strings: [], instructions: instructions.slice(start, end) },
      timestamp,
      fileIdent,
    });
    timestamp += draw(3);
    start = end;
  }
  return changesets;
}

function scenario(seed: number): { start: Model; local: Side; incoming: Side } {
  const draw = drawFrom(seed);
  const start = new Model();
  randomChanges(start, draw, 12);
  const local = cut(randomChanges(start.clone(), draw, 1 + draw(8)), 2, draw);
  const incoming = cut(randomChanges(start.clone(), draw, 1 + draw(8)), 3, draw);
  return { start, local, incoming };
}

/** Small multiplicative generator, so that one number replays a whole scenario. */
function drawFrom(seed: number): Draw {
  let state = (seed >>> 0) + 1;
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}

const instructionsOf = (side: readonly { changeset: StampedChangeset['changeset'] }[]) =>
  side.flatMap(({ changeset }) => changeset.instructions);

/** The double loop of spec/merge-rules.md §2, over everything. */
function transformNaively(local: Side, incoming: Side): [Instruction[], Instruction[]] {
  const operands = (side: Side) =>
    side.flatMap((stamped) => stamped.changeset.instructions.map((i) => new Operand(i, stamped)));
  const left = operands(local);
  const right = operands(incoming);
  const remaining: Instruction[] = [];
  const meet = (l: Operand, start: number): void => {
    for (let i = start; i < right.length && l.instruction !== undefined; i++) {
      const r = right[i]!;
      if (r.instruction === undefined) continue;
      mergePair(l, r);
      for (const operand of l.prepended?.splice(0) ?? []) meet(operand, i + 1);
      const before = r.prepended?.splice(0) ?? [];
      right.splice(i, 0, ...before);
      i += before.length;
    }
    if (l.instruction !== undefined) remaining.push(l.instruction);
  };
  for (const l of left) meet(l, 0);
  return [remaining, right.flatMap(({ instruction }) => instruction ?? [])];
}

/** Changes to classes and columns among changes to objects; not always sensible together. */
function schemaScenario(seed: number): { local: Side; incoming: Side } {
  const draw = drawFrom(seed);
  const pick = <T>(choices: readonly T[]): T => choices[draw(choices.length)]!;
  const instruction = (): Instruction => {
    const table = pick(['T', 'U', 'V']);
    const field = pick(['f', 'g']);
    const key = { type: 'int', value: BigInt(draw(2)) } as const;
    const value = { type: 'int', value: BigInt(draw(5)) } as const;
    const linkTarget = pick(['T', 'U', 'V']);
    const type = pick(['int', 'int', 'string'] as const);
    const primaryKey = { field: '_id', type, nullable: false };
    return pick<Instruction>([
      { op: 'AddTable', table, kind: 'topLevel', primaryKey },
      { op: 'EraseTable', table },
      {
        op: 'AddColumn',
        table,
        field,
        column: { type: 'link', nullable: true, collection: 'single', linkTarget },
      },
      { op: 'EraseColumn', table, field },
      { op: 'CreateObject', table, key },
      { op: 'EraseObject', table, key },
      { op: 'Update', table, key, field, path: [], value, isDefault: false },
      { op: 'Update', table, key, field, path: [], value, isDefault: false },
      { op: 'AddInteger', table, key, field, path: [], addend: 1n },
    ]);
  };
  const side = (fileIdent: number) => cut(Array.from({ length: 1 + draw(6) }, instruction), fileIdent, draw);
  return { local: side(2), incoming: side(3) };
}

const textOrError = (merge: () => [readonly Instruction[], readonly Instruction[]]): string => {
  try {
    return merge().map(formatAll).join(' | ');
  } catch (error) {
    if (error instanceof TransformError) return 'ERROR';
    throw error;
  }
};

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const settings = { numRuns: 4_000, verbose: fc.VerbosityLevel.None };

test('both orders of merging reach the same state', () => {
  let conflicts = 0;
  fc.assert(
    fc.property(seeds, (seed) => {
      const { start, local, incoming } = scenario(seed);
      const merged = transform(local, incoming);
      if (merged.local.some(({ changed }) => changed)) conflicts += 1;
      const describe = () =>
        [
          start.fingerprint(),
          ...[local, incoming, merged.local, merged.incoming].map((s) => formatAll(instructionsOf(s))),
        ].join('\n');
      const localFirst = start.clone().apply(instructionsOf(local)).apply(instructionsOf(merged.incoming));
      const incomingFirst = start.clone().apply(instructionsOf(incoming)).apply(instructionsOf(merged.local));
      expect(localFirst.fingerprint(), describe()).toBe(incomingFirst.fingerprint());
    }),
    settings,
  );
  expect(conflicts).toBeGreaterThan(settings.numRuns / 10);
});

test('grouping by object gives what comparing everything gives', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { local, incoming } = scenario(seed);
      const merged = transform(local, incoming);
      expect([instructionsOf(merged.local), instructionsOf(merged.incoming)]).toEqual(
        transformNaively(local, incoming),
      );
    }),
    settings,
  );
});

test('grouping holds up when classes and columns are added and erased', () => {
  let merged = 0;
  fc.assert(
    fc.property(seeds, (seed) => {
      const { local, incoming } = schemaScenario(seed);
      const grouped = textOrError(() => {
        const result = transform(local, incoming);
        return [instructionsOf(result.local), instructionsOf(result.incoming)];
      });
      expect(grouped).toBe(textOrError(() => transformNaively(local, incoming)));
      if (grouped !== 'ERROR') merged += 1;
    }),
    settings,
  );
  expect(merged).toBeGreaterThan(settings.numRuns / 10);
});

test('the arguments of a merge stay as they were, and unchanged changesets are passed through', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const { local, incoming } = scenario(seed);
      const before = structuredClone([local, incoming]);
      const merged = transform(local, incoming);
      expect([local, incoming]).toEqual(before);
      for (const [side, result] of [
        [local, merged.local],
        [incoming, merged.incoming],
      ] as const) {
        side.forEach(({ changeset }, i) => {
          expect(result[i]!.changed).toBe(result[i]!.changeset !== changeset);
        });
      }
    }),
    { ...settings, numRuns: 300 },
  );
});

test('a thousand changes against a thousand on other objects compare nothing', () => {
  const updates = (offset: number, link?: bigint): Instruction[] =>
    Array.from({ length: 1_000 }, (_, i) => ({
      op: 'Update',
      table: 'T',
      key: { type: 'int', value: BigInt(i + offset) },
      field: 'n',
      path: [],
      value:
        link === undefined
          ? { type: 'int', value: 1n }
          : { type: 'link', table: 'Hub', key: { type: 'int', value: link } },
      isDefault: false,
    }));
  const side = (instructions: Instruction[], fileIdent: number): Side => [
    { changeset: { strings: [], instructions }, timestamp: 1, fileIdent },
  ];
  expect(transform(side(updates(0), 2), side(updates(1_000), 3)).visitedPairs).toBe(0);
  // All of them link to one object, and half of the objects are the same on both sides.
  expect(transform(side(updates(0, 7n), 2), side(updates(500, 7n), 3)).visitedPairs).toBe(500);
});
