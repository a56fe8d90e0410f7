import { IsthmusError } from '../../errors.ts';

/** Something that the demo brings along does not work here. */
export class DemoError extends IsthmusError {
  override readonly code = 'DEMO';
}
