/** Decides which cluster a command talks to, and with which token: the cluster that is named, or the demo of a data folder. */

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
 * A given URL wins. Otherwise it is the demo that runs in the folder, with its own token. For a caller who brings a token and names no
 * folder, it is the usual address.
 *
 * @throws Error that says what to start or to name
 */
export function chooseTarget({ url, token, envToken, data }: Given, demo: FolderDemo): Target {
  if (url !== undefined) return { urls: [url], token: token ?? envToken ?? demo.token ?? noToken(demo) };
  switch (demo.state.kind) {
    case 'running':
      return { urls: demo.state.urls, token: token ?? demo.token ?? envToken ?? noToken(demo) };
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

function noDemo({ folder }: FolderDemo, wasKilled: boolean): string {
  const killed = wasKilled ? ' (the last one was killed)' : '';
  return `no demo runs in ${folder}${killed}: start one with 'npm start', name the folder of another with --data DIR, or a node of any cluster with --url URL and --token TOKEN`;
}

function noToken({ folder }: FolderDemo): never {
  throw new Error(
    `no operator token: give --token or TANGAZA_OPERATOR_TOKEN (there is none of a demo in ${folder})`,
  );
}
