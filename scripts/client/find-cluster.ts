/** Decides which cluster a command talks to, and with which token: the cluster that is named, or the demo of a data folder. */
import { UnusableError } from '../../config/unusable.ts';

/** What the command line and the environment say. */
export interface Given {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  /** `TANGAZA_OPERATOR_TOKEN`. */
  readonly envToken?: string | undefined;
  /** `--data`, when it was given. */
  readonly data?: string | undefined;
}

/** What the data folder knows about a demo. */
export interface FolderDemo {
  readonly folder: string;
  readonly state:
    | { readonly kind: 'running'; readonly urls: readonly string[] }
    | { readonly kind: 'starting'; readonly pid: number }
    /** `wasKilled`: it did not stop in order. */
    | { readonly kind: 'none'; readonly wasKilled: boolean };
  /** The token of the demo that runs there, or ran there last. */
  readonly token: string | undefined;
}

export interface Target {
  /** The URLs to ask, in this order: the next one when one does not answer. */
  readonly urls: readonly string[];
  readonly token: string;
}

export const usualUrl = 'http://127.0.0.1:8080';
export const usualFolder = '.tangaza';

/**
 * A URL that is given wins; then the demo that runs in the folder; then, for who brings a token and names no folder, the usual
 * address.
 *
 * The token that is given wins. Without it the demo gets its own, and a URL that is given gets the environment's. The demo's token
 * goes to no URL but those of its own nodes: whoever listens elsewhere would learn it.
 *
 * @throws Error that says what to start or to name; UnusableError for a URL that is none
 */
export function chooseTarget({ url, token, envToken, data }: Given, demo: FolderDemo): Target {
  if (url !== undefined) mustBeUrl(url);
  if (url !== undefined) return { urls: [url], token: token ?? envToken ?? tokenFor(url, demo) };
  switch (demo.state.kind) {
    case 'running':
      return { urls: demo.state.urls, token: token ?? demo.token ?? noSecrets(demo) };
    case 'starting':
      throw new Error(
        `the demo of ${demo.folder} is not ready yet (process ${demo.state.pid}): try again in a moment`,
      );
    default: {
      const own = token ?? envToken;
      if (data === undefined && own !== undefined) return { urls: [usualUrl], token: own };
      throw new Error(noDemo(demo, demo.state.wasKilled));
    }
  }
}

/** `localhost:8080` is a URL as well, of a scheme that nobody knows. */
function mustBeUrl(url: string): void {
  const scheme = URL.parse(url)?.protocol;
  if (scheme === 'http:' || scheme === 'https:') return;
  throw new UnusableError(`--url takes http://HOST:PORT or https://HOST; "${url}" was given`);
}

function noDemo({ folder }: FolderDemo, wasKilled: boolean): string {
  const killed = wasKilled ? ' (the last one was killed)' : '';
  return `no demo runs in ${folder}${killed}: start one with 'npm start', name the folder of another with --data DIR, or a node of any cluster with --url URL and --token TOKEN`;
}

function tokenFor(url: string, { folder, state, token }: FolderDemo): string {
  if (state.kind === 'running' && token !== undefined && state.urls.some((own) => isSameServer(own, url)))
    return token;
  throw new Error(
    `no token for ${url}: give that cluster's operator token with --token or in TANGAZA_OPERATOR_TOKEN. No node of a demo that runs in ${folder} has this address, so that demo's token is not sent there; leave --url out to ask the demo.`,
  );
}

function noSecrets({ folder }: FolderDemo): never {
  throw new Error(
    `no token for the demo of ${folder}: its region-1/secrets.json cannot be read. Run the command as the user who started the demo, or give --token.`,
  );
}

/** The demo listens on the loopback, which has several names. */
function isSameServer(own: string, given: string): boolean {
  const [left, right] = [URL.parse(own), URL.parse(given)];
  if (left === null || right === null) return false;
  const isSameHost = left.hostname === right.hostname || (isLoopback(left) && right.hostname === 'localhost');
  return left.protocol === right.protocol && left.port === right.port && isSameHost;
}

const isLoopback = ({ hostname }: URL): boolean => hostname === '127.0.0.1' || hostname === 'localhost';
