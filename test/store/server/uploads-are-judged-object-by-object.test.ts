import { expect, onTestFinished, test } from 'vitest';
import type { Instruction, ObjectInstruction } from '../../../src/changeset/instruction.ts';
import { keyToken } from '../../../src/schema/value.ts';
import type { UploadEntry } from '../../../src/store/server/contract.ts';
import type { Correction, FlexibleJudge, Verdict } from '../../../src/store/server/flexible-contract.ts';
import { HistoryError } from '../../../src/store/server/history-error.ts';
import { openServerStore } from '../../../src/store/server/open.ts';
import { applyInstructions } from '../../../src/store/state/apply.ts';
import type { ObjectState } from '../../../src/store/state/object-state.ts';
import { MemoryView } from '../../../src/store/state/view.ts';
import { Random, testSeed } from '../../support/random.ts';
import { createItem, entry, SCHEMA, setItem, upload } from './changes.ts';
import { copyOf, objectText, RandomRealm, REALM_SCHEMA } from './random-realm.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const ACCEPTED: Verdict = { kind: 'accepted' };
const CORRECTED: Verdict = { kind: 'corrected' };
const refused = (reason: string): Verdict => ({ kind: 'refused', reason });
const START = { serverVersion: 0, clientVersion: 0 };
const noLimit = Number.POSITIVE_INFINITY;

/** Accepts everything that applies. */
const LENIENT: FlexibleJudge = {
  beforeApplying: () => ACCEPTED,
  afterApplying: () => ACCEPTED,
  schemaChange() {},
  doesNotApply: () => undefined,
};

/** A verdict that is the same whenever it is asked for. */
function chance(text: string, outOf: number): number {
  let sum = 7;
  for (const letter of text) sum = (sum * 31 + letter.charCodeAt(0)) % 1_000_003;
  return sum % outOf;
}

const numberOf = (state: ObjectState | undefined): bigint | undefined => {
  const n = state?.fields.get('n');
  return n?.type === 'int' ? n.value : undefined;
};

const judgeBefore = (place: string): Verdict => {
  const drawn = chance(place, 10);
  return drawn < 2 ? refused('at first') : drawn < 4 ? CORRECTED : ACCEPTED;
};
/** Looks at both states: what was or becomes 3 stays as it was. */
const judgeAfter = (before: ObjectState | undefined, after: ObjectState | undefined): Verdict =>
  numberOf(after) === 3n || (after === undefined && numberOf(before) === 2n)
    ? refused('afterwards')
    : ACCEPTED;

const JUDGE: FlexibleJudge = {
  beforeApplying: ({ table, key }, { clientVersion }) =>
    judgeBefore(`${table} ${keyToken(key)} ${clientVersion}`),
  afterApplying: (_change, before, after) => judgeAfter(before, after),
  schemaChange() {},
  doesNotApply: () => refused('does not apply'),
};

const objectOf = ({ table, key }: ObjectInstruction): string => `${table} ${keyToken(key)}`;
const isOfObject = (instruction: Instruction): instruction is ObjectInstruction => 'key' in instruction;

/** The instructions that the judge leaves of a changeset on a state, and the outcome by object. */
function judged(state: MemoryView, instructions: readonly Instruction[], clientVersion: number) {
  const outcomes = new Map<string, string>();
  const changes = instructions.filter(isOfObject);
  for (const change of changes) {
    const place = objectOf(change);
    const verdict = judgeBefore(`${place} ${clientVersion}`);
    if (verdict.kind !== 'accepted') outcomes.set(place, verdict.kind === 'refused' ? verdict.reason : '');
  }
  const isOut = (place: string): boolean => (outcomes.get(place) ?? '') !== '';
  for (const place of new Set(changes.map(objectOf))) {
    if (isOut(place)) continue;
    const own = changes.filter((change) => objectOf(change) === place);
    const { table, key } = own[0]!;
    const trial = cloneOf(state);
    try {
      applyInstructions(trial, own);
    } catch {
      outcomes.set(place, 'does not apply');
      continue;
    }
    const verdict = judgeAfter(state.object(table, key), trial.object(table, key));
    if (verdict.kind === 'refused') outcomes.set(place, verdict.reason);
  }
  return { left: changes.filter((change) => !isOut(objectOf(change))), outcomes };
}

function cloneOf(view: MemoryView): MemoryView {
  const clone = new MemoryView();
  applyInstructions(clone, REALM_SCHEMA);
  for (const table of ['Owner', 'Item', 'Report']) {
    for (const { key, state } of view.objects(table)) {
      const { fields } = clone.createObject(table, key);
      for (const [name, value] of state.fields) fields.set(name, structuredClone(value));
    }
  }
  return clone;
}

const outcomesOf = ({ objects }: Correction): Map<string, string> =>
  new Map(objects.map(({ table, key, reason }) => [`${table} ${keyToken(key)}`, reason ?? '']));

test.each([testSeed(), testSeed() + 1, testSeed() + 2])(
  'what a random judge refuses leaves no trace but a correction (seed %i)',
  async (seed) => {
    const random = new Random(seed);
    const directory = temporaryDirectory();
    let store = await openServerStore(directory);
    let realm = await store.realm('/');
    await realm.enableFlexibleSync();
    await realm.write(REALM_SCHEMA);
    for (const field of ['n', 'others']) await realm.ensureIndex('Item', field);
    const { fileIdent } = await realm.allocateClientFile();
    let state = new MemoryView();
    applyInstructions(state, REALM_SCHEMA);
    const expected: Map<string, string>[] = [];
    let clientVersion = 1;
    for (let round = 0; round < 60; round += 1) {
      const base = realm.head.version;
      const before = copyOf(realm.now);
      const uploads: UploadEntry[] = [];
      const appended: (readonly Instruction[])[] = [];
      for (let i = 0; i <= random.below(3); i += 1) {
        clientVersion += 1;
        // Made on another state: some of it does not apply here, some only in part.
        const foreign = new RandomRealm(random);
        if (random.chance(0.7)) foreign.changes();
        const instructions = [...foreign.changes(), ...foreign.changes()];
        const { left, outcomes } = judged(state, instructions, clientVersion);
        state = cloneOf(state);
        applyInstructions(state, left);
        uploads.push(entry(clientVersion, 1, instructions));
        appended.push(left);
        if (outcomes.size > 0) expected.push(outcomes);
      }
      await realm.integrateFlexible(fileIdent, upload(...uploads), JUDGE);
      expect(realm.head.version).toBe(base + uploads.length);
      for (const table of ['Owner', 'Item', 'Report']) {
        const stored = [...realm.now.objects(table)];
        const wanted = new Map([...state.objects(table)].map((o) => [keyToken(o.key), objectText(o.state)]));
        expect(new Map(stored.map((o) => [keyToken(o.key), objectText(o.state)]))).toEqual(wanted);
      }
      const window = realm.now.window(base);
      expect(copyOf(window.before)).toEqual(before);
      const entries = [...window.entries()].map(({ instructions }) => instructions);
      expect(entries).toEqual(appended);
      for (const value of [0n, 1n, 2n]) {
        const found = [...realm.now.withValue('Item', 'n', [{ type: 'int', value }])];
        const all = [...realm.now.objects('Item')];
        expect(found).toEqual(all.filter((o) => (numberOf(o.state) ?? 0n) === value));
      }
      if (round % 20 === 19) {
        await store.close();
        store = await openServerStore(directory);
        realm = await store.realm('/');
      }
    }
    const corrections = realm.flexible.corrections(fileIdent, 0);
    expect(corrections.map(outcomesOf)).toEqual(expected);
    const middle = corrections[Math.floor(corrections.length / 2)]!.version;
    expect(realm.flexible.corrections(fileIdent, middle)).toEqual(
      corrections.filter(({ version }) => version > middle),
    );
    const acknowledging = { clientVersion: clientVersion + 1, serverVersion: middle };
    await realm.integrateFlexible(fileIdent, { ...upload(), progress: acknowledging }, JUDGE);
    expect(realm.flexible.corrections(fileIdent, 0)[0]?.version).toBeGreaterThan(middle);
    await store.close();
  },
);

async function flexibleRealm() {
  const store = await openServerStore(temporaryDirectory());
  onTestFinished(() => store.close());
  const realm = await store.realm('/');
  await realm.enableFlexibleSync();
  await realm.write(SCHEMA);
  const [first, second] = [await realm.allocateClientFile(), await realm.allocateClientFile()];
  return { realm, first: first.fileIdent, second: second.fileIdent };
}

test('a changeset of which nothing is left still takes a version, and tells others nothing', async () => {
  const { realm, first, second } = await flexibleRealm();
  const judge = { ...LENIENT, beforeApplying: () => refused('never') };
  const { version } = await realm.integrateFlexible(first, upload(entry(2, 1, [createItem(1)])), judge);
  expect(version).toBe(2);
  const { entries, cursor } = await realm.download(second, START, noLimit);
  expect(entries.map(({ serverVersion }) => serverVersion)).toEqual([1]);
  expect(cursor.serverVersion).toBe(2);
  expect(realm.now.object('Item', { type: 'int', value: 1n })).toBeUndefined();
  expect(realm.flexible.corrections(first, 1)).toEqual([
    {
      version: 2,
      clientVersion: 2,
      objects: [{ table: 'Item', key: { type: 'int', value: 1n }, reason: 'never' }],
    },
  ]);
  expect(realm.flexible.corrections(first, 2)).toEqual([]);
  expect(realm.flexible.corrections(second, 0)).toEqual([]);
});

test('texts of refused objects do not travel inside the entry of the accepted ones', async () => {
  const { realm, first } = await flexibleRealm();
  await realm.write([
    {
      op: 'AddColumn',
      table: 'Item',
      field: 's',
      column: { type: 'string', nullable: true, collection: 'single' },
    },
  ]);
  const secret = (id: number, value: string): Instruction => {
    return {
      op: 'Update',
      table: 'Item',
      key: { type: 'int', value: BigInt(id) },
      field: 's',
      path: [],
      value: { type: 'string', value },
      isDefault: false,
    };
  };
  const judge: FlexibleJudge = {
    ...LENIENT,
    beforeApplying: ({ key }) => (key.type === 'int' && key.value === 2n ? refused('no') : ACCEPTED),
  };
  const instructions = [createItem(1), secret(1, 'shown'), createItem(2), secret(2, 'hidden')];
  await realm.integrateFlexible(first, upload(entry(2, 2, instructions)), judge);
  const other = (await realm.allocateClientFile()).fileIdent;
  const { entries } = await realm.download(other, { serverVersion: 2, clientVersion: 0 }, noLimit);
  const bytes = Buffer.from(entries[0]?.changeset ?? []).toString('latin1');
  expect(bytes).toContain('shown');
  expect(bytes).not.toContain('hidden');
});

test('what depends on a refused object is judged again without it', async () => {
  const { realm, first } = await flexibleRealm();
  // Each item needs the one before it.
  const judge: FlexibleJudge = {
    ...LENIENT,
    afterApplying: ({ key }, _before, _after, _entry, state) => {
      if (key.type !== 'int') return ACCEPTED;
      const needed = { type: 'int', value: key.value - 1n } as const;
      return key.value === 0n || state.object('Item', needed) !== undefined ? ACCEPTED : refused('alone');
    },
  };
  const whole = [0, 1, 2].map(createItem);
  const broken = [11, 12, 13].map(createItem);
  await realm.integrateFlexible(first, upload(entry(2, 1, [...whole, ...broken])), judge);
  const left = [...realm.now.objects('Item')].map(({ key }) => keyToken(key));
  expect(left).toEqual(['i0', 'i1', 'i2']);
});

test('an upload merges with what its client had not seen before it is judged', async () => {
  const { realm, first, second } = await flexibleRealm();
  await realm.write([createItem(1), setItem(1, 5)]);
  const older = { ...entry(2, 2, [setItem(1, 6)]), timestamp: 10 };
  const newer = { ...entry(2, 2, [setItem(1, 7)]), timestamp: 20 };
  await realm.integrateFlexible(first, upload(newer), LENIENT);
  const seen: (readonly Instruction[])[] = [];
  const judge: FlexibleJudge = {
    ...LENIENT,
    beforeApplying: ({ instructions }) => {
      seen.push(instructions);
      return ACCEPTED;
    },
  };
  await realm.integrateFlexible(second, upload(older), judge);
  // The later write won: nothing is left to judge.
  expect(seen).toEqual([]);
  expect(numberOf(realm.now.object('Item', { type: 'int', value: 1n }))).toBe(7n);
  expect(realm.head.version).toBe(4);
});

test('a schema change that is refused, and a change that does not apply, fail the upload as a whole', async () => {
  const { realm, first } = await flexibleRealm();
  const column = { type: 'int', nullable: true, collection: 'single' } as const;
  const schema: Instruction = { op: 'AddColumn', table: 'Item', field: 'm', column };
  const judge: FlexibleJudge = {
    ...LENIENT,
    schemaChange: () => {
      throw new HistoryError(212, 'the schema is fixed');
    },
  };
  const good = entry(2, 1, [createItem(1)]);
  const failing = realm.integrateFlexible(first, upload(good, entry(3, 1, [schema])), judge);
  await expect(failing).rejects.toThrow('the schema is fixed');
  const misfit = realm.integrateFlexible(first, upload(good, entry(3, 1, [setItem(9, 1)])), LENIENT);
  await expect(misfit).rejects.toMatchObject({ protocolCode: 212 });
  expect(realm.head.version).toBe(1);
  expect(realm.now.count('Item')).toBe(0);
  expect(realm.schema.get('Item')?.columns.has('m')).toBe(false);
  await realm.integrateFlexible(first, upload(good, entry(3, 1, [schema, setItem(1, 3)])), LENIENT);
  expect(realm.schema.get('Item')?.columns.has('m')).toBe(true);
});
