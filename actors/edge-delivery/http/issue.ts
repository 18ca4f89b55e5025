/** One fault in the inputs of a request, as a problem document lists it. */
export interface Issue {
  readonly in: 'path' | 'query' | 'header' | 'body';
  /** The name of the field; empty for the whole input. */
  readonly at: string;
  /** What the field must be and what was given, as a sentence that continues after the name. */
  readonly message: string;
}
