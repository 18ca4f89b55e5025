/** Moderation as the API shows it: bans, reports, what moderators did, the erasure of a user. */
import { z } from 'zod';
import { mustBe } from '../../errors/input-sentences.ts';
import { StreamId, UserId } from '../../model/ids.ts';

/** In the place of a stream's id: what concerns all streams. */
export const allStreams = StreamId.parse('all-streams');

const reason = z.string().trim().max(500).optional();
const mostBanSeconds = 31_536_000;

export const BanBody = z
  .strictObject({
    seconds: z
      .number()
      .int()
      .min(1)
      .max(mostBanSeconds, mustBe('at most 31536000 seconds, which is a year'))
      .optional()
      .meta({ description: 'For how long; for good when absent.' }),
    reason,
    purge: z
      .boolean()
      .default(false)
      .meta({ description: 'Hides what they wrote here in the last 10 minutes, 100 comments at most.' }),
  })
  .meta({ id: 'BanUser' });
export type BanBody = z.infer<typeof BanBody>;

const by = z.union([UserId, z.literal('operator')]);

export const Ban = z
  .object({
    streamId: StreamId.meta({ description: '`all-streams` for a ban of all of them.' }),
    userId: UserId,
    by,
    at: z.iso.datetime(),
    until: z.iso.datetime().optional().meta({ description: 'For good when absent.' }),
    reason: z.string().optional(),
  })
  .meta({ id: 'Ban' });
export type Ban = z.infer<typeof Ban>;

export const NewBan = Ban.extend({
  purged: z.number().int().nonnegative().meta({ description: 'How many comments were hidden with it.' }),
}).meta({ id: 'NewBan' });
export type NewBan = z.infer<typeof NewBan>;

export const BanPage = z
  .object({ items: z.array(Ban), nextCursor: z.string().optional() })
  .meta({ id: 'BanPage' });
export type BanPage = z.infer<typeof BanPage>;

export const ReportBody = z.strictObject({ reason }).meta({ id: 'ReportComment' });
export type ReportBody = z.infer<typeof ReportBody>;

export const AuditEntry = z
  .object({
    at: z.iso.datetime(),
    by,
    act: z.string().meta({ description: 'Like `comment.hide`, `user.ban` or `stream.mode`.' }),
    on: z.string().meta({ description: 'A comment, a user or a stream.' }),
    reason: z.string().optional(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditPage = z
  .object({ items: z.array(AuditEntry), nextCursor: z.string().optional() })
  .meta({ id: 'AuditPage' });
export type AuditPage = z.infer<typeof AuditPage>;

export const EraseBody = z.strictObject({ reason }).meta({ id: 'EraseUser' });
export type EraseBody = z.infer<typeof EraseBody>;

export const Erased = z
  .object({
    comments: z.number().int().nonnegative().meta({ description: 'How many were emptied now.' }),
  })
  .meta({ id: 'Erased' });
export type Erased = z.infer<typeof Erased>;
