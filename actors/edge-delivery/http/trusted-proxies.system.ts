/** Decides which addresses are trusted proxies, whose `X-Forwarded-…` headers count, by means of Node's block list. */
import { BlockList, isIPv6 } from 'node:net';
import type { IsTrustedProxy } from './caller.ts';

/** @param ranges addresses and CIDR ranges that the configuration has checked @throws Error for any other text */
export function trustedProxies(ranges: readonly string[]): IsTrustedProxy {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
