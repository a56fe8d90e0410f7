/** Conditions in canonical form: folded, flattened, without duplicates, each with its text and its matcher. */
import type { PrimaryKey, ScalarValue } from '../schema/value.ts';
import type { ObjectState } from '../store/state/object-state.ts';
import { constantText } from './constants.ts';
import type { QueryWorld } from './contract.ts';
import { type Dependencies, joinedDependencies, NO_DEPENDENCIES } from './dependencies.ts';
import { type Membership, membership } from './membership.ts';
import type { Operand } from './operand.ts';
import { compareText } from './values.ts';

export type Matcher = (state: ObjectState, key: PrimaryKey, world: QueryWorld) => boolean;

type Common = { readonly text: string; readonly matches: Matcher; readonly dependencies: Dependencies };

export type Predicate = Common &
  (
    | { readonly kind: 'constant'; readonly value: boolean }
    | { readonly kind: 'and' | 'or'; readonly children: readonly Predicate[] }
    | { readonly kind: 'not'; readonly child: Predicate }
    /** One value is among constants: `==` and `IN`. */
    | {
        readonly kind: 'membership';
        readonly operand: Operand;
        readonly values: readonly ScalarValue[];
        readonly caseless: boolean;
      }
    /** Any other comparison; `elements` when it says that an element of a list is among constants. */
    | {
        readonly kind: 'test';
        readonly elements?: { readonly operand: Operand; readonly values: readonly ScalarValue[] };
      }
  );

const TRUE: Predicate = {
  kind: 'constant',
  value: true,
  text: 'TRUEPREDICATE',
  matches: () => true,
  dependencies: NO_DEPENDENCIES,
};
const FALSE: Predicate = {
  kind: 'constant',
  value: false,
  text: 'FALSEPREDICATE',
  matches: () => false,
  dependencies: NO_DEPENDENCIES,
};

export function constantPredicate(value: boolean): Predicate {
  return value ? TRUE : FALSE;
}

export function negated(child: Predicate): Predicate {
  if (child.kind === 'constant') return constantPredicate(!child.value);
  if (child.kind === 'not') return child.child;
  const { matches } = child;
  return {
    kind: 'not',
    child,
    text: `NOT ${child.kind === 'and' || child.kind === 'or' ? `(${child.text})` : child.text}`,
    matches: (state, key, world) => !matches(state, key, world),
    dependencies: child.dependencies,
  };
}

/** The value is one of `values`, which must be comparable with it. */
export function memberPredicate(
  operand: Operand,
  values: readonly ScalarValue[],
  caseless: boolean,
): Predicate {
  const byText = new Map(
    values.map((value): [string, ScalarValue] => [constantText(value, operand.type), value]),
  );
  const texts = [...byText.keys()].sort(compareText);
  const different = texts.map((text) => byText.get(text)!);
  if (different.length === 0 || operand.read === undefined) return FALSE;
  const fold = caseless ? '[c]' : '';
  const text = texts.length === 1 ? `==${fold} ${texts[0]}` : `IN${fold} {${texts.join(', ')}}`;
  const { read, readUnchecked } = operand;
  // Whether a target exists is looked up only for the few links that are meant.
  const first = different.some(({ type }) => type === 'null') ? undefined : readUnchecked;
  // Most of thousands of alternatives are merged into one before any object is judged.
  let isMember: Membership | undefined;
  return {
    kind: 'membership',
    operand,
    values: different,
    caseless,
    text: `${operand.text} ${text}`,
    matches: (state, key, world) => {
      isMember ??= membership(different, caseless);
      if (first !== undefined && !isMember(first(state, key, world))) return false;
      return isMember(read(state, key, world));
    },
    dependencies: operand.dependencies,
  };
}

export function joined(kind: 'and' | 'or', parts: readonly Predicate[]): Predicate {
  const decisive = kind === 'or';
  const byText = new Map<string, Predicate>();
  const flat = parts.flatMap((part) => (part.kind === kind ? part.children : [part]));
  for (const part of kind === 'or' ? mergedMembers(flat) : flat) {
    if (part.kind !== 'constant') byText.set(part.text, part);
    else if (part.value === decisive) return part;
  }
  const texts = [...byText.keys()].sort(compareText);
  const children = texts.map((text) => byText.get(text)!);
  const [only] = children;
  if (only === undefined) return constantPredicate(!decisive);
  if (children.length === 1) return only;
  return {
    kind,
    children,
    text: children
      .map((child) => (kind === 'and' && child.kind === 'or' ? `(${child.text})` : child.text))
      .join(kind === 'and' ? ' AND ' : ' OR '),
    matches: kind === 'and' ? everyOf(inOrderOfCost(children)) : someOf(inOrderOfCost(children)),
    dependencies: joinedDependencies(children.map(({ dependencies }) => dependencies)),
  };
}

/** `a == 1 OR a == 2` asks one hash instead of comparing in turn. */
function mergedMembers(parts: readonly Predicate[]): Predicate[] {
  const others: Predicate[] = [];
  const members = new Map<string, Extract<Predicate, { kind: 'membership' }>[]>();
  for (const part of parts) {
    if (part.kind !== 'membership') others.push(part);
    else {
      const name = `${part.caseless ? 'c' : ' '}${part.operand.text}`;
      const known = members.get(name);
      if (known === undefined) members.set(name, [part]);
      else known.push(part);
    }
  }
  for (const group of members.values()) {
    const [first] = group;
    if (group.length === 1) others.push(first!);
    else
      others.push(
        memberPredicate(
          first!.operand,
          group.flatMap(({ values }) => values),
          first!.caseless,
        ),
      );
  }
  return others;
}

/** What looks at the object alone comes before what follows links. */
function inOrderOfCost(children: readonly Predicate[]): Matcher[] {
  const cost = ({ dependencies }: Predicate) => dependencies.paths.length + (dependencies.everything ? 1 : 0);
  return [...children].sort((a, b) => cost(a) - cost(b)).map(({ matches }) => matches);
}

function everyOf(matchers: readonly Matcher[]): Matcher {
  const [first, second] = matchers;
  if (matchers.length === 2)
    return (state, key, world) => first!(state, key, world) && second!(state, key, world);
  return (state, key, world) => {
    for (const matches of matchers) if (!matches(state, key, world)) return false;
    return true;
  };
}

function someOf(matchers: readonly Matcher[]): Matcher {
  return (state, key, world) => {
    for (const matches of matchers) if (matches(state, key, world)) return true;
    return false;
  };
}
