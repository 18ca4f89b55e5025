/** Decides which addresses are trusted proxies, whose `X-Forwarded-…` headers count, by means of Node's block list. */
import { BlockList, isIPv6 } from 'node:net';
import type { IsTrustedProxy } from './caller.ts';

/** Those asked about lately: each request asks about some, mostly the same. When full it begins anew. */
const mostKnown = 10_000;

/** @param ranges addresses and CIDR ranges that the configuration has checked @throws Error for any other text */
export function trustedProxies(ranges: readonly string[]): IsTrustedProxy {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  const known = new Map<string, boolean>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    const isTrusted = list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    if (known.size >= mostKnown) known.clear();
    known.set(address, isTrusted);
    return isTrusted;
  };
}
