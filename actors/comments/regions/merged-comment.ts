/** Joins what two regions know of one comment, cell by cell: the same comes out in whatever order and however often (A14). */

/** As its row has them. `hidingAtMs` and `withdrawalAtMs` are null where nobody has said anything; `hiding` is null where it was shown again. */
export interface CommentCells {
  readonly body: string;
  readonly isErased: number;
  readonly isHeld: number;
  readonly releasedAtMs: number | null;
  readonly hiding: string | null;
  readonly hidingAtMs: number | null;
  readonly withdrawal: string | null;
  readonly withdrawalAtMs: number | null;
}

export function mergedComment(one: CommentCells, other: CommentCells): CommentCells {
  const hiding = laterHiding([one.hiding, one.hidingAtMs], [other.hiding, other.hidingAtMs]);
  const withdrawal = laterHiding(
    [one.withdrawal, one.withdrawalAtMs],
    [other.withdrawal, other.withdrawalAtMs],
  );
  return {
    ...mergedBody(one, other),
    ...mergedHold(one, other),
    hiding: hiding[0],
    hidingAtMs: hiding[1],
    withdrawal: withdrawal[0],
    withdrawalAtMs: withdrawal[1],
  };
}

type Body = Pick<CommentCells, 'body' | 'isErased'>;

/** An erasure is for good. One id has two bodies where its author sent it to two regions during a cut: then all show the same one. */
function mergedBody(one: Body, other: Body): Body {
  if (one.isErased !== other.isErased) return one.isErased === 1 ? bodyOf(one) : bodyOf(other);
  return one.body <= other.body ? bodyOf(one) : bodyOf(other);
}

const bodyOf = ({ body, isErased }: Body): Body => ({ body, isErased });

type Hold = Pick<CommentCells, 'isHeld' | 'releasedAtMs'>;

/** What was held counts until it is released, and what was released until it is held anew. */
function mergedHold(one: Hold, other: Hold): Hold {
  const [oneMs, otherMs] = [one.releasedAtMs ?? -1, other.releasedAtMs ?? -1];
  if (oneMs !== otherMs) return oneMs > otherMs ? holdOf(one) : holdOf(other);
  return { ...holdOf(one), isHeld: Math.max(one.isHeld, other.isHeld) };
}

const holdOf = ({ isHeld, releasedAtMs }: Hold): Hold => ({ isHeld, releasedAtMs });

type Hiding = readonly [cell: string | null, atMs: number | null];

/** The later act wins. Of two at once, the hide does; of two hides, always the same one. */
function laterHiding(one: Hiding, other: Hiding): Hiding {
  const [oneMs, otherMs] = [one[1] ?? -1, other[1] ?? -1];
  if (oneMs !== otherMs) return oneMs > otherMs ? one : other;
  if (one[0] === null || other[0] === null) return one[0] === null ? other : one;
  return one[0] <= other[0] ? one : other;
}
