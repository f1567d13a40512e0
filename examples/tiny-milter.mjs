// A milter in thirty lines: refuses mail to one address, tags the rest, and prints what it saw.
//   node examples/tiny-milter.mjs inet:127.0.0.1:8893 spamtrap@example.org
import { MilterServer, replyCode } from 'helo-milter/milter';

const [socket = 'inet:127.0.0.1:8893', refused = 'spamtrap@example.org'] = process.argv.slice(2);

class Session {
  helo(name) {
    this.name = name;
    return 'continue';
  }

  rcpt({ address }) {
    return address.toLowerCase() === refused ? replyCode(550, '5.7.1', `no mail to ${refused}`) : 'continue';
  }

  endOfMessage(message, context) {
    message.insertHeader(0, 'X-Tiny-Milter', `HELO had ${this.name?.length ?? 0} octets`);
    console.log(`accepted ${context.macro('i') ?? 'a message'}`);
    return 'accept';
  }
}

const server = new MilterServer({
  newSession: () => new Session(),
  actions: ['addHeaders'],
  onError: console.error,
});
console.log('listening on', await server.listen(socket));
process.once('SIGTERM', () => server.close({ graceMs: 1000 }));
