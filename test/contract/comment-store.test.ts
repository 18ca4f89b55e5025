/**
 * The contract of the audience's database, held by the SQLite file. Each implementation is one row; a database that is slow to start has
 * these four lines in a file of its own.
 */
import { sqliteSubject } from '../support/ports/stores/audience-subject.ts';
import { commentContract } from '../support/ports/stores/comment-contract.ts';
import { moderationContract } from '../support/ports/stores/moderation-contract.ts';
import { threadContract } from '../support/ports/stores/thread-contract.ts';

for (const contract of [commentContract, threadContract, moderationContract])
  contract('SQLite', sqliteSubject);
