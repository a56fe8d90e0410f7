import { IsthmusError } from '../../errors.ts';

/** What ends `isthmus doctor` when something is wrong. */
export class ErrorsFoundError extends IsthmusError {
  readonly code = 'errors-found';

  constructor(count: number) {
    super(count === 1 ? 'the doctor found an error' : `the doctor found ${count} errors`, {
      remedy: 'mend what is listed above, then run isthmus doctor again',
    });
  }
}
