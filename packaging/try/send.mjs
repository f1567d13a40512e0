// One SMTP session from an address of its own; prints what was answered to RCPT, or to the message.
//   node send.mjs CLIENT HELO [TIMES]     with TIMES sessions one after the other
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [client, helo, times = '1'] = process.argv.slice(2);

async function session() {
  const socket = connect({ host: '127.0.0.1', port: 25, localAddress: client });
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const reply = async () => {
    for (;;) {
      const { value = '421 closed' } = await lines.next();
      if (value[3] !== '-') return value;
    }
  };
  const say = (line) => {
    socket.write(`${line}\r\n`);
    return reply();
  };
  try {
    await reply();
    for (const line of [`EHLO ${helo}`, `MAIL FROM:<info@${helo}>`, 'RCPT TO:<root@localhost>', 'DATA']) {
      const told = await say(line);
      if (!/^[23]/.test(told)) return told;
    }
    return await say('Subject: a test\r\n\r\nHello.\r\n.');
  } finally {
    socket.end('QUIT\r\n');
  }
}

for (let i = 0; i < Number(times); i++) console.log(await session());
