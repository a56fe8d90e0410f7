import { expect } from 'vitest';
import type { Answer } from './api.ts';

/** Errors must come under exactly this type and with these texts, or clients do not read them. */
export function expectError(answer: Answer, status: number, code: string, message?: RegExp): void {
  expect({ status: answer.status, code: answer.body.error_code, type: answer.contentType }).toEqual({
    status,
    code,
    type: 'application/json',
  });
  expect(answer.body.error).toMatch(message ?? /./);
  expect(answer.headers.get('access-control-allow-origin')).not.toBeNull();
}
