// J. Klensin on the ietf-smtp list, 2009: refuse even-numbered addresses if you like, that is local policy.
// So be it.
//   helo-milter --check examples/even-address.mjs --weight even-address=10
export default {
  name: 'even-address',
  findings: {
    'even-address': {
      basis: 'local',
      summary: "the last octet of the client's address is even",
      reference: 'local policy',
      weight: 0,
      reason: 'to show that a local rule needs no reason that anybody else would share',
      reply: '{client} ends in {octet}, and we like odd addresses only',
    },
  },
  run({ ip }) {
    if (ip === null) return 'none';
    const octet = ip.bytes.at(-1);
    return octet % 2 === 0 ? { id: 'even-address', evidence: { octet: String(octet) } } : 'pass';
  },
};
