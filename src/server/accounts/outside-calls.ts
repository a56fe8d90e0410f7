/** Calls into what the configuration supplies: they may hang or throw, and must not take a request with them. */
import { AccountError } from './account-error.ts';
import type { MailTransport } from './email-options.ts';
import type { EmailToken } from './email-tokens.ts';

/** Milliseconds; half of what clients wait for an answer (spec/app-services-http.md §1). */
const PATIENCE = 30_000;

/** What `call` gives. A failure, and an answer that takes too long, become an InternalServerError with its cause. */
export async function settleInTime<T>(what: string, call: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    return await Promise.race([call(), overdue]);
  } catch (cause) {
    if (cause instanceof AccountError) throw cause;
    throw new AccountError('InternalServerError', `${what} failed`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** Sends the address with token and token id to their owner. */
export async function sendTokenMail(
  transport: MailTransport,
  mail: { readonly to: string; readonly subject: string; readonly page: string; readonly token: EmailToken },
): Promise<void> {
  const { to, subject, page, token } = mail;
  const url = new URL(page);
  url.searchParams.set('token', token.token);
  url.searchParams.set('tokenId', token.tokenId);
  await settleInTime('sending mail', async () =>
    transport.send({
      to,
      subject,
      text: `${subject}:\n\n${url.href}\n\nIf you did not ask for this, there is nothing to do.\n`,
      html: `<p><a href="${escaped(url.href)}">${escaped(subject)}</a></p><p>If you did not ask for this, there is nothing to do.</p>`,
    }),
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
