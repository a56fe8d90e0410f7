/** The characters of the code pages of Windows, and the bytes that they have there. */
import { UTF8_CODE_PAGE } from './collation-names.ts';

const DECODERS: ReadonlyMap<number, string> = new Map([
  [874, 'windows-874'],
  [932, 'shift_jis'],
  [936, 'gbk'],
  [949, 'euc-kr'],
  [950, 'big5'],
  [1250, 'windows-1250'],
  [1251, 'windows-1251'],
  [1252, 'windows-1252'],
  [1253, 'windows-1253'],
  [1254, 'windows-1254'],
  [1255, 'windows-1255'],
  [1256, 'windows-1256'],
  [1257, 'windows-1257'],
  [1258, 'windows-1258'],
  [UTF8_CODE_PAGE, 'utf-8'],
]);
const FIRST_HIGH = 0x80;
const FIRST_TRAIL = 0x40;
const LAST_BYTE = 0xff;
const UNKNOWN = '\ufffd';
const DOUBLE_BYTE_PAGES = new Set([932, 936, 949, 950]);

type Table = {
  readonly decoder: InstanceType<typeof TextDecoder>;
  readonly bytes: ReadonlyMap<string, readonly number[]>;
};
const tables = new Map<number, Table>();

/** What a code page has beyond ASCII. */
export function codePageTable(codePage: number): Table {
  let table = tables.get(codePage);
  if (table === undefined) {
    table = makeTable(codePage);
    tables.set(codePage, table);
  }
  return table;
}

function makeTable(codePage: number): Table {
  const decoder = new TextDecoder(DECODERS.get(codePage)!, { ignoreBOM: true });
  const bytes = new Map<string, readonly number[]>();
  const add = (...codes: readonly number[]): void => {
    const text = decoder.decode(Uint8Array.from(codes));
    if (text.length === 1 && text !== UNKNOWN && !bytes.has(text)) bytes.set(text, codes);
  };
  if (codePage === UTF8_CODE_PAGE) return { decoder, bytes };
  for (let lead = FIRST_HIGH; lead <= LAST_BYTE; lead++) {
    add(lead);
    if (DOUBLE_BYTE_PAGES.has(codePage))
      for (let trail = FIRST_TRAIL; trail <= LAST_BYTE; trail++) add(lead, trail);
  }
  return { decoder, bytes };
}
