/** The one text of a `real`, the same whether the server shows the number or a codec writes it. */
import { doubleToText, floatToText } from '../../src/connector/codec/float-text.ts';

const LARGEST = 3.4028234663852886e38;

/**
 * The shortest that reads back as the same number, but for the largest of all: its shortest text, 3.4028235e+38, is a
 * little more than it, and the server refuses what is.
 */
export function realText(value: number): string {
  const shortest = floatToText(value);
  return Math.abs(Number(shortest)) > LARGEST ? doubleToText(Math.fround(value)) : shortest;
}
