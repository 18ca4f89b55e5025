/**
 * A page that was left open while its server was renewed: what it fetches later is of another version, under other names, and gone.
 * It loads itself anew, once, and goes on where it was. Pure.
 */

/** A second renewal so soon would help no more than the first. */
const onceInMs = 600_000;

/** The script that a page begins with: another version of the page has another one. */
export function entryScriptOf(html: string): string | undefined {
  return /<script type="module" src="([^"]+)"/.exec(html)?.[1];
}

export interface RenewedPage {
  /** Of the stream's timeline; undefined for who watches live. */
  readonly seconds: number | undefined;
  readonly format: string;
  readonly isMuted: boolean;
}

/** The page's own address, with what it was at. */
export function renewedAddress(
  address: string,
  { seconds, format, isMuted }: RenewedPage,
  nowMs: number,
): string {
  const url = new URL(address);
  const query = url.searchParams;
  query.delete('start');
  query.delete('t');
  if (seconds !== undefined) query.set('t', String(Math.max(0, Math.floor(seconds))));
  query.set('format', format);
  if (isMuted) query.set('muted', '1');
  else query.delete('muted');
  query.set('renewed', String(Math.floor(nowMs / 1000)));
  return url.href;
}

/** Has the page not been renewed just now? */
export function mayRenew(query: URLSearchParams, nowMs: number): boolean {
  const renewed = query.get('renewed');
  return renewed === null || !(Math.abs(nowMs - Number(renewed) * 1000) < onceInMs);
}

/** The address without the mark, for who copies it. */
export function unmarked(address: string): string {
  const url = new URL(address);
  url.searchParams.delete('renewed');
  return url.href;
}
