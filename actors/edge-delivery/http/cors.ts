/**
 * Cross-origin rules (Fetch, section 3.2): who may read what is served here, and what a browser may send.
 *
 * Anybody may read everything, for no cookie authorises anything. A player sends what it likes to public paths (CMCD,
 * its own session headers), so that a preflight there is allowed what it asks for. Paths that take the operator's token
 * allow a fixed list.
 */
type Headers = Readonly<Record<string, string>>;

/** What a browser asks before it sends a request that a form could not. */
export interface Preflight {
  /** The methods of the path, as the Allow header says them. */
  readonly allow: string;
  readonly isPublic: boolean;
  /** `Access-Control-Request-Headers`; empty when absent. */
  readonly requestHeaders: string;
  /** `Access-Control-Request-Private-Network`: a page of the internet asks for a node of a private network. */
  readonly privateNetwork: string;
}

/** Of what is echoed. A player's list has tens of bytes. */
const maxEchoedBytes = 1024;
/** RFC 9110, 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const always = ['authorization', 'content-type', 'idempotency-key', 'if-none-match', 'if-range', 'range'];

/** Of the answer to a preflight. Browsers keep it for two hours, the longest that Chromium does. */
export function preflightHeaders({ allow, isPublic, requestHeaders, privateNetwork }: Preflight): Headers {
  const isPrivateAsked = isPublic && privateNetwork.toLowerCase() === 'true';
  return {
    allow,
    'access-control-allow-methods': allow,
    'access-control-allow-headers': (isPublic ? allowedHeaders(requestHeaders) : always).join(', '),
    'access-control-max-age': '7200',
    ...(isPublic ? { vary: varies } : {}),
    ...(isPrivateAsked ? { 'access-control-allow-private-network': 'true' } : {}),
  };
}

const varies = 'access-control-request-headers, access-control-request-private-network';

/** The usual ones, then what was asked for besides, as far as they are names. A list that is too long is not echoed. */
function allowedHeaders(asked: string): readonly string[] {
  if (asked.length > maxEchoedBytes) return always;
  const names = asked
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  return [...new Set([...always, ...names.filter((name) => token.test(name))])];
}

/** What a page of another origin may read besides the headers that it always may. */
const exposed = [
  'accept-ranges',
  'age', // what a cache in front adds: players correct their delay by it
  'cmsd-dynamic',
  'cmsd-static',
  'content-length',
  'content-range',
  'date',
  'etag',
  'link',
  'location',
  'retry-after',
  'tangaza-log-stale',
  'tangaza-starts-at',
];

/** Of every reply; with `timing-allow-origin` a player may measure what a download took. */
export const corsHeaders: Headers = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': exposed.join(', '),
  'timing-allow-origin': '*',
};
