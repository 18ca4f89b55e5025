/**
 * The cross-origin rules (Fetch, section 3.2): who may read what is served here, and what a browser may send.
 *
 * Everybody may read everything, as no cookie authorises anything. A player sends to public paths what it likes (CMCD, its own session
 * headers), so a preflight there is allowed what it asks for. Paths that take the operator's token allow a fixed list.
 */
type Headers = Readonly<Record<string, string>>;

/** What a browser asks before it sends a request that an HTML form could not send. */
export interface Preflight {
  /** The methods of the path, as in the Allow header. */
  readonly allow: string;
  readonly isPublic: boolean;
  /** `Access-Control-Request-Headers`; empty when absent. */
  readonly requestHeaders: string;
  /** `Access-Control-Request-Private-Network`: a page from the internet asks for a node in a private network. */
  readonly privateNetwork: string;
}

/** The most bytes of header names that are echoed. A player's list has tens of bytes. */
const maxEchoedBytes = 1024;
/** A token as in RFC 9110, 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const always = ['authorization', 'content-type', 'idempotency-key', 'if-none-match', 'if-range', 'range'];

/** The headers of the answer to a preflight. Browsers keep the answer for two hours, the longest time that Chromium allows. */
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

/** The usual header names, then the asked ones that are valid names. A list that is too long is not echoed. */
function allowedHeaders(asked: string): readonly string[] {
  if (asked.length > maxEchoedBytes) return always;
  const names = asked
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  return [...new Set([...always, ...names.filter((name) => token.test(name))])];
}

/** What a page of another origin may read beyond the headers that it always may read. */
const exposed = [
  'accept-ranges',
  'age', // a cache in front adds this; players correct their delay by it
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

/** The headers of every reply. With `timing-allow-origin` a player may measure how long a download took. */
export const corsHeaders: Headers = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': exposed.join(', '),
  'timing-allow-origin': '*',
};
