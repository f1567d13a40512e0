/**
 * The script with which it is seen whether the server lets us do all that the others do: each of their
 * commands once, on a value of ours that is gone in a minute. Without it a right that is missing would show
 * only in the middle of the mail, now and then.
 */

/** In an order in which each is possible; the key is put in the place of `KEY`. */
const CALLS: readonly (readonly string[])[] = [
  ['TIME'],
  ['DEL', 'KEY'],
  ['SET', 'KEY', '1', 'PX', '60000'],
  ['GETRANGE', 'KEY', '0', '1'],
  ['INCR', 'KEY'],
  ['EXPIRE', 'KEY', '60', 'NX'],
  ['PTTL', 'KEY'],
  ['DEL', 'KEY'],
  ['ZADD', 'KEY', '1', 'x'],
  ['PEXPIRE', 'KEY', '60000'],
  ['ZSCORE', 'KEY', 'x'],
  ['ZCARD', 'KEY'],
  ['ZREMRANGEBYSCORE', 'KEY', '-inf', '(1'],
  ['ZREM', 'KEY', 'x'],
];

const rows = CALLS.map((words) => {
  const all = words.map((word) => (word === 'KEY' ? 'KEYS[1]' : `'${word}'`));
  return `{ ${all.join(', ')} }`;
});

/** Key: one of our own. Fails with the name of the command that is not possible. */
export const TRIAL_LUA = `
for _, words in ipairs({ ${rows.join(', ')} }) do
  local reply = redis.pcall(unpack(words))
  if type(reply) == 'table' and reply.err then
    return redis.error_reply('ERR ' .. words[1] .. ' is not possible: ' .. reply.err)
  end
end
return { 0, {}, ARGV[#ARGV] }
`;
