/** One comment of the list: who said what and when, how far one's own is, and what may be done with it. */
import { make, makeButton, setText } from './elements.browser.ts';
import type { Person } from './state/comment.ts';
import type { Row } from './state/comment-list.ts';
import { ownMark, ownWords, type OwnMark, type RowAction } from './state/panel-view.ts';

export interface RowFacts {
  readonly me: Person | undefined;
  readonly hasReplication: boolean;
  readonly nowMs: number;
  readonly time: string;
  readonly actions: readonly RowAction[];
  /** Who is answered, where that is not seen from the place. */
  readonly answers: string | undefined;
}

export interface RowWishes {
  readonly onAction: (action: RowAction, row: Row) => void;
  /** Shows the answers below the comment, or no longer. */
  readonly onFold: (row: Row) => void;
}

const actionTexts: Readonly<Record<RowAction, string>> = {
  retry: 'Try again',
  discard: 'Discard',
  reply: 'Answer',
  like: '♥ Like',
  unlike: '♥ Liked',
  report: 'Report',
  release: 'Release',
  ban: 'Ban',
  hide: 'Hide',
  restore: 'Show again',
};

/** Which action takes the place of which. */
const twins: Readonly<Partial<Record<RowAction, RowAction>>> = {
  like: 'unlike',
  unlike: 'like',
  hide: 'restore',
  restore: 'hide',
};

function tagsOf({ author, isHidden, isHeld, reports }: Row['comment']): readonly string[] {
  return [
    ...(author.isStaff ? ['Staff'] : []),
    ...(isHidden ? ['Hidden'] : []),
    ...(isHeld ? ['Waits for a moderator'] : []),
    ...(reports > 0 ? [reports === 1 ? '1 report' : `${reports} reports`] : []),
  ];
}

const markTexts = {
  kept: 'Sent',
  sent: 'Sent: another region does not have it yet',
  safe: 'Safe: kept in more than one place',
  '': '',
} as const;

export class RowView {
  readonly element = make('article', { class: 'comment', attributes: { tabindex: '-1' } });
  readonly #wishes: RowWishes;
  readonly #name = make('bdi', { class: 'name' });
  readonly #tags = make('span', { class: 'tags' });
  readonly #time = make('time');
  readonly #likes = make('span', { class: 'likes' });
  readonly #mark = make('span', { class: 'mark' });
  readonly #said = make('p', { class: 'said', attributes: { dir: 'auto' } });
  readonly #answers = make('p', { class: 'answers', attributes: { dir: 'auto' } });
  readonly #state = make('p', { class: 'progress' });
  readonly #acts = make('div', { class: 'acts' });
  readonly #fold: HTMLButtonElement;
  #row: Row | undefined;
  #shown = '';
  #isReached = false;
  #isAwake = false;
  #actions: readonly RowAction[] = [];

  constructor(key: string, wishes: RowWishes) {
    this.#wishes = wishes;
    this.#fold = makeButton('', () => this.#row !== undefined && wishes.onFold(this.#row), { class: 'fold' });
    for (const interest of ['pointerenter', 'focusin', 'click'])
      this.element.addEventListener(interest, () => this.#wake());
    this.element.dataset['key'] = key;
    const head = make('header', {}, [this.#name, this.#tags, this.#time, this.#likes, this.#mark]);
    this.element.append(head, this.#answers, this.#said, this.#state, this.#acts, this.#fold);
  }

  /** Costs little while nothing changes. */
  show(row: Row, facts: RowFacts): void {
    this.#row = row;
    const { comment, own, depth } = row;
    const { isHidden, author } = comment;
    const state = own === undefined ? '' : ownWords(own, facts.hasReplication, facts.nowMs);
    const mark = own === undefined ? '' : ownMark(own, facts.hasReplication);
    const isMine = facts.me !== undefined && author.id === facts.me.id;
    const tags = tagsOf(comment);
    const seen = [
      author.name,
      comment.text,
      facts.time,
      own?.state.kind,
      state,
      mark,
      tags,
      facts.actions,
      facts.answers,
      depth,
      isMine,
      comment.likes,
      row.replies,
      row.isUnfolded,
    ];
    const text = JSON.stringify(seen);
    if (text === this.#shown) return;
    this.#shown = text;
    setText(this.#name, author.name);
    this.#tags.replaceChildren(...tags.map((tag) => make('span', { class: 'tag', text: tag })));
    setText(this.#time, facts.time);
    this.#time.dateTime = new Date(comment.createdAtMs).toISOString();
    setText(this.#said, comment.text === '' && isHidden ? 'This comment is hidden.' : comment.text);
    this.#showMark(mark);
    this.#showLikes(comment.likes, comment.isLikedByMe === true);
    this.#showFold(row);
    setText(this.#state, mark === '' ? state : '');
    this.#answers.hidden = facts.answers === undefined;
    setText(this.#answers, facts.answers === undefined ? '' : `To ${facts.answers}`);
    this.#showKind({ isMine, isHidden, isStaff: author.isStaff, kind: own?.state.kind ?? '', depth });
    this.#showActions(facts.actions);
  }

  place({
    topPx,
    index,
    count,
  }: {
    readonly topPx: number;
    readonly index: number;
    readonly count: number;
  }): void {
    this.element.style.transform = `translateY(${topPx}px)`;
    this.element.setAttribute('aria-posinset', String(index + 1));
    this.element.setAttribute('aria-setsize', String(count));
  }

  /** One row at a time can be reached by the Tab key, and in it its buttons. */
  reach(isReached: boolean): void {
    this.#isReached = isReached;
    this.element.tabIndex = isReached ? 0 : -1;
    for (const button of this.element.querySelectorAll('button')) button.tabIndex = this.element.tabIndex;
  }

  #showLikes(likes: number, isMine: boolean): void {
    this.#likes.hidden = likes === 0;
    this.#likes.classList.toggle('is-mine', isMine);
    setText(this.#likes, likes === 0 ? '' : `♥ ${likes.toLocaleString('en')}`);
    this.#likes.title = likes === 1 ? '1 like' : `${likes} likes`;
  }

  #showFold({ replies, isUnfolded }: Row): void {
    this.#fold.hidden = replies === 0;
    this.#fold.setAttribute('aria-expanded', String(isUnfolded));
    const answers = replies === 1 ? '1 answer' : `${replies.toLocaleString('en')} answers`;
    setText(this.#fold, isUnfolded ? 'Hide answers' : answers);
  }

  #showMark(mark: OwnMark): void {
    this.#mark.dataset['mark'] = mark;
    this.#mark.title = markTexts[mark];
    this.#mark.hidden = mark === '';
    if (mark === '') this.#mark.replaceChildren();
    else this.#mark.replaceChildren(make('span', { class: 'heard', text: markTexts[mark] }));
  }

  #showKind(kind: {
    readonly isMine: boolean;
    readonly isHidden: boolean;
    readonly isStaff: boolean;
    readonly kind: string;
    readonly depth: number;
  }): void {
    const { classList, dataset } = this.element;
    classList.toggle('mine', kind.isMine);
    classList.toggle('hidden-one', kind.isHidden);
    classList.toggle('staff', kind.isStaff);
    classList.toggle('reply', kind.depth > 0);
    dataset['own'] = kind.kind;
  }

  /** Buttons are made for a row that somebody points at or enters: most rows go by without. */
  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#showActions(this.#actions);
  }

  #showActions(actions: readonly RowAction[]): void {
    this.#actions = actions;
    const focused = this.#acts.querySelector<HTMLElement>(':focus')?.dataset['action'];
    this.#acts.hidden = actions.length === 0;
    if (!this.#isAwake && !actions.includes('retry')) return this.#acts.replaceChildren();
    const buttons = actions.map((action) => {
      const pressed =
        action === 'like' || action === 'unlike' ? { 'aria-pressed': String(action === 'unlike') } : {};
      const attributes: Readonly<Record<string, string>> = { 'data-action': action, ...pressed };
      return makeButton(actionTexts[action], () => this.#act(action), { attributes });
    });
    this.#acts.replaceChildren(...buttons);
    this.reach(this.#isReached);
    if (focused === undefined) return;
    // Never another action, which a second press of the key would carry out.
    const same = buttons[actions.findIndex((action) => action === focused || twins[action] === focused)];
    (same ?? this.element).focus({ preventScroll: true });
  }

  #act(action: RowAction): void {
    if (this.#row !== undefined) this.#wishes.onAction(action, this.#row);
  }
}
