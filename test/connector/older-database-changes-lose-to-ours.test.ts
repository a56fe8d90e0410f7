import { describe, expect, it } from 'vitest';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { captureDelete, captureRow } from '../../src/connector/capture/capture-change.ts';
import { RowPlan } from '../../src/connector/capture/row-plan.ts';
import { ShadowRegistry } from '../../src/connector/capture/shadow.ts';
import { TransactionBuffer } from '../../src/connector/capture/transaction-buffer.ts';
import { UNCHANGED } from '../../src/connector/dialect.ts';
import { create, insert, int, MemoryReplica, mapping, remove, set } from './harness.ts';

const COLUMNS = ['id', 'name', 'country'];
const plan = new RowPlan(mapping.forClass('Artist')!, COLUMNS);

function capture(
  replica: MemoryReplica,
  shadows: ShadowRegistry,
  row: (string | null | typeof UNCHANGED)[],
): Instruction[] {
  const out: Instruction[] = [];
  const key = plan.key(row);
  captureRow(plan, key, row, replica, shadows.of('Artist', key), out);
  return out;
}

function written(instructions: readonly Instruction[]): string[] {
  return instructions.map((i) =>
    i.op === 'Update' ? `${i.field}=${'value' in i.value ? i.value.value : i.value.type}` : i.op,
  );
}

describe('a row that the database shows', () => {
  it('makes an object with its non-null columns', () => {
    expect(written(capture(new MemoryReplica(), new ShadowRegistry(), ['1', 'AC/DC', null]))).toEqual([
      'CreateObject',
      'name=AC/DC',
    ]);
  });

  it('writes only columns that differ, and leaves out those that came unchanged', () => {
    const replica = new MemoryReplica().apply(create('Artist', 1, { name: 'AC/DC', country: 'AU' }));
    expect(written(capture(replica, new ShadowRegistry(), ['1', 'AC/DC', 'UK']))).toEqual(['country=UK']);
    expect(written(capture(replica, new ShadowRegistry(), ['1', UNCHANGED, null]))).toEqual(['country=null']);
    expect(capture(replica, new ShadowRegistry(), ['1', 'AC/DC', 'AU'])).toEqual([]);
  });

  it('is older than our change of the same column until our change has come back', () => {
    const replica = new MemoryReplica().apply(create('Artist', 1, { name: 'ours', country: 'AU' }));
    const shadows = new ShadowRegistry();
    shadows.cast(7, [set('Artist', 1, { name: 'ours' })]);
    expect(written(capture(replica, shadows, ['1', 'theirs', 'UK']))).toEqual(['country=UK']);
    shadows.release(6);
    expect(written(capture(replica, shadows, ['1', 'theirs', 'AU']))).toEqual([]);
    shadows.release(7);
    expect(written(capture(replica, shadows, ['1', 'theirs', 'AU']))).toEqual(['name=theirs']);
  });

  it('stays covered by the newest of several changes of ours', () => {
    const replica = new MemoryReplica().apply(create('Artist', 1, { name: 'third' }));
    const shadows = new ShadowRegistry();
    shadows.cast(1, [set('Artist', 1, { name: 'second' })]);
    shadows.cast(2, [set('Artist', 1, { name: 'third' })]);
    shadows.release(1);
    expect(capture(replica, shadows, ['1', 'second', null])).toEqual([]);
    shadows.release(2);
    expect(written(capture(replica, shadows, ['1', 'fourth', null]))).toEqual(['name=fourth']);
  });

  it('does not bring back what we are deleting', () => {
    const shadows = new ShadowRegistry();
    shadows.cast(3, [remove('Artist', 1)]);
    expect(capture(new MemoryReplica(), shadows, ['1', 'AC/DC', null])).toEqual([]);
    shadows.release(3);
    expect(written(capture(new MemoryReplica(), shadows, ['1', 'AC/DC', null]))).toContain('CreateObject');
  });

  it('merges column by column with an insertion of ours under the same key', () => {
    const replica = new MemoryReplica().apply(create('Artist', 1, { name: 'ours' }));
    const shadows = new ShadowRegistry();
    shadows.cast(4, [insert('Artist', 1, { name: 'ours' })]);
    expect(written(capture(replica, shadows, ['1', 'theirs', 'UK']))).toEqual(['country=UK']);
  });
});

describe('a row that is gone', () => {
  const erased = (replica: MemoryReplica, shadows: ShadowRegistry): boolean =>
    captureDelete(plan, int(1), replica, shadows.of('Artist', int(1)), []);

  it('erases its object, whatever we are changing in it', () => {
    const replica = new MemoryReplica().apply(create('Artist', 1, { name: 'x' }));
    const shadows = new ShadowRegistry();
    shadows.cast(1, [set('Artist', 1, { name: 'x' })]);
    expect(erased(replica, shadows)).toBe(true);
  });

  it('was there before an insertion of ours that is under way, which makes it anew', () => {
    const replica = new MemoryReplica().apply(create('Artist', 1, { name: 'x' }));
    const shadows = new ShadowRegistry();
    shadows.cast(1, [insert('Artist', 1, { name: 'x' })]);
    expect(erased(replica, shadows)).toBe(false);
    shadows.release(1);
    expect(erased(replica, shadows)).toBe(true);
  });

  it('leaves nothing to erase when the realm has no such object', () => {
    expect(erased(new MemoryReplica(), new ShadowRegistry())).toBe(false);
  });
});

describe('one transaction of the database', () => {
  const effects = (fill: (buffer: TransactionBuffer) => void): string[] => {
    const buffer = new TransactionBuffer();
    fill(buffer);
    return [...buffer.rows()].map(
      ({ keyTexts, row, replaced }) =>
        `${keyTexts.join()}${replaced ? ' replaced' : ''}: ${row === undefined ? 'gone' : row.map((v) => (v === UNCHANGED ? '~' : v)).join()}`,
    );
  };

  it('counts only what it left behind', () => {
    expect(
      effects((buffer) => {
        buffer.insert(plan, ['1', 'a', 'x']);
        buffer.update(plan, ['1', 'b', UNCHANGED], undefined);
        buffer.insert(plan, ['2', 'c', null]);
        buffer.delete(plan, ['2', UNCHANGED, UNCHANGED]);
      }),
    ).toEqual(['1: 1,b,x', '2: gone']);
  });

  it('knows a row that was replaced from one that was changed', () => {
    expect(
      effects((buffer) => {
        buffer.delete(plan, ['1', UNCHANGED, UNCHANGED]);
        buffer.insert(plan, ['1', 'new', null]);
      }),
    ).toEqual(['1 replaced: 1,new,']);
  });

  it('moves a row whose key changed', () => {
    expect(
      effects((buffer) => buffer.update(plan, ['9', 'a', UNCHANGED], ['1', UNCHANGED, UNCHANGED])),
    ).toEqual(['1: gone', '9 replaced: 9,a,~']);
  });
});
