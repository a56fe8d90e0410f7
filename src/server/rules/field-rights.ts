/** Which fields of the objects of a role may be read and written. */
import type { FieldRule, Role } from './options.ts';

type Right = { readonly read: boolean; readonly write: boolean };

const FULL: Right = { read: true, write: true };

export class FieldRights {
  readonly #named: ReadonlyMap<string, Right>;
  readonly #others: Right;
  readonly readsAll: boolean;
  readonly writesAll: boolean;
  /** Equal for equal rights to read, and for equal rights to write. */
  readonly readSignature: string;
  readonly writeSignature: string;

  /** `fields` and `additionalFields` only take away: what neither mentions stays allowed. */
  constructor({ fields = {}, additionalFields }: Pick<Role, 'fields' | 'additionalFields'>) {
    this.#others = rightOf(additionalFields ?? {}, FULL);
    this.#named = new Map(
      Object.entries(fields)
        .map(([name, rule]) => [name, rightOf(rule, this.#others)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    const all = [...this.#named.values(), this.#others];
    this.readsAll = all.every(({ read }) => read);
    this.writesAll = all.every(({ write }) => write);
    this.readSignature = this.#signature('read');
    this.writeSignature = this.#signature('write');
  }

  mayRead(field: string): boolean {
    return (this.#named.get(field) ?? this.#others).read;
  }

  mayWrite(field: string): boolean {
    return (this.#named.get(field) ?? this.#others).write;
  }

  #signature(kind: keyof Right): string {
    const others = this.#others[kind];
    const different = [...this.#named].filter(([, right]) => right[kind] !== others).map(([name]) => name);
    return JSON.stringify([others, ...different]);
  }
}

/** What may be written may be read, and what may not be read may not be written. */
function rightOf({ read, write }: FieldRule, others: Right): Right {
  const readable = write === true || (read ?? others.read);
  return { read: readable, write: readable && (write ?? (read === false ? false : others.write)) };
}
