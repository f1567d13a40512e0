// An SMTP server in Node that judges its clients by their HELO: the package smtp-server with our checks,
// without a milter.
//   npm install smtp-server
//   node examples/embed-smtp-server.mjs 2525                          asks the name servers of the system
//   node examples/embed-smtp-server.mjs 2525 examples/senders.zone    takes all DNS answers from that file
import { readFileSync } from 'node:fs';
import {
  assess,
  Asker,
  checks,
  createNodeResolver,
  decide,
  findings,
  isLoopback,
  makeClient,
  makePolicy,
  networksOf,
  smtpReply,
  withDeadline,
  worthwhile,
  zoneFileResolver,
} from 'helo-milter/core';
import { SMTPServer } from 'smtp-server';

const [port = '2525', zone] = process.argv.slice(2);
// One for the whole program: its clients share questions, and the limit on how many are under way.
const resolver =
  zone === undefined ? createNodeResolver() : zoneFileResolver(readFileSync(zone, 'utf8'), zone);
const policy = makePolicy('emailcore', findings);
const needed = worthwhile(checks, [policy]);
const words = { helpUrl: null, contact: 'postmaster@mx.example.org', templates: new Map() };

/** What to answer this client, or null if its mail is welcome. */
async function judge({ remoteAddress, hostNameAppearsAs, id }) {
  const client = makeClient(remoteAddress, hostNameAppearsAs || '');
  if (client.ip !== null && isLoopback(client.ip)) return null;
  const { resolver: inTime, done } = withDeadline(resolver, 6000, new Asker(networksOf(client.ip)));
  try {
    const assessment = await assess(client, {
      resolver: inTime,
      checks: needed,
      onCheckError: (check, error) => console.error(check, error),
    });
    const verdict = decide(assessment, policy);
    console.log(
      id,
      client.helo.text,
      verdict.disposition,
      verdict.cause?.id ?? '',
      assessment.correspondence,
    );
    return smtpReply(verdict, { assessment, findings, words, reference: id, policy });
  } finally {
    done();
  }
}

/** By session: started at MAIL, so that DNS is asked while the client goes on talking. */
const replies = new WeakMap();

const server = new SMTPServer({
  disabledCommands: ['AUTH', 'STARTTLS'],
  // smtp-server would put enhanced status codes of its own before ours; and we look up the client's name
  // ourselves.
  hideENHANCEDSTATUSCODES: true,
  disableReverseLookup: true,
  // A load balancer on this host may tell who the client is (PROXY protocol).
  useProxy: ['127.0.0.1'],
  onMailFrom(address, session, callback) {
    const reply = judge(session).catch((error) => {
      // A fault of ours is no reason to lose mail.
      console.error(error);
      return null;
    });
    replies.set(session, reply);
    callback();
  },
  async onRcptTo({ address }, session, callback) {
    // RFC 5321 §4.5.1: a refused sender can still write to the postmaster.
    const reply = /^postmaster(@|$)/i.test(address) ? null : await replies.get(session);
    if (!reply) return callback();
    const refusal = new Error(`${reply.enhancedCode} ${reply.text}`);
    return callback(Object.assign(refusal, { responseCode: reply.code }));
  },
  onData(stream, session, callback) {
    stream.on('end', callback).resume();
  },
});
server.on('error', console.error);
server.listen(Number(port), '127.0.0.1', () => console.log('listening on', server.server.address().port));
process.once('SIGTERM', () => server.close());
