/**
 * The base URL of the object server. Configurations of the reference name the sync address (`realm://host:9080`) and
 * the login address (`http://host:9080`) apart; both are the same server here.
 */
const SCHEMES: Readonly<Record<string, string>> = {
  'realm:': 'http:',
  'realms:': 'https:',
  'ws:': 'http:',
  'wss:': 'https:',
  'http:': 'http:',
  'https:': 'https:',
};

/** `undefined` when the text is no such address. A missing scheme means `http`. */
export function serverUrlFromText(text: string): string | undefined {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text.replace(/^\/\//, '')}`;
  if (!URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined || url.username !== '' || url.password !== '') return undefined;
  const [, rest = ''] = withScheme.split('://');
  return `${scheme}//${rest}`.replace(/\/+$/, '');
}
