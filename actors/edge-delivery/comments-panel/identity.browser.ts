/** Who the viewer is, kept by the page's origin. Where the browser refuses storage it is kept for as long as the page is open. */
import { readPerson, type Person } from './state/comment.ts';
import { fieldOf, parseJson, textOf } from './state/read-json.ts';

const key = 'tangaza.audience';

export interface Identity {
  readonly token: string;
  readonly me: Person;
}

export class KeptIdentity {
  #now: Identity | undefined = read();

  get now(): Identity | undefined {
    return this.#now;
  }

  set(identity: Identity | undefined): void {
    this.#now = identity;
    try {
      if (identity === undefined) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(written(identity)));
    } catch {
      // It stays as long as the page.
    }
  }
}

/** In the form of the API, so that one reader reads both. */
function written({ token, me }: Identity): unknown {
  const user = { id: me.id, name: me.name, kind: me.isGuest ? 'guest' : 'account' };
  return { token, me: { user, permissions: me.permissions, stream: me.stream } };
}

function read(): Identity | undefined {
  try {
    const kept = parseJson(localStorage.getItem(key) ?? '');
    const token = textOf(kept, 'token');
    const me = readPerson(fieldOf(kept, 'me'));
    return token === undefined || me === undefined ? undefined : { token, me };
  } catch {
    return undefined;
  }
}
