/** Keeps what is not yet safe in IndexedDB. Where the browser refuses it, nothing is kept, and the page works all the same. */
import { mostEntries, readEntry, surplus, type Entry } from '../state/outbox.ts';

const name = 'tangaza-audience';
const store = 'outbox';

export class Outbox {
  #database: Promise<IDBDatabase | undefined> | undefined;

  /** All entries of this origin that are still worth something. */
  async read(serverNowMs: number): Promise<readonly Entry[]> {
    const values = await this.#do('readonly', (entries) => entries.getAll());
    const entries = (Array.isArray(values) ? values : []).flatMap((value) => readEntry(value) ?? []);
    const old = surplus(entries, serverNowMs);
    for (const { clientId } of old) await this.remove(clientId);
    return entries.filter((entry) => !old.includes(entry));
  }

  /** Keeps an entry. Beyond 200 the oldest goes. */
  async put(entry: Entry, serverNowMs: number): Promise<void> {
    await this.#do('readwrite', (entries) => entries.put(entry));
    const count = Number(await this.#do('readonly', (entries) => entries.count()));
    if (count > mostEntries) await this.read(serverNowMs);
  }

  async remove(clientId: string): Promise<void> {
    await this.#do('readwrite', (entries) => entries.delete(clientId));
  }

  async #do(mode: IDBTransactionMode, ask: (entries: IDBObjectStore) => IDBRequest): Promise<unknown> {
    this.#database ??= open();
    const database = await this.#database;
    if (database === undefined) return undefined;
    try {
      return await answerOf(ask(database.transaction(store, mode).objectStore(store)));
    } catch {
      return undefined;
    }
  }
}

async function open(): Promise<IDBDatabase | undefined> {
  try {
    const request = indexedDB.open(name, 1);
    request.addEventListener('upgradeneeded', () => {
      request.result.createObjectStore(store, { keyPath: 'clientId' });
    });
    await answerOf(request);
    return request.result;
  } catch {
    return undefined;
  }
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('refused')));
  });
}
