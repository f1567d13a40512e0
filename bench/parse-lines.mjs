// The least that a reader of a decision log does: each line of the file is parsed, and counted by its action.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const counts = {};
for await (const line of createInterface({ input: createReadStream(process.argv[2]) })) {
  const { action } = JSON.parse(line);
  counts[action] = (counts[action] ?? 0) + 1;
}
process.stdout.write(`${JSON.stringify(counts)}\n`);
