/** The stream of a bulk load: the columns once, then rows until the client is done. */
import type { BulkColumn, Datum } from '../contract.ts';
import type { ArrivingBytes } from './arriving-bytes.ts';
import type { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';
import { readWireType } from './read-wire-type.ts';
import { readValue } from './values.ts';
import type { WireType } from './wire-type.ts';

const COLUMNS = 0x81;
const ROW = 0xd1;
const DONE = 0xfd;

export type BulkLoad = {
  readonly columns: readonly BulkColumn[];
  readonly rows: AsyncIterable<readonly (readonly Datum[])[]>;
};

type Column = BulkColumn & { readonly wire: WireType };

/** Reads the columns; the rows are read as they are asked for. */
export async function readBulkLoad(body: ArrivingBytes): Promise<BulkLoad> {
  const items = body.items(itemReader());
  const first = await items.next();
  const [columns, ...rows] = first.done ? [] : first.value;
  if (columns === undefined || columns.kind !== 'columns') {
    throw new ProtocolError('a bulk load has no columns');
  }
  return { columns: columns.columns, rows: remainingRows(rows, items) };
}

type Item =
  | { readonly kind: 'columns'; readonly columns: readonly Column[] }
  | { readonly kind: 'row'; readonly row: readonly Datum[] };

function itemReader(): (reader: ByteReader) => Item | undefined {
  let columns: readonly Column[] = [];
  return (reader) => {
    const token = reader.u8();
    switch (token) {
      case COLUMNS:
        columns = readColumns(reader);
        return { kind: 'columns', columns };
      case ROW:
        return { kind: 'row', row: columns.map(({ wire }) => readValue(reader, wire, 'row')) };
      case DONE:
        return undefined;
      default:
        throw new ProtocolError(`a bulk load has no token 0x${token.toString(16)}`);
    }
  };
}

function readColumns(reader: ByteReader): Column[] {
  return Array.from({ length: reader.u16() }, () => {
    reader.u32(); // the user type
    reader.u16(); // the flags
    const wire = readWireType(reader);
    if (wire.framing === 'textPointer') reader.longText(); // the table
    return { name: reader.shortText(), type: wire.type, wire };
  });
}

async function* remainingRows(
  first: readonly Item[],
  items: AsyncGenerator<Item[], void, undefined>,
): AsyncGenerator<readonly (readonly Datum[])[], void, undefined> {
  if (first.length > 0) yield rowsOf(first);
  for await (const some of items) yield rowsOf(some);
}

const rowsOf = (items: readonly Item[]): (readonly Datum[])[] =>
  items.flatMap((item) => (item.kind === 'row' ? [item.row] : []));
