/** Reads a JWK set from its place, a URL or a file. Bounds: 5 s, 256 kB, no redirects, which could lead anywhere. */
import { createReadStream } from 'node:fs';
import { abortAfter, type Clock } from '../../../cluster/time/clock.ts';
import { mostKeySetBytes } from './account-keys.ts';

const readMs = 5000;

/** @throws Error that says why it cannot be read */
export type ReadKeys = () => Promise<string>;

export function readerOfUrl(url: string, clock: Clock): ReadKeys {
  return async () => {
    using late = abortAfter(clock, readMs);
    const headers = { accept: 'application/jwk-set+json, application/json' };
    const reply = await fetch(url, { headers, redirect: 'error', signal: late.signal });
    if (reply.status === 200 && reply.body !== null) return await textWithin(reply.body);
    await reply.body?.cancel();
    throw new Error(`it answered ${reply.status}`);
  };
}

export function readerOfFile(path: string): ReadKeys {
  return () => textWithin(createReadStream(path));
}

async function textWithin(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > mostKeySetBytes) throw new Error(`it is larger than ${mostKeySetBytes} bytes`); // leaving the loop cancels the rest
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
