export function helpersOf(siteUrl: string, serverUrl: string): object;
