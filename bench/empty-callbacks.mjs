// helo-milter/milter with callbacks that do nothing, up to a given event. The twin of empty-milter.c.
//   node bench/empty-callbacks.mjs SOCKET [LAST] [-c]
// LAST is helo, sender, recipient or mail (by default all callbacks); -c leaves CONNECT unanswered.
import { MilterServer } from 'helo-milter/milter';

const [socket = 'inet:127.0.0.1:8893', ...rest] = process.argv.slice(2);
const EVENTS = {
  helo: ['connect', 'helo'],
  sender: ['connect', 'helo', 'mail'],
  recipient: ['connect', 'helo', 'mail', 'rcpt'],
  mail: [
    'connect',
    'helo',
    'mail',
    'rcpt',
    'data',
    'header',
    'endOfHeaders',
    'body',
    'endOfMessage',
    'unknown',
    'abort',
  ],
};
const events = EVENTS[rest.find((each) => each in EVENTS) ?? 'mail'];

class Session {}
for (const event of events) Session.prototype[event] = () => 'continue';

const server = new MilterServer({
  newSession: () => new Session(),
  noReply: rest.includes('-c') ? ['connect'] : [],
  onError: console.error,
});
await server.listen(socket, { mode: 0o666 });
console.log(`empty-callbacks listens on ${socket}`);
process.once('SIGTERM', () => server.close());
