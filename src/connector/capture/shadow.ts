/**
 * Which of our own changes the database has not shown back yet (DESIGN §6 rule 2).
 *
 * A change of ours casts a shadow from the moment it is queued until the feed delivers the SQL transaction that
 * carried it. Since the feed runs in commit order, whatever else it delivers in that time was committed before our
 * change and is older: it is dropped for the columns that our change wrote. After the echo the shadow is gone, and
 * what the feed delivers then is newer than ours.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';

type ObjectShadow = {
  readonly table: string;
  readonly key: PrimaryKey;
  /** Newest own change per property. */
  readonly properties: Map<string, number>;
  inserted: number;
  deleted: number;
};

/** What the shadows say of one object. */
export type Shadow = {
  /** A deletion of ours is under way: nothing that the feed says of this key before its echo still holds. */
  readonly deleted: boolean;
  readonly inserted: boolean;
  readonly covers: (property: string) => boolean;
};

const NO_SHADOW: Shadow = { deleted: false, inserted: false, covers: () => false };

/** The shadows of one realm. Sequences are those of the realm's checkpoint and only grow. */
export class ShadowRegistry {
  readonly #objects = new Map<string, ObjectShadow>();
  /** Objects touched by each sequence, oldest first, so that a release costs what it removes. */
  #sequences: { readonly sequence: number; readonly objects: readonly string[] }[] = [];
  /** Where the unreleased part of `#sequences` begins; the released part is cut off now and then. */
  #head = 0;
  /** Newest sequence that cleared a whole class. */
  readonly #cleared = new Map<string, number>();
  #beside: ((table: string, key: PrimaryKey) => Shadow | undefined) | undefined;

  /** `beside` tells of further changes that the feed has not shown back. */
  attach(beside: (table: string, key: PrimaryKey) => Shadow | undefined): void {
    this.#beside = beside;
  }

  cast(sequence: number, instructions: readonly MergedInstruction[]): void {
    const touched = new Set<string>();
    for (const instruction of instructions) {
      switch (instruction.type) {
        case 'INSERT':
        case 'SET': {
          const shadow = this.#shadow(instruction.table, instruction.key, touched);
          if (instruction.type === 'INSERT') shadow.inserted = sequence;
          for (const property of instruction.values.keys()) shadow.properties.set(property, sequence);
          break;
        }
        case 'DELETE':
          this.#shadow(instruction.table, instruction.key, touched).deleted = sequence;
          break;
        case 'CLEAR':
          this.#cleared.set(instruction.table, sequence);
          break;
        case 'LIST_SET':
        case 'LIST_INSERT':
        case 'LIST_ERASE':
        case 'LIST_CLEAR':
          // The table of a list is not in the feed, but a list may stand in a column.
          this.#shadow(instruction.table, instruction.key, touched).properties.set(
            instruction.property,
            sequence,
          );
          break;
        default: // schema changes are none of rows
      }
    }
    this.#sequences.push({ sequence, objects: [...touched] });
  }

  /** Objects that our transactions up to `sequence` have inserted, of those that the feed has not shown yet. */
  *insertedUpTo(sequence: number): Generator<{ readonly table: string; readonly key: PrimaryKey }> {
    for (let at = this.#head; at < this.#sequences.length; at += 1) {
      const entry = this.#sequences[at];
      if (entry === undefined || entry.sequence > sequence) return;
      for (const token of entry.objects) {
        const shadow = this.#objects.get(token);
        if (shadow !== undefined && shadow.inserted > 0 && shadow.inserted <= sequence) yield shadow;
      }
    }
  }

  /** The feed has shown our transaction up to `sequence`. */
  release(sequence: number): void {
    for (let entry = this.#sequences[this.#head]; entry !== undefined && entry.sequence <= sequence; ) {
      for (const token of entry.objects) this.#releaseObject(token, sequence);
      this.#head += 1;
      entry = this.#sequences[this.#head];
    }
    if (this.#head * 2 > this.#sequences.length) {
      this.#sequences = this.#sequences.slice(this.#head);
      this.#head = 0;
    }
    for (const [table, cleared] of this.#cleared) if (cleared <= sequence) this.#cleared.delete(table);
  }

  of(table: string, key: PrimaryKey): Shadow {
    const own = this.#own(table, key);
    const other = this.#beside?.(table, key);
    if (other === undefined) return own;
    return united(own, other);
  }

  #own(table: string, key: PrimaryKey): Shadow {
    const cleared = this.#cleared.has(table);
    const shadow = this.#objects.get(objectToken(table, key));
    if (shadow === undefined) return cleared ? { ...NO_SHADOW, deleted: true } : NO_SHADOW;
    return {
      deleted: cleared || shadow.deleted > 0,
      inserted: shadow.inserted > 0,
      covers: (property) => shadow.properties.has(property),
    };
  }

  #shadow(table: string, key: PrimaryKey, touched: Set<string>): ObjectShadow {
    const token = objectToken(table, key);
    touched.add(token);
    let shadow = this.#objects.get(token);
    if (shadow === undefined) {
      shadow = { table, key, properties: new Map(), inserted: 0, deleted: 0 };
      this.#objects.set(token, shadow);
    }
    return shadow;
  }

  #releaseObject(token: string, sequence: number): void {
    const shadow = this.#objects.get(token);
    if (shadow === undefined) return;
    for (const [property, newest] of shadow.properties) {
      if (newest <= sequence) shadow.properties.delete(property);
    }
    if (shadow.inserted <= sequence) shadow.inserted = 0;
    if (shadow.deleted <= sequence) shadow.deleted = 0;
    if (shadow.properties.size === 0 && shadow.inserted === 0 && shadow.deleted === 0)
      this.#objects.delete(token);
  }
}

export function united(one: Shadow, other: Shadow): Shadow {
  return {
    deleted: one.deleted || other.deleted,
    inserted: one.inserted || other.inserted,
    covers: (property) => one.covers(property) || other.covers(property),
  };
}

function objectToken(table: string, key: PrimaryKey): string {
  return `${table}\0${keyToken(key)}`;
}
