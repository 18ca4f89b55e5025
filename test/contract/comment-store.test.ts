/**
 * The contract of the audience's database, held by the SQLite file, and that of its comments by the memory, too. A database that is slow to
 * start has these four lines in a file of its own.
 */
import { sqliteSubject } from '../support/ports/stores/audience-subject.ts';
import { commentContract } from '../support/ports/stores/comment-contract.ts';
import { memorySubject } from '../support/ports/stores/memory-audience-store.ts';
import { moderationContract } from '../support/ports/stores/moderation-contract.ts';
import { threadContract } from '../support/ports/stores/thread-contract.ts';
import { withdrawalContract } from '../support/ports/stores/withdrawal-contract.ts';

for (const contract of [commentContract, withdrawalContract, threadContract, moderationContract])
  contract('SQLite', sqliteSubject);

for (const contract of [commentContract, withdrawalContract]) contract('memory', memorySubject);
