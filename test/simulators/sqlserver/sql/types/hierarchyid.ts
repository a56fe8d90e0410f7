/** hierarchyid: paths such as `/1/3/`, as bits that sort as the paths do. Only whole, non-negative steps up to 5199. */
import { notSimulated } from '../failures.ts';
import { conversionFailure } from './conversion-context.ts';

/** A range of steps: the pattern has `x` for a bit of the number above `first`, other bits stand for themselves. */
const PATTERNS: readonly { readonly first: number; readonly last: number; readonly bits: string }[] = [
  { first: 0, last: 3, bits: '01xx' },
  { first: 4, last: 7, bits: '100xx' },
  { first: 8, last: 15, bits: '101xxx' },
  { first: 16, last: 79, bits: '110xx0x1xxx' },
  { first: 80, last: 1103, bits: '1110xxx0xxx0x1xxx' },
  { first: 1104, last: 5199, bits: '11110xxxxx0xxx0x1xxx' },
];
const BITS_OF_BYTE = 8;

export function parseHierarchy(path: string): Uint8Array {
  if (!/^\/(\d+\/)*$/.test(path)) {
    if (/^\/([-\d.]+\/)*$/.test(path)) throw notSimulated('A hierarchyid with negative or dotted steps');
    throw conversionFailure(
      6522,
      `A .NET Framework error occurred during execution of user-defined routine or aggregate "hierarchyid": the input string '${path}' is not a valid string representation of a SqlHierarchyId node.`,
    );
  }
  const bits = path
    .split('/')
    .filter((step) => step !== '')
    .map((step) => stepBits(Number(step)))
    .join('');
  const padded = bits.padEnd(Math.ceil(bits.length / BITS_OF_BYTE) * BITS_OF_BYTE, '0');
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

function stepBits(step: number): string {
  const pattern = PATTERNS.find(({ first, last }) => step >= first && step <= last);
  if (pattern === undefined) throw notSimulated('A hierarchyid step above 5199');
  const free = pattern.bits.replace(/[^x]/g, '').length;
  const digits = (step - pattern.first).toString(2).padStart(free, '0');
  let at = 0;
  return `${pattern.bits.replace(/x/g, () => digits[at++]!)}1`;
}

export function hierarchyText(bytes: Uint8Array): string {
  let bits = Array.from(bytes, (byte) => byte.toString(2).padStart(BITS_OF_BYTE, '0')).join('');
  let path = '/';
  while (bits.includes('1')) {
    const found = PATTERNS.find((pattern) =>
      new RegExp(`^${pattern.bits.replaceAll('x', '[01]')}1`).test(bits),
    );
    if (found === undefined)
      throw conversionFailure(
        6522,
        'A .NET Framework error occurred during execution of user-defined routine or aggregate "hierarchyid": the binary is not valid.',
      );
    const digits = [...found.bits].map((bit, at) => (bit === 'x' ? bits[at] : '')).join('');
    path += `${found.first + Number.parseInt(digits, 2)}/`;
    bits = bits.slice(found.bits.length + 1);
  }
  return path;
}
