/** Who the viewer is, kept by the page's origin. Where the browser refuses storage it is kept for as long as the page is open. */
import { readPerson, type Person } from '../state/comment.ts';
import { fieldOf, parseJson, textOf } from '../state/read-json.ts';

const key = 'tangaza.audience';

export interface Identity {
  readonly token: string;
  readonly me: Person;
}

export class KeptIdentity {
  #now: Identity | undefined = read();

  /** @param onElsewhere another tab of the browser signed in or out */
  constructor(onElsewhere: () => void) {
    window.addEventListener('storage', (event) => {
      if (event.key !== key && event.key !== null) return;
      const before = this.#now?.token;
      this.#now = read();
      if (this.#now?.token !== before) onElsewhere();
    });
  }

  get now(): Identity | undefined {
    return this.#now;
  }

  /** What is newly known of them. Where another tab has signed out meanwhile, or signed in as somebody else, that stays. */
  learn(me: Person): void {
    if (this.#now === undefined || this.#now.me.id !== me.id) return;
    this.#now = { token: this.#now.token, me };
    if (read()?.token === this.#now.token) write(this.#now);
  }

  set(identity: Identity | undefined): void {
    this.#now = identity;
    write(identity);
  }
}

function write(identity: Identity | undefined): void {
  try {
    if (identity === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(written(identity)));
  } catch {
    // It stays as long as the page.
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
