/**
 * Finds out who sent a request, and under which address they reached us, where proxies stand in front of the node.
 *
 * To `X-Forwarded-For` each proxy appends the address of its peer. Anybody may send such a header, so it is read from the right, and only
 * while the hop that wrote an entry is a trusted proxy. The first address that is not trusted is the caller's. `X-Forwarded-Proto` and
 * `X-Forwarded-Host` count when the peer itself is trusted. `Forwarded` (RFC 7239) is not read.
 */
import { z } from 'zod';

export interface Hop {
  /** The address of the connection's other end, as text. IPv4 may come as `::ffff:…`. */
  readonly remoteAddress: string;
  /** @param name lower case @returns the empty string when absent */
  header(name: string): string;
}

/** Says whether an address, in the form of `canonicalAddress`, is one of our proxies. */
export type IsTrustedProxy = (address: string) => boolean;

/** At most this many proxies are followed. What lies to the left of them may be anything that the caller wrote. */
export const maxHops = 32;
/** Longer entries are no addresses. Of a longer header only the right end is read. */
const maxEntryLength = 64;

/** The address of the nearest hop that is no trusted proxy, or of the farthest one when all are trusted. */
export function callerAddress(hop: Hop, isTrusted: IsTrustedProxy): string {
  let caller = peerOf(hop);
  if (!isTrusted(caller)) return caller;
  for (const entry of lastEntries(hop.header('x-forwarded-for'))) {
    const address = addressOf(entry);
    if (address === undefined) return caller;
    caller = address;
    if (!isTrusted(address)) return caller;
  }
  return caller;
}

/** Who has an IPv6 address has a whole /64 of them: what all of these do counts as one sender's. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('::');
  const groups = (text: string | undefined): readonly string[] =>
    text === undefined || text === '' ? [] : text.split(':');
  const left = groups(before);
  const right = groups(after);
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`;
}

/**
 * `http://host:port` under which the caller reached us: by the Host header, or as a trusted proxy tells it.
 *
 * @param ownUrl what stands in for a Host that is missing or is none
 */
export function callerOrigin(hop: Hop, isTrusted: IsTrustedProxy, ownUrl: string): string {
  const isProxied = isTrusted(peerOf(hop));
  const told = (name: string): string => (isProxied ? (lastEntries(hop.header(name))[0] ?? '') : '');
  const scheme = told('x-forwarded-proto').toLowerCase() === 'https' ? 'https' : 'http';
  const host = [told('x-forwarded-host'), hop.header('host')].find((one) => hostPattern.test(one));
  return host === undefined ? ownUrl : `${scheme}://${host}`;
}

/**
 * `https://live.example.com` of a front that has a name of its own; undefined for who asks straight, or under this edge's name.
 *
 * A trusted address alone makes no front: a viewer may sit beside one. A front says for whom it asks.
 */
export function frontOrigin(hop: Hop, ownUrl: string, isTrusted: IsTrustedProxy): string | undefined {
  if (!isTrusted(peerOf(hop)) || hop.header('x-forwarded-for') === '') return undefined;
  const origin = callerOrigin(hop, isTrusted, ownUrl);
  return hostOf(origin) === hostOf(ownUrl) ? undefined : origin;
}

const hostOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).host : undefined);

function peerOf({ remoteAddress }: Hop): string {
  return canonicalAddress(remoteAddress) ?? remoteAddress;
}

/** Names as resolvers know them: with the underscore that is in no host name and in many a container's. */
const hostPattern = /^(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** The entries at the right end of a comma-separated list, rightmost first. */
function lastEntries(list: string): readonly string[] {
  if (list === '') return [];
  const end = list.slice(-maxHops * (maxEntryLength + 2));
  return end
    .split(',')
    .slice(-maxHops)
    .toReversed()
    .map((entry) => entry.trim());
}

/** Takes `1.2.3.4`, `1.2.3.4:5678`, `::1`, `[::1]` and `[::1]:5678`. */
function addressOf(entry: string): string | undefined {
  if (entry.length > maxEntryLength) return undefined;
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1];
  const withPort = /^([\d.]+):\d{1,5}$/.exec(entry)?.[1];
  return canonicalAddress(bracketed ?? withPort ?? entry);
}

const ipv4 = z.ipv4();
const ipv6 = z.ipv6();

/** Those read lately: each request brings some, mostly the same. When full it begins anew. */
const canonical = new Map<string, string | undefined>();
const mostCanonical = 10_000;

/**
 * Writes each address in one way: an IPv4 address as such, also where IPv6 carries it; IPv6 short and in lower case. Undefined for a text
 * that is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  if (text.length > maxEntryLength) return undefined;
  if (canonical.has(text)) return canonical.get(text);
  const written = writtenOneWay(text);
  if (canonical.size >= mostCanonical) canonical.clear();
  canonical.set(text, written);
  return written;
}

function writtenOneWay(text: string): string | undefined {
  if (ipv4.safeParse(text).success) return text;
  if (!ipv6.safeParse(text).success) return undefined;
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const bytes = [high, low].flatMap((half) => {
    const value = Number.parseInt(half, 16);
    return [value >> 8, value & 255];
  });
  return bytes.join('.');
}
