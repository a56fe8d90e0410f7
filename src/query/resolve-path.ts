/** Paths against the classes of a schema: which hops they take, what stands at their end, what they depend on. */
import type { ClassDefinition, ColumnDefinition, RealmSchema } from '../schema/definition.ts';
import { nearestName } from '../schema/nearest-name.ts';
import type { ValueType } from '../schema/value.ts';
import type { LinkStep } from './contract.ts';
import { EVERY, type Hop } from './hops.ts';
import { MAX_NESTING } from './limits.ts';
import type { NestedStep } from './nested-values.ts';
import {
  hasLengths,
  nameText,
  nestedStep,
  type Part,
  pathText,
  type ResolvedPath,
  stepText,
  type Terminal,
} from './path-plan.ts';
import type { QueryError } from './query-error.ts';
import type { PathElement } from './syntax.ts';

/** What objects are called inside of a subquery, as given and in the canonical text. */
export type ScopeVariable = { readonly name: string; readonly printed: string };

/** Where names of properties are looked up, and how to complain. */
export type Scope = {
  readonly schema: RealmSchema;
  readonly table: string;
  /** The variable of the subquery that the path stands in. */
  readonly variable?: ScopeVariable;
  /** How many subqueries the path stands in. */
  readonly depth?: number;
  readonly fault: (at: number, reason: string) => QueryError;
};

type BackwardStep = Extract<LinkStep, { kind: 'backward' }>;

export class PathResolver {
  readonly #scope: Scope;
  readonly #elements: readonly PathElement[];
  readonly #hops: Hop[] = [];
  readonly #steps: LinkStep[] = [];
  /** Ways that part at the end, to the objects of `@links` of all classes. */
  readonly #branches: LinkStep[][] = [];
  readonly #fields: string[] = [];
  readonly #text: string[] = [];
  #everything = false;
  #inEmbedded = false;
  #isSingle = true;
  #table: string;
  #at = 0;

  constructor(elements: readonly PathElement[], scope: Scope) {
    this.#scope = scope;
    this.#elements = elements;
    this.#table = scope.table;
  }

  resolve(): ResolvedPath {
    const first = this.#elements[0]!;
    if (this.#elements.length > MAX_NESTING)
      throw this.#scope.fault(first.at, `a path has at most ${MAX_NESTING} steps`);
    if (this.#scope.variable !== undefined) this.#skipVariable(first, this.#scope.variable);
    while (this.#at < this.#elements.length) {
      const end = this.#step();
      if (end !== undefined) return this.#finished(end.terminal, end.type);
    }
    return this.#finished({ kind: 'object' }, 'link');
  }

  #skipVariable(first: PathElement, { name, printed }: ScopeVariable): void {
    this.#text.push(printed);
    if (first.kind !== 'name' || first.name !== name) return;
    if (this.#elements.length === 1)
      throw this.#scope.fault(first.at, `'${name}' stands for an object, name one of its properties`);
    this.#at = 1;
  }

  #finished(terminal: Terminal, type: ValueType): ResolvedPath {
    const surplus = this.#elements[this.#at];
    if (surplus !== undefined) throw this.#noSuchStep(surplus);
    return {
      hops: this.#hops,
      terminal,
      type,
      table: this.#table,
      isSingle: this.#isSingle,
      dependencies: {
        fields: this.#fields,
        paths: [this.#steps, ...this.#branches].filter((path) => path.length > 0),
        everything: this.#everything,
      },
      text: pathText(this.#text),
    };
  }

  #noSuchStep(element: PathElement): QueryError {
    const before = this.#text.at(-1) ?? this.#table;
    if (element.kind === 'name')
      return this.#scope.fault(
        element.at,
        `'${before}' of class '${this.#table}' has no property '${element.name}'`,
      );
    return this.#scope.fault(element.at, `'${before}' of class '${this.#table}' cannot be indexed like this`);
  }

  #definition(at: number): ClassDefinition {
    const definition = this.#scope.schema.get(this.#table);
    if (definition === undefined)
      throw this.#scope.fault(
        at,
        this.#table === ''
          ? 'no property can be used here, only literals and variables'
          : `there is no class '${this.#table}'`,
      );
    return definition;
  }

  /** Takes the next element, and those that belong to it. Returns what it ends at, if it ends. */
  #step(): { terminal: Terminal; type: ValueType } | undefined {
    const element = this.#elements[this.#at]!;
    this.#at += 1;
    if (element.kind === 'links') return this.#backlinks(element.at);
    if (element.kind !== 'name') {
      this.#at -= 1;
      throw this.#noSuchStep(element);
    }
    const definition = this.#definition(element.at);
    this.#text.push(nameText(element.name));
    if (definition.primaryKey?.type !== 'globalKey' && definition.primaryKey?.field === element.name)
      return { terminal: { kind: 'key' }, type: definition.primaryKey.type };
    const column = definition.columns.get(element.name);
    if (column === undefined) throw this.#unknownProperty(element.at, element.name, definition);
    if (this.#hops.length === 0) this.#fields.push(element.name);
    if (column.type === 'link' && column.linkTarget !== '') return this.#link(element.name, column);
    if (column.collection !== 'single') return this.#collection(element.name, column);
    return this.#single(element.name, column);
  }

  #unknownProperty(at: number, name: string, definition: ClassDefinition): QueryError {
    const key = definition.primaryKey?.field;
    const near = nearestName(name, [...definition.columns.keys(), ...(key ? [key] : [])]);
    const hint = near === undefined ? '' : `, did you mean '${near}'?`;
    return this.#scope.fault(at, `class '${definition.name}' has no property '${name}'${hint}`);
  }

  #single(field: string, column: ColumnDefinition): { terminal: Terminal; type: ValueType } {
    if (column.type !== 'mixed' || this.#at === this.#elements.length)
      return {
        terminal: { kind: 'property', field, column },
        type: column.type === 'link' ? 'mixed' : column.type,
      };
    return this.#nested(field, column, []);
  }

  #nested(
    field: string,
    column: ColumnDefinition,
    before: NestedStep[],
  ): { terminal: Terminal; type: ValueType } {
    const steps = before;
    for (; this.#at < this.#elements.length; this.#at++) {
      const element = this.#elements[this.#at]!;
      const step = nestedStep(element);
      if (step === undefined) throw this.#noSuchStep(element);
      if (step.kind === 'key') this.#everything = true;
      if (step.kind === 'keys' && this.#at < this.#elements.length - 1)
        throw this.#noSuchStep(this.#elements[this.#at + 1]!);
      steps.push(step);
      this.#text.push(stepText(step));
    }
    return { terminal: { kind: 'nested', field, column, steps }, type: 'mixed' };
  }

  #collection(field: string, column: ColumnDefinition): { terminal: Terminal; type: ValueType } {
    const part = this.#part(column);
    const type = part.kind === 'keys' ? 'string' : part.kind === 'lengths' ? 'int' : column.type;
    const { kind } = part;
    if (
      column.type === 'mixed' &&
      this.#at < this.#elements.length &&
      kind !== 'keys' &&
      kind !== 'lengths'
    ) {
      if (kind === 'every') this.#text.push('[*]');
      return this.#nested(field, column, [part]);
    }
    return { terminal: { kind: 'collection', field, column, part }, type };
  }

  #part(column: ColumnDefinition): Part {
    const element = this.#elements[this.#at];
    if (element === undefined) return EVERY;
    const isDictionary = column.collection === 'dictionary';
    let part: Part | undefined;
    if (element.kind === 'every' || (element.kind === 'values' && isDictionary)) part = EVERY;
    if (element.kind === 'index' && column.collection === 'list')
      part = { kind: 'index', index: element.index };
    if (element.kind === 'keys' && isDictionary) part = { kind: 'keys' };
    if (isDictionary && (element.kind === 'key' || element.kind === 'name'))
      part = { kind: 'key', key: element.kind === 'key' ? element.key : element.name };
    if (
      !isDictionary &&
      element.kind === 'name' &&
      hasLengths(column) &&
      element.name.toLowerCase() === 'length'
    )
      part = { kind: 'lengths' };
    if (part === undefined) throw this.#noSuchStep(element);
    this.#at += 1;
    if (part.kind === 'lengths') this.#text.push('length');
    else if (part.kind !== 'every') this.#text.push(stepText(part));
    return part;
  }

  #link(field: string, column: ColumnDefinition): { terminal: Terminal; type: ValueType } | undefined {
    const target = column.linkTarget!;
    if (column.collection === 'single') {
      this.#hops.push({ kind: 'link', field, target });
      this.#arrive(field, target);
      return undefined;
    }
    const part = this.#linksPart(column, target);
    if (part.kind === 'keys' || part.kind === 'lengths')
      return { terminal: { kind: 'collection', field, column, part }, type: 'string' };
    this.#isSingle = false;
    this.#hops.push({ kind: 'links', field, target, selector: part });
    this.#arrive(field, target);
    return undefined;
  }

  /** Behind a dictionary of links a name is a property of the objects, if they have it, and else a key. */
  #linksPart(column: ColumnDefinition, target: string): Part {
    const element = this.#elements[this.#at];
    if (element === undefined || element.kind === 'links') return EVERY;
    if (element.kind === 'name') {
      const definition = this.#scope.schema.get(target);
      const isProperty =
        definition?.columns.has(element.name) || definition?.primaryKey?.field === element.name;
      if (isProperty || column.collection !== 'dictionary') return EVERY;
    }
    return this.#part(column);
  }

  #arrive(field: string, target: string): void {
    const isEmbedded = this.#scope.schema.get(target)?.kind === 'embedded';
    if (isEmbedded) this.#inEmbedded = true;
    else if (this.#inEmbedded || this.#everything) this.#everything = true;
    else this.#steps.push({ kind: 'forward', table: this.#table, field, target });
    this.#table = target;
  }

  #backlinks(at: number): { terminal: Terminal; type: ValueType } | undefined {
    const definition = this.#definition(at);
    if (definition.kind === 'embedded')
      throw this.#scope.fault(at, `'@links' of embedded objects ('${this.#table}') is not supported`);
    const [source, property] = [this.#elements[this.#at], this.#elements[this.#at + 1]];
    if (source === undefined) return this.#allBacklinks();
    if (source.kind !== 'name') throw this.#scope.fault(source.at, "the name of a class follows '@links'");
    if (property?.kind !== 'name')
      throw this.#scope.fault(
        property?.at ?? source.at,
        `the name of a property follows '@links.${source.name}'`,
      );
    this.#at += 2;
    const column = this.#scope.schema.get(source.name)?.columns.get(property.name);
    if (column?.type !== 'link' || column.linkTarget !== this.#table)
      throw this.#scope.fault(
        source.at,
        `class '${source.name}' has no property '${property.name}' that links to '${this.#table}'`,
      );
    if (this.#scope.schema.get(source.name)?.kind !== 'topLevel')
      throw this.#scope.fault(
        source.at,
        `'@links' from embedded objects ('${source.name}') is not supported`,
      );
    this.#text.push('@links', nameText(source.name), nameText(property.name));
    this.#isSingle = false;
    const step: BackwardStep = {
      kind: 'backward',
      table: this.#table,
      field: property.name,
      source: source.name,
    };
    this.#hops.push(step);
    if (!this.#everything) this.#steps.push(step);
    this.#inEmbedded = false;
    this.#table = source.name;
    return undefined;
  }

  #allBacklinks(): { terminal: Terminal; type: ValueType } {
    this.#text.push('@links');
    const sources: BackwardStep[] = [];
    for (const [source, definition] of this.#scope.schema) {
      if (definition.kind !== 'topLevel') continue;
      for (const [field, column] of definition.columns)
        if (column.type === 'link' && column.linkTarget === this.#table)
          sources.push({ kind: 'backward', table: this.#table, field, source });
    }
    if (!this.#everything) this.#branches.push(...sources.map((source) => [...this.#steps, source]));
    return { terminal: { kind: 'backlinks', sources }, type: 'int' };
  }
}
