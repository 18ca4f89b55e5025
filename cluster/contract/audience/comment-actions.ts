/** Actions of the comments actor. Each node that serves viewers has one; a node asks its own, so that comments work without NATS. */
export const commentActions = {
  post: 'comments.post',
  list: 'comments.list',
  thread: 'comments.thread',
  like: 'comments.like',
  unlike: 'comments.unlike',
  hide: 'comments.hide',
  restore: 'comments.restore',
  bans: 'comments.bans',
  ban: 'comments.ban',
  unban: 'comments.unban',
  report: 'comments.report',
  release: 'comments.release',
  audit: 'comments.audit',
  erase: 'comments.erase',
  guest: 'comments.guest',
  /** Answers the `Identity` behind a token. */
  identify: 'comments.identify',
  mode: 'comments.mode',
  setMode: 'comments.setMode',
} as const;
