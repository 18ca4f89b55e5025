/** Carries out what each comment of the viewer's own needs: sends it, sends it again, looks for it, keeps it until it is safe. */
import type { AudienceApi } from './audience-api.browser.ts';
import type { Live } from './live.browser.ts';
import { OpenTabs } from './open-tabs.browser.ts';
import type { Outbox } from './outbox.browser.ts';
import { mintClientId } from '../state/client-id.ts';
import type { PageComment, Person } from '../state/comment.ts';
import type { CommentList } from '../state/comment-list.ts';
import { isLive } from '../state/connection.ts';
import { entryOf, isLeftBehind, restored } from '../state/outbox.ts';
import { advanceOwn, dutyOf, idOf, ownComment } from '../state/own-comment.ts';
import type { Draft, OwnComment, OwnEvent } from '../state/own-comment.ts';
import { signedInAnew, type Problem } from '../state/problem.ts';

/** So many that were accepted are sent again a second (A6). */
const resentPerSecond = 5;

export interface SenderOptions {
  readonly streamId: string;
  readonly api: AudienceApi;
  readonly live: Live;
  readonly list: CommentList;
  readonly outbox: Outbox;
  readonly me: () => Person | undefined;
  readonly serverNowMs: () => number;
  /** Asks a server for its time, as what the page took for it was wrong. */
  readonly learnTime: () => Promise<void>;
  readonly isOffline: () => boolean;
  readonly onChange: () => void;
  readonly onAccepted: () => void;
  readonly onRefused: (problem: Problem, clientId: string) => void;
}

export class Sender {
  readonly #options: SenderOptions;
  readonly #tabs = new OpenTabs();
  #resentAtMs: number[] = [];
  /** Whether there is another region that may have a comment as well; undefined until a server has said so. */
  hasReplication: boolean | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Shows the comment at once, and sends it. */
  write(text: string, more: Pick<Draft, 'parentId' | 'mediaTime'>): void {
    const own = ownComment(this.#draft({ text, ...more }), Date.now());
    this.#set(own);
    this.tick();
  }

  /** What somebody wrote before they became another is the new one's comment: it goes under a new id. */
  retry(clientId: string): void {
    const draft = this.#own(clientId)?.draft;
    if (draft !== undefined && draft.authorId !== this.#options.me()?.id) {
      this.discard(clientId);
      return this.write(draft.text, draft);
    }
    this.#tell(clientId, { kind: 'retried' });
    this.tick();
  }

  /** A server answers again. */
  reached(): void {
    const serverNowMs = this.#options.serverNowMs();
    for (const { draft } of this.#mine()) this.#tell(draft.clientId, { kind: 'reached', serverNowMs });
    this.tick();
  }

  /** The viewer became another, who sends nothing of the one before: what is not accepted is offered. */
  becameAnother(): void {
    const { list, me } = this.#options;
    const id = me()?.id;
    for (const own of list.owns) {
      const { authorId, clientId } = own.draft;
      if (id === undefined || (authorId !== id && idOf(own) !== undefined)) list.dropOwn(clientId);
      else if (authorId !== id) this.#tell(clientId, { kind: 'refused', problem: signedInAnew });
    }
  }

  discard(clientId: string): void {
    const { list, outbox, onChange } = this.#options;
    list.dropOwn(clientId);
    void outbox.remove(clientId);
    onChange();
  }

  /** What another visit of the page left behind. Another tab that is open sees to its own. */
  async restore(): Promise<void> {
    const { outbox, me, streamId, list, serverNowMs } = this.#options;
    const person = me();
    if (person === undefined) return;
    const open = await this.#tabs.names();
    for (const entry of await outbox.read(serverNowMs())) {
      const isKnown = list.owns.some(({ draft }) => draft.clientId === entry.clientId);
      const isMine = entry.streamId === streamId && entry.userId === person.id;
      if (isMine && !isKnown && isLeftBehind(entry, open))
        this.#set(restored(entry, { nowMs: Date.now(), serverNowMs: serverNowMs() }));
    }
    this.tick();
  }

  acked(clientId: string, answer: Omit<Extract<OwnEvent, { kind: 'acked' }>, 'kind'>): void {
    const before = this.#own(clientId);
    const { id, isReplicated, receipt } = answer;
    this.#tell(clientId, { kind: 'acked', id, isReplicated, receipt });
    if (before !== undefined && idOf(before) === undefined) this.#options.onAccepted();
  }

  refused(clientId: string, problem: Problem): void {
    this.#tell(clientId, { kind: 'refused', problem });
    this.#options.onRefused(problem, clientId);
  }

  /** A comment that came to everybody may be one's own, whose answer was lost: its time and its author say so. */
  noticed(comment: PageComment): void {
    const { list } = this.#options;
    const isIt = ({ draft }: OwnComment): boolean =>
      draft.createdAtMs === comment.createdAtMs && draft.authorId === comment.author.id;
    const own = list.ownOf(comment.id) ?? list.owns.find(isIt);
    if (own === undefined || (idOf(own) !== undefined && !comment.isReplicated)) return;
    const { id, isReplicated } = comment;
    this.acked(own.draft.clientId, { id, isReplicated, receipt: undefined });
  }

  /** The socket is gone, and with it the answers that it would have brought. */
  disconnected(): void {
    for (const { draft, state } of this.#options.list.owns)
      if (state.kind === 'sending') this.#tell(draft.clientId, { kind: 'unanswered' });
  }

  tick(): void {
    const { live, isOffline } = this.#options;
    const nowMs = Date.now();
    const hasReplication = this.hasReplication === true;
    for (const own of this.#mine()) {
      const facts = { nowMs, isLive: isLive(live.state), isOffline: isOffline(), hasReplication };
      const duty = dutyOf(own, facts);
      if (duty !== undefined) this.#do(own, duty, nowMs);
    }
  }

  #do(own: OwnComment, duty: NonNullable<ReturnType<typeof dutyOf>>, nowMs: number): void {
    const { clientId } = own.draft;
    if (duty === 'giveUpWaiting') return this.#tell(clientId, { kind: 'unanswered' });
    if (duty === 'lookFor') {
      this.#tell(clientId, { kind: 'asked' });
      return void this.#lookFor(own);
    }
    if (duty === 'resend') {
      this.#resentAtMs = this.#resentAtMs.filter((atMs) => nowMs - atMs < 1000);
      if (this.#resentAtMs.length >= resentPerSecond) return;
      this.#resentAtMs.push(nowMs);
    }
    this.#tell(clientId, { kind: 'sent' });
    if (duty === 'sendLive' && this.#options.live.send({ type: 'comment', ...bodyOf(own.draft) })) return;
    void this.#post(own);
  }

  async #post({ draft, state }: OwnComment): Promise<void> {
    const { api, list } = this.#options;
    const receipt = state.kind === 'accepted' ? state.receipt : undefined;
    const answer = await api.post(draft, receipt);
    if (!answer.ok) return this.refused(draft.clientId, answer.problem);
    const { comment, receipt: given } = answer.value;
    list.add(comment);
    this.acked(draft.clientId, { id: comment.id, isReplicated: comment.isReplicated, receipt: given });
  }

  /** It was too old to be taken: did an earlier attempt arrive? */
  async #lookFor({ draft }: OwnComment): Promise<void> {
    const { api } = this.#options;
    const after = new Date(draft.createdAtMs - 1).toISOString();
    const answer = await api.page({ after, limit: '50' });
    if (!answer.ok) return this.#tell(draft.clientId, { kind: 'refused', problem: answer.problem });
    const found = answer.value.items.find(
      ({ author, createdAtMs }) => author.id === draft.authorId && createdAtMs === draft.createdAtMs,
    );
    if (found !== undefined) return this.#tell(draft.clientId, { kind: 'found', id: found.id });
    await this.#options.learnTime();
    const { text, parentId, mediaTime } = draft;
    this.#tell(draft.clientId, { kind: 'missed', draft: this.#draft({ text, parentId, mediaTime }) });
    this.tick();
  }

  #draft({ text, parentId, mediaTime }: Pick<Draft, 'text' | 'parentId' | 'mediaTime'>): Draft {
    const taken = new Set(this.#options.list.owns.map(({ draft }) => draft.createdAtMs));
    let createdAtMs = this.#options.serverNowMs();
    while (taken.has(createdAtMs)) createdAtMs -= 1; // two at one moment could not be told apart
    const random = crypto.getRandomValues(new Uint8Array(10));
    const authorId = this.#options.me()?.id ?? '';
    return { text, parentId, mediaTime, authorId, clientId: mintClientId(createdAtMs, random), createdAtMs };
  }

  #mine(): readonly OwnComment[] {
    const id = this.#options.me()?.id;
    return this.#options.list.owns.filter(({ draft }) => draft.authorId === id);
  }

  #own(clientId: string): OwnComment | undefined {
    return this.#options.list.owns.find(({ draft }) => draft.clientId === clientId);
  }

  #tell(clientId: string, event: OwnEvent): void {
    const own = this.#own(clientId);
    const next = own === undefined ? undefined : advanceOwn(own, event, Date.now());
    if (next === undefined || next === own) return;
    if (next.draft.clientId !== clientId) this.discard(clientId);
    this.#set(next);
  }

  #set(own: OwnComment): void {
    const { list, me, outbox, streamId, onChange, serverNowMs } = this.#options;
    const person = me();
    if (person === undefined) return;
    list.setOwn(own, person);
    const entry = entryOf(own, { streamId, tab: this.#tabs.self, hasReplication: this.hasReplication });
    void (entry === undefined ? outbox.remove(own.draft.clientId) : outbox.put(entry, serverNowMs()));
    onChange();
  }
}

const bodyOf = ({ text, clientId, parentId, mediaTime }: Draft): object => ({
  text,
  clientId,
  ...(parentId === undefined ? {} : { parentId }),
  ...(mediaTime === undefined ? {} : { mediaTime }),
});
