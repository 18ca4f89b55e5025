/**
 * The list of comments, of which only the rows that are seen have elements.
 *
 * L1. At the bottom it stays at the bottom; anywhere else the first row that is seen keeps its place, whatever comes above or below it.
 * L2. Rows are measured by the browser's own layout (a ResizeObserver, before the picture is drawn), so that no script forces one.
 * L3. The row with the focus keeps its element, wherever it is scrolled to.
 */
import { make } from './elements.browser.ts';
import { RowView, type RowFacts, type RowWishes } from './row.browser.ts';
import type { Row } from './state/comment-list.ts';
import { RowHeights } from './state/row-heights.ts';

/** So near to the end counts as at the end. */
const nearPx = 48;
/** Rows are made so far beyond what is seen. */
const marginPx = 400;
/** So near to the beginning older ones are asked for. */
const olderPx = 800;

export interface ListOptions extends RowWishes {
  readonly onOlder: () => void;
  readonly onPlace: () => void;
}

type Anchor = 'end' | { readonly key: string; readonly offsetPx: number };

export class ListView {
  readonly scroller = make('div', { class: 'scroller' });
  readonly #sizer = make('div', { class: 'sizer', attributes: { role: 'feed', 'aria-label': 'Comments' } });
  readonly #options: ListOptions;
  readonly #heights = new RowHeights();
  readonly #views = new Map<string, RowView>();
  #rows: readonly Row[] = [];
  #factsOf: (row: Row) => RowFacts = () => {
    throw new Error('nothing is shown yet');
  };
  #anchor: Anchor = 'end';
  #active: string | undefined;
  #widthPx = 0;
  readonly #observer = new ResizeObserver((entries) => this.#measured(entries));

  constructor(options: ListOptions) {
    this.#options = options;
    this.scroller.append(this.#sizer);
    this.scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#sizer.addEventListener('keydown', (event) => this.#pressed(event));
    this.#sizer.addEventListener('focusin', ({ target }) => this.#focused(target));
    this.#sizer.addEventListener('click', ({ target }) => this.#focused(target));
    this.#observer.observe(this.scroller);
  }

  get isAtEnd(): boolean {
    return this.#anchor === 'end';
  }

  show(rows: readonly Row[], factsOf: (row: Row) => RowFacts): void {
    const focused = this.#pinned();
    const key = focused === undefined ? undefined : this.#keyOf(focused);
    this.#rows = rows;
    this.#factsOf = factsOf;
    this.#heights.setKeys(rows.map(({ key }) => key));
    this.#sizer.hidden = rows.length === 0;
    this.#lay();
    // Who hid the comment goes on at the next one.
    if (focused !== undefined && key !== undefined && this.#heights.indexOf(key) === undefined)
      this.#focusRow(focused);
  }

  goToEnd(): void {
    this.#anchor = 'end';
    this.#lay();
  }

  /** Goes to the end, and moves the focus to the newest row. */
  enterEnd(): void {
    this.goToEnd();
    if (this.#heights.count > 0) this.#focusRow(this.#heights.count - 1);
  }

  /** Moves the focus to the row that had it last, or to the newest one. */
  enter(): void {
    const key = this.#active ?? this.#heights.keyAt(this.#heights.count - 1);
    if (key !== undefined) this.#focusRow(this.#heights.indexOf(key) ?? this.#heights.count - 1);
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const isAtEnd = scrollHeight - scrollTop - clientHeight <= nearPx;
    this.#anchor = isAtEnd ? 'end' : this.#anchorAt(scrollTop);
    this.#render();
    this.#options.onPlace();
  }

  #anchorAt(scrollTop: number): Anchor {
    const top = this.#inSizer(scrollTop);
    const index = this.#heights.indexAt(Math.max(0, top));
    const key = this.#heights.keyAt(index);
    return key === undefined ? 'end' : { key, offsetPx: top - this.#heights.topOf(index) };
  }

  /** Makes the place what the anchor says, then the rows what the place says (L1). */
  #lay(): void {
    this.#sizer.style.height = `${this.#heights.totalPx}px`;
    const wanted = this.#wantedTop();
    if (Math.abs(this.scroller.scrollTop - wanted) >= 1) this.scroller.scrollTop = wanted;
    this.#render();
    this.#options.onPlace();
  }

  #wantedTop(): number {
    const { clientHeight } = this.scroller;
    const endPx = Math.max(0, this.#heights.totalPx - clientHeight);
    if (this.#anchor === 'end') return endPx;
    const index = this.#heights.indexOf(this.#anchor.key);
    return index === undefined
      ? Math.min(this.scroller.scrollTop, endPx)
      : this.#heights.topOf(index) + this.#anchor.offsetPx;
  }

  /** Few rows lie at the bottom of the panel, below an empty space. */
  #inSizer(scrollTop: number): number {
    return scrollTop - Math.max(0, this.scroller.clientHeight - this.#heights.totalPx);
  }

  #render(): void {
    const { scrollTop, clientHeight } = this.scroller;
    const { from, to } = this.#heights.windowOf(this.#inSizer(scrollTop), clientHeight, marginPx);
    const shown = new Map<string, number>();
    const pinned = this.#pinned();
    if (pinned !== undefined && pinned < from) shown.set(this.#keyOf(pinned), pinned);
    for (let index = from; index < to; index += 1) shown.set(this.#keyOf(index), index);
    if (pinned !== undefined && pinned >= to) shown.set(this.#keyOf(pinned), pinned);
    for (const [key, view] of this.#views) if (!shown.has(key)) this.#remove(key, view);
    let next = this.#sizer.firstElementChild;
    for (const [key, index] of shown) {
      const view = this.#viewOf(key, index);
      // Those that are there are in order, so that only new ones are put in, and none loses the focus.
      if (view.element === next) next = next.nextElementSibling;
      else this.#sizer.insertBefore(view.element, next);
    }
    if (from === 0 || scrollTop < olderPx) this.#options.onOlder();
  }

  /** The row that the Tab key leads to: where the focus was last, or the newest one. */
  get #reached(): string | undefined {
    const isThere = this.#active !== undefined && this.#heights.indexOf(this.#active) !== undefined;
    return isThere ? this.#active : this.#heights.keyAt(this.#heights.count - 1);
  }

  #keyOf(index: number): string {
    return this.#heights.keyAt(index) ?? '';
  }

  /** The row with the focus (L3). */
  #pinned(): number | undefined {
    const focused = document.activeElement?.closest('.comment');
    const key =
      focused instanceof HTMLElement && this.#sizer.contains(focused) ? focused.dataset['key'] : undefined;
    return key === undefined ? undefined : this.#heights.indexOf(key);
  }

  #viewOf(key: string, index: number): RowView {
    const row = this.#rows[index];
    let view = this.#views.get(key);
    if (view === undefined) {
      view = new RowView(key, this.#options);
      this.#views.set(key, view);
      this.#observer.observe(view.element);
    }
    if (row !== undefined) view.show(row, this.#factsOf(row));
    view.place({ topPx: this.#heights.topOf(index), index, count: this.#rows.length });
    view.reach(key === this.#reached);
    return view;
  }

  #remove(key: string, view: RowView): void {
    this.#observer.unobserve(view.element);
    view.element.remove();
    this.#views.delete(key);
  }

  /** Takes the heights that the browser's layout gave (L2). */
  #measured(entries: readonly ResizeObserverEntry[]): void {
    let hasChanged = false;
    for (const { target, borderBoxSize } of entries) {
      const heightPx = borderBoxSize[0]?.blockSize ?? 0;
      if (target === this.scroller) {
        this.#resized(borderBoxSize[0]?.inlineSize ?? 0);
        hasChanged = true;
      } else if (target instanceof HTMLElement && target.isConnected && heightPx > 0) {
        hasChanged = this.#heights.measured(target.dataset['key'] ?? '', heightPx) || hasChanged;
      }
    }
    if (hasChanged) this.#lay();
  }

  /** In another width text breaks elsewhere: what was measured is worth nothing. */
  #resized(widthPx: number): void {
    if (widthPx === this.#widthPx) return;
    this.#widthPx = widthPx;
    this.#heights.forget();
    for (const { element } of this.#views.values()) {
      this.#observer.unobserve(element);
      this.#observer.observe(element);
    }
  }

  #focused(target: EventTarget | null): void {
    const element = target instanceof Element ? target.closest<HTMLElement>('.comment') : null;
    const key = element?.dataset['key'];
    if (key === undefined || key === this.#active) return;
    for (const view of this.#views.values()) view.reach(view.element === element);
    this.#active = key;
  }

  #pressed(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: -1,
      ArrowDown: 1,
      PageUp: -8,
      PageDown: 8,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    };
    const step = steps[event.key];
    const key =
      event.target instanceof Element
        ? event.target.closest<HTMLElement>('.comment')?.dataset['key']
        : undefined;
    const index = key === undefined ? undefined : this.#heights.indexOf(key);
    if (step === undefined || index === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault(); // or the player would take the arrows for the volume
    this.#focusRow(index + step);
  }

  #focusRow(wanted: number): void {
    const index = Math.max(0, Math.min(this.#heights.count - 1, wanted));
    const topPx = this.#heights.topOf(index);
    const bottomPx = this.#heights.topOf(index + 1);
    const { scrollTop, clientHeight } = this.scroller;
    const seenFrom = this.#inSizer(scrollTop);
    if (topPx < seenFrom) this.scroller.scrollTop = scrollTop - (seenFrom - topPx);
    else if (bottomPx > seenFrom + clientHeight)
      this.scroller.scrollTop = scrollTop + bottomPx - seenFrom - clientHeight;
    this.#scrolled();
    this.#active = this.#keyOf(index);
    this.#viewOf(this.#active, index).element.focus({ preventScroll: true });
    this.#render();
  }
}
