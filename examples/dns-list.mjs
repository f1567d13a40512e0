// Is the client on a DNS list (RFC 5782)? Asks one zone for the reversed address; any answer in 127.0.0.0/8
// is a listing.
//   DNS_LIST=dnsbl.example.org helo-milter --check examples/dns-list.mjs
// It is a method as well: a line of the access list may ask for `unlisted=pass`, and accepted mail is tagged
// x-helo-dnsbl.
import { defineCheck, reverseName } from 'helo-milter/core';

const zone = process.env.DNS_LIST ?? 'dnsbl.example.org';

export const dnsList = defineCheck({
  name: 'dns-list',
  findings: {
    'client-listed': {
      basis: 'local',
      summary: `the client is on the DNS list ${zone}`,
      reference: 'RFC 5782 §2.1',
      weight: { rfc5321: 4, emailcore: 4, strict: 10 },
      reason: 'somebody else has reasons against this client; how much they weigh is for the operator to say',
      reply: `{client} is listed by ${zone}: {text}`,
    },
  },
  method: {
    heading: `DNS list ${zone}`,
    about: 'client',
    access: { key: 'unlisted', takes: 'pass' },
    results: { method: 'x-helo-dnsbl', property: 'policy.ip' },
  },
  async run({ ip }, resolver) {
    if (ip === null) return 'none';
    const name = `${reverseName(ip).replace(/\.(?:in-addr|ip6)\.arpa$/, '')}.${zone}`;
    const [listing, text] = await Promise.all([resolver.lookup(name, 'A'), resolver.lookup(name, 'TXT')]);
    // Trouble with somebody else's list must not count against a client.
    if (listing.status === 'temperror') return 'none';
    if (listing.status !== 'found' || !listing.records.some((address) => address.startsWith('127.')))
      return 'pass';
    return {
      id: 'client-listed',
      evidence: { text: text.status === 'found' ? text.records[0] : 'no reason given' },
    };
  },
});
