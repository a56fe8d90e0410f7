/** The realm of the simulation: its schema, and what its users write, subscribe to and are allowed to, at random. */
import type { Instruction, ObjectInstruction } from '../../../src/changeset/instruction.ts';
import type { ColumnDefinition, RealmSchema } from '../../../src/schema/definition.ts';
import { keyFromToken, keyToken, type PrimaryKey, type ScalarValue } from '../../../src/schema/value.ts';
import type { RulesOptions } from '../../../src/server/rules/options.ts';
import { defaultValue, readField } from '../../../src/store/state/default-value.ts';
import type { ObjectState, StateValue } from '../../../src/store/state/object-state.ts';
import { emptyObject, Model, nodeOf } from '../../merge/model.ts';
import { KEYS, randomChanges } from '../../merge/random-changes.ts';
import type { Random } from '../../support/random.ts';

const column = (type: ColumnDefinition['type'], rest: Partial<ColumnDefinition> = {}): ColumnDefinition => ({
  type,
  nullable: false,
  collection: 'single',
  ...rest,
});

const COLUMNS: Readonly<Record<string, Readonly<Record<string, ColumnDefinition>>>> = {
  E: { x: column('int', { nullable: true }), y: column('int', { nullable: true }) },
  U: {
    team: column('string', { nullable: true }),
    level: column('int'),
    boss: column('link', { nullable: true, linkTarget: 'U' }),
  },
  T: {
    n: column('int', { nullable: true }),
    l: column('int', { collection: 'list' }),
    d: column('mixed', { nullable: true, collection: 'dictionary' }),
    s: column('int', { collection: 'set' }),
    m: column('mixed', { nullable: true }),
    e: column('link', { nullable: true, linkTarget: 'E' }),
    es: column('link', { collection: 'list', linkTarget: 'E' }),
    g: column('int'),
    owner: column('link', { nullable: true, linkTarget: 'U' }),
    rels: column('link', { collection: 'list', linkTarget: 'T' }),
    secret: column('string'),
  },
  R: { n: column('int') },
};

export const TABLES = ['T', 'U'] as const;
/** Properties of the model that test/merge makes random changes to. */
const MODELLED = ['n', 'l', 'd', 's', 'm', 'e', 'es'];

const table = (
  name: string,
  kind: 'topLevel' | 'embedded' | 'asymmetric',
  type?: 'int' | 'string',
): Instruction => ({
  op: 'AddTable',
  table: name,
  kind,
  ...(type && { primaryKey: { field: '_id', type, nullable: false } }),
});

export const SCHEMA: readonly Instruction[] = [
  table('E', 'embedded'),
  table('U', 'topLevel', 'string'),
  table('T', 'topLevel', 'int'),
  table('R', 'asymmetric', 'int'),
  ...Object.entries(COLUMNS).flatMap(([name, columns]) =>
    Object.entries(columns).map(([field, definition]): Instruction => {
      return { op: 'AddColumn', table: name, field, column: definition };
    }),
  ),
];

const ROLE = '%%user.custom_data.role';
const TEAM = '%%user.custom_data.team';

/** Roles that see and write everything, what a query selects, other fields, nothing. */
export const RULES: RulesOptions = {
  classes: {
    T: {
      roles: [
        { name: 'chief', applyWhen: `${ROLE} == 'chief'`, write: true },
        {
          name: 'member',
          applyWhen: `${ROLE} == 'member'`,
          read: `g < 4 OR owner.team == ${TEAM}`,
          write: `g < 3`,
          fields: { secret: { read: false } },
        },
        {
          name: 'guest',
          applyWhen: `${ROLE} == 'guest'`,
          read: `g != 1`,
          write: 'g == 2',
          delete: false,
          fields: { l: { write: false }, m: { read: false }, secret: { read: false } },
        },
        { name: 'reader', applyWhen: `${ROLE} == 'reader'`, read: 'ANY rels.g < 3 OR g == 2' },
      ],
    },
    U: {
      roles: [
        { name: 'chief', applyWhen: `${ROLE} == 'chief'`, write: true },
        {
          name: 'member',
          applyWhen: `${ROLE} == 'member'`,
          read: true,
          write: `team == ${TEAM} OR team == NULL`,
        },
        { name: 'guest', applyWhen: `${ROLE} == 'guest'`, read: 'level < 3', write: true, insert: false },
      ],
    },
    R: {
      roles: [
        { name: 'guest', applyWhen: `${ROLE} == 'guest'`, read: true },
        { name: 'all', write: true },
      ],
    },
  },
};

export type CustomData = { readonly role: string; readonly team: string };

const ROLES = [
  'chief',
  'chief',
  'chief',
  'chief',
  'member',
  'member',
  'member',
  'guest',
  'reader',
  'stranger',
];

export function randomRights(random: Random): CustomData {
  const role = random.pick(ROLES);
  return { role, team: random.pick(['red', 'blue']) };
}

export function randomQuery(of: (typeof TABLES)[number], random: Random): string {
  const k = random.below(5);
  const isBroad = random.chance(0.5);
  const choices =
    of === 'T' ? (isBroad ? BROAD_T_QUERIES : T_QUERIES) : isBroad ? BROAD_U_QUERIES : U_QUERIES;
  const text = random
    .pick(choices)
    .replaceAll('K', String(k))
    .replaceAll('TEAM', random.pick(['red', 'blue']));
  return !isBroad && random.chance(0.1) ? `NOT (${text})` : text;
}

/** Through these most is seen. */
const BROAD_T_QUERIES: readonly string[] = [
  'TRUEPREDICATE',
  'g != K',
  'g < 4',
  '_id < 7',
  'NONE rels.g == K',
];
const BROAD_U_QUERIES: readonly string[] = ['TRUEPREDICATE', 'level != K', "team != 'TEAM'"];

const T_QUERIES: readonly string[] = [
  'TRUEPREDICATE',
  'g == K',
  'g >= K',
  'g IN {1, K}',
  '_id IN {2, 3, K}',
  '_id < K',
  'n == 1 OR g == K',
  'l.@size > 1',
  'ANY l > K',
  's.@count > 1',
  'ANY es.x > 3',
  'e != NULL',
  "owner.team == 'TEAM'",
  "owner.boss.team == 'TEAM'",
  'owner.level > 1 AND g < 4',
  'ANY rels.g == K',
  'NONE rels.g == K',
  'rels.@count > 1',
  'ANY rels.owner.level == K',
  '@links.T.rels.@count > 0',
  'ANY @links.T.rels.g == K',
];

const U_QUERIES: readonly string[] = [
  'TRUEPREDICATE',
  "team == 'TEAM'",
  'level > K',
  "boss.team == 'TEAM'",
  '@links.T.owner.@count > 1',
  'ANY @links.T.owner.g == K',
  'ANY @links.T.owner.rels.g == K',
  '@links.U.boss.@count > 0 OR level == K',
];

/** What a writer has of the realm. */
export type Local = {
  object(table: string, key: PrimaryKey): ObjectState | undefined;
  objects(table: string): Iterable<{ readonly key: PrimaryKey; readonly state: ObjectState }>;
};

/** Small enough that writers meet. */
const T_KEYS = 9;
const U_KEYS = 5;

const int = (value: number) => ({ type: 'int', value: BigInt(value) }) as const;
const text = (value: string) => ({ type: 'string', value }) as const;
const userKey = (random: Random): PrimaryKey => text(`u${random.below(U_KEYS)}`);
const NOTHING: ScalarValue = { type: 'null' };

/** Classes in which objects are made; in others only what is there is changed, as an app does that knows its rights. */
export type Manners = { readonly makes: ReadonlySet<string> } | 'none';

/** A transaction of one to three changes as an app could make them with what it has. */
export function randomTransaction(local: Local, random: Random, manners: Manners = 'none'): Instruction[] {
  const working = new Overlay(local, manners);
  const made: Instruction[] = [];
  const count = 1 + random.below(3);
  for (let i = 0; i < count; i += 1) {
    const drawn = random.below(20);
    const change =
      drawn === 0 ? report(random) : drawn < 7 ? userChange(working, random) : itemChange(working, random);
    // One change of an object in a transaction: the next one is made on what the first has left.
    if (change.length === 0 || !working.take(change)) continue;
    made.push(...change);
  }
  return made;
}

/** Each object is changed once in a transaction, so that what was written needs no model. */
class Overlay {
  readonly local: Local;
  readonly #manners: Manners;
  readonly #touched = new Set<string>();

  constructor(local: Local, manners: Manners) {
    this.local = local;
    this.#manners = manners;
  }

  /** The key of the object to change or to make; undefined when that is against good manners. */
  choose(of: string, any: PrimaryKey, random: Random): PrimaryKey | undefined {
    if (this.#manners === 'none') return any;
    const present = [...this.local.objects(of)];
    if (present.length > 0 && random.chance(0.8)) return random.pick(present).key;
    return this.local.object(of, any) !== undefined || this.#manners.makes.has(of) ? any : undefined;
  }

  take(change: readonly ObjectInstruction[]): boolean {
    const first = change[0];
    if (first === undefined) return false;
    const name = `${first.table} ${keyToken(first.key)}`;
    if (this.#touched.has(name)) return false;
    this.#touched.add(name);
    return true;
  }
}

function report(random: Random): ObjectInstruction[] {
  const key = int(random.below(1_000_000));
  return [
    { op: 'CreateObject', table: 'R', key },
    { op: 'Update', table: 'R', key, field: 'n', path: [], value: int(1), isDefault: false },
  ];
}

const set = (of: string, key: PrimaryKey, field: string, value: ScalarValue): ObjectInstruction => ({
  op: 'Update',
  table: of,
  key,
  field,
  path: [],
  value,
  isDefault: false,
});

function userChange(overlay: Overlay, random: Random): ObjectInstruction[] {
  const { local } = overlay;
  const key = overlay.choose('U', userKey(random), random);
  if (key === undefined) return [];
  const team = (): ScalarValue => random.pick([NOTHING, text('red'), text('blue')]);
  const level = (): ScalarValue => int(random.below(5));
  if (local.object('U', key) === undefined) {
    return [
      { op: 'CreateObject', table: 'U', key },
      set('U', key, 'team', team()),
      set('U', key, 'level', level()),
    ];
  }
  switch (random.below(6)) {
    case 0: {
      const erased: ObjectInstruction = { op: 'EraseObject', table: 'U', key };
      const again: ObjectInstruction = { op: 'CreateObject', table: 'U', key };
      return random.chance(0.3) ? [erased, again, set('U', key, 'team', team())] : [erased];
    }
    case 1:
      return [set('U', key, 'level', level())];
    case 2:
      return [{ op: 'AddInteger', table: 'U', key, field: 'level', path: [], addend: 1n }];
    case 3:
      return [set('U', key, 'boss', userLink(random))];
    default:
      return [set('U', key, 'team', team())];
  }
}

const userLink = (random: Random): ScalarValue =>
  random.chance(0.2) ? NOTHING : { type: 'link', table: 'U', key: userKey(random) };

function newItem(key: PrimaryKey, random: Random): ObjectInstruction[] {
  const fresh: ObjectInstruction[] = [
    { op: 'CreateObject', table: 'T', key },
    set('T', key, 'g', int(random.below(5))),
  ];
  if (random.chance(0.5)) fresh.push(set('T', key, 'owner', userLink(random)));
  if (random.chance(0.3)) fresh.push(set('T', key, 'secret', text('new')));
  if (random.chance(0.5)) {
    const at = { table: 'T', key, field: 'l', path: [0] };
    fresh.push({ op: 'ArrayInsert', ...at, value: int(random.below(9)), priorSize: 0 });
  }
  return fresh;
}

function itemChange(overlay: Overlay, random: Random): ObjectInstruction[] {
  const { local } = overlay;
  const key = overlay.choose('T', int(random.below(T_KEYS)), random);
  if (key === undefined) return [];
  const state = local.object('T', key);
  const erased: ObjectInstruction = { op: 'EraseObject', table: 'T', key };
  if (state === undefined) {
    const fresh = newItem(key, random);
    return random.chance(0.05) ? [...fresh, erased] : fresh;
  }
  const drawn = random.below(12);
  if (drawn === 0) return random.chance(0.3) ? [erased, ...newItem(key, random)] : [erased];
  if (drawn < 3) return [set('T', key, 'g', int(random.below(5)))];
  if (drawn === 3) return [set('T', key, 'owner', userLink(random))];
  if (drawn < 6) return relation(key, state, random);
  if (drawn === 6) return [set('T', key, 'secret', text(secret(random)))];
  return modelledChange(key, state, random);
}

/** Now and then so large that states are sent in place of what led to them. */
function secret(random: Random): string {
  const drawn = random.below(150);
  const size = drawn === 0 ? 5_000_000 : drawn < 4 ? 300_000 : 1;
  return `s${random.below(3)}`.padEnd(size);
}

function relation(key: PrimaryKey, state: ObjectState, random: Random): ObjectInstruction[] {
  const rels = state.fields.get('rels');
  const priorSize = rels?.type === 'list' ? rels.items.length : 0;
  const on = { table: 'T', key, field: 'rels' } as const;
  const at = (index: number) => ({ ...on, path: [index], priorSize });
  const value: ScalarValue = { type: 'link', table: 'T', key: int(random.below(T_KEYS)) };
  if (priorSize === 0 || random.chance(0.5)) {
    return [{ op: 'ArrayInsert', ...at(random.below(priorSize + 1)), value }];
  }
  const index = random.below(priorSize);
  if (random.chance(0.4)) return [{ op: 'ArrayErase', ...at(index) }];
  if (random.chance(0.3)) return [{ op: 'Clear', ...on, path: [], collection: 'list' }];
  return [{ op: 'Update', ...at(index), value }];
}

/** A change that the merge's own tests make, of this object in place of one of theirs. */
function modelledChange(key: PrimaryKey, state: ObjectState, random: Random): ObjectInstruction[] {
  const fields = emptyObject();
  for (const field of MODELLED) {
    const definition = COLUMNS.T?.[field];
    if (definition !== undefined) fields.set(field, nodeOf(readField(state, field, definition)));
  }
  const model = new Model(new Map(KEYS.map((token) => [token, structuredClone(fields)])));
  const drawn = randomChanges(model, (end) => random.below(end), 1);
  return drawn.flatMap((instruction) =>
    'key' in instruction && keyFromToken(KEYS[0]).type === 'int' ? [{ ...instruction, key }] : [],
  );
}

/** What an app reads of an object, field by field; a field that is not shown reads as if it was never written. */
export function objectText(
  schema: RealmSchema,
  of: string,
  state: ObjectState,
  shows: (field: string) => boolean = () => true,
): string {
  return [...(schema.get(of)?.columns ?? [])]
    .map(([field, definition]) => {
      const value = shows(field) ? readField(state, field, definition) : defaultValue(definition);
      return `${field}=${valueText(value)}`;
    })
    .sort()
    .join(' ');
}

function valueText(value: StateValue): string {
  switch (value.type) {
    case 'object':
      return `{${entriesText(value.fields)}}`;
    case 'list':
      return `[${value.items.map(valueText).join()}]`;
    case 'dictionary':
      return `<${entriesText(value.entries, true)}>`;
    case 'set':
      return `(${[...value.items.keys()].sort().join()})`;
    case 'link':
      return `${value.table}/${keyToken(value.key)}`;
    case 'int':
      return `${value.value}`;
    case 'string':
      return JSON.stringify(value.value.trimEnd());
    default:
      return value.type;
  }
}

/** A field of an embedded object that was never written reads as null, like one that was written so. */
function entriesText(entries: ReadonlyMap<string, StateValue>, withNulls = false): string {
  return [...entries]
    .filter(([, value]) => withNulls || value.type !== 'null')
    .map(([name, value]) => `${name}:${valueText(value)}`)
    .sort()
    .join();
}
