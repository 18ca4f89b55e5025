/** The words of moderation: how long a ban may last, and which lists there are. */

export const banChoices: readonly { readonly text: string; readonly seconds: number | undefined }[] = [
  { text: '10 minutes', seconds: 600 },
  { text: '1 hour', seconds: 3600 },
  { text: '1 day', seconds: 86_400 },
  { text: '1 week', seconds: 604_800 },
  { text: 'For good', seconds: undefined },
];

export const queueKinds = ['held', 'reported', 'hidden'] as const;
export type QueueKind = (typeof queueKinds)[number];

export const queueTexts: Readonly<
  Record<QueueKind, { readonly button: string; readonly title: string; readonly empty: string }>
> = {
  held: { button: 'Held', title: 'They wait for a moderator', empty: 'No comment waits for a moderator.' },
  reported: { button: 'Reported', title: 'They were reported', empty: 'No comment was reported.' },
  hidden: { button: 'Hidden', title: 'They are hidden', empty: 'No comment is hidden.' },
};
