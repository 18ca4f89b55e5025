/** A fault of a request's inputs, as problem documents list it. */
export interface Issue {
  readonly in: 'path' | 'query' | 'header' | 'body';
  /** Its name; empty for the whole. */
  readonly at: string;
  /** What it must be and what was given: a sentence that begins behind the name. */
  readonly message: string;
}
