/**
 * What a refused sender can do, in the words of the products that it may have. Names of menus and settings
 * are those of the products' own manuals; `‹` and `›` enclose what is typed.
 */
import type { FindingSpec, Remedy } from '../core/check.ts';

/** How it is done with one product, or by one kind of sender. */
export interface HowTo {
  readonly where: string;
  readonly how: string;
}

export interface RemedyText {
  readonly title: string;
  /** Sentences. */
  readonly what: string;
  readonly ways: readonly HowTo[];
}

const ASK_YOUR_PROVIDER: HowTo = {
  where: 'Somebody else runs the server',
  how: 'Send the whole refusal to your provider or hosting company, and ask them to do this.',
};

export const REMEDIES: Readonly<Record<Remedy, RemedyText>> = {
  announce: {
    title: 'Set the name that your mail server announces',
    what:
      'A mail server gives its name at the beginning of every session (HELO or EHLO). It should be the full public ' +
      'name of the host, such as ‹mail.example.org›, which DNS knows with the address that your mail leaves from. ' +
      'It need not be the domain of your addresses.',
    ways: [
      {
        where: 'Postfix',
        how: "‹postconf -e 'myhostname = mail.example.org'›, then ‹postfix reload›. Where ‹smtp_helo_name› is set in main.cf, or for a service in master.cf, that counts.",
      },
      {
        where: 'Exim',
        how: '‹primary_hostname = mail.example.org› at the top of the configuration. Where the transport for remote mail has ‹helo_data›, that counts. On Debian: ‹MAIN_HARDCODE_PRIMARY_HOSTNAME = mail.example.org› in /etc/exim4/exim4.conf.localmacros, ‹update-exim4.conf›, and restart Exim.',
      },
      {
        where: 'Sendmail',
        how: "‹define(`confDOMAIN_NAME', `mail.example.org')dnl› in sendmail.mc; then make sendmail.cf from it and restart Sendmail.",
      },
      {
        where: 'Microsoft Exchange',
        how: 'The name belongs to the Send connector: Exchange admin center, mail flow, send connectors, the connector, scoping, FQDN; or ‹Set-SendConnector -Identity "Internet" -Fqdn mail.example.org›. If it is left empty, Exchange gives the name of the computer, which often ends in ‹.local›.',
      },
      {
        where: 'Microsoft 365',
        how: 'Mail that leaves Microsoft 365 by itself has names of Microsoft, which you cannot set; if one of those is refused, tell the receiver. If it leaves by an Exchange server of your own, see there.',
      },
      {
        where: 'cPanel and WHM',
        how: 'The name is that of the server (WHM, Networking Setup, Change Hostname), unless the Exim Configuration Manager is set to take names from ‹/etc/mailhelo›, which has a line for each domain.',
      },
      {
        where: 'Plesk',
        how: 'The name is the full host name under Tools & Settings, Server Settings. Under Mail Server Settings, the outgoing mail mode says whether each domain is announced under its own name instead.',
      },
      {
        where: 'Printers, cameras, programs on a PC or web server',
        how: 'Few of them can give a proper name. Let them log in at a mail server (port 587 or 465) instead of sending straight to the receiver.',
      },
      ASK_YOUR_PROVIDER,
    ],
  },
  'give-address': {
    title: 'Publish the address of the name',
    what:
      'In the zone of your domain: ‹mail.example.org. IN A 203.0.113.25›, and ‹IN AAAA 2001:db8::25› if your mail ' +
      'also leaves over IPv6. It is the address that receivers see; behind a firewall or NAT that is the outer one. ' +
      'The refusal has the record with your own name and address in it.',
    ways: [
      {
        where: 'A domain at a registrar or hosting company',
        how: 'In the DNS settings of the domain, add a record of type A (for IPv6: AAAA) for the first part of the name.',
      },
      { where: 'cPanel', how: 'Zone Editor, Manage, Add Record.' },
      {
        where: 'Plesk',
        how: 'Websites & Domains, the domain, DNS Settings, Add Record; then apply the changes.',
      },
      {
        where: 'A name server of your own',
        how: 'Add the record, raise the serial number of the zone, and reload it. In Windows DNS: DNS Manager, the zone, New Host (A or AAAA).',
      },
      ASK_YOUR_PROVIDER,
    ],
  },
  'give-reverse-name': {
    title: 'Have a reverse name set',
    what:
      'A reverse name (PTR record) belongs to the address, so only whoever gave you the address can set it. Ask for ' +
      '‹mail.example.org›, and see that this name has the very address, or it is not believed.',
    ways: [
      {
        where: 'A server at a hosting or cloud company',
        how: 'Look in its panel for "reverse DNS" or "PTR", beside the addresses of the server; else ask support.',
      },
      {
        where: 'A line of your own',
        how: 'Ask the access provider, who sets it for business lines with a fixed address. For others, and for mobile lines, it is not to be had: use a relay.',
      },
      {
        where: 'An address range of your own',
        how: 'Add the PTR record to the zone below ‹in-addr.arpa› or ‹ip6.arpa› that was delegated to you.',
      },
    ],
  },
  'permit-by-spf': {
    title: 'Correct the SPF record of the announced name',
    what:
      'Receivers look for SPF at the name that your server announces, not only at the domain of your addresses. For ' +
      'a name of its own this is enough: ‹mail.example.org. IN TXT "v=spf1 a -all"›. A name may have one record ' +
      'that begins with ‹v=spf1›; with two, neither counts. At most ten of its terms may ask DNS.',
    ways: [
      {
        where: 'There is a record already',
        how: 'Add ‹ip4:203.0.113.25› or ‹ip6:2001:db8::25›, with the address that the refusal names, right after ‹v=spf1›: what stands after an ‹all› is not read. A record ‹v=spf1 -all› at a name says that no host has that name.',
      },
      {
        where: 'It is not your domain',
        how: 'Announce a name of your own instead: see "Set the name that your mail server announces".',
      },
    ],
  },
  'permit-by-csa': {
    title: 'Correct the CSA record of the announced name',
    what:
      'An SRV record at ‹_client._smtp.mail.example.org› says whether a host of that name sends mail: ‹IN SRV 1 2 0 ' +
      'mail.example.org.› permits the addresses of its target, a weight of 1 denies. Hardly anybody needs one: ' +
      'removing the record helps as well.',
    ways: [],
  },
  'permit-by-auth-record': {
    title: 'Correct the _auth record of your domain',
    what:
      'A TXT record at ‹_auth.example.org› with ‹helo=› lists the addresses of all hosts that may give names in that ' +
      'domain. Add yours, or remove the record.',
    ways: [],
  },
  'send-by-relay': {
    title: 'Send through the mail relay of your provider',
    what:
      'Every access provider, and whoever hosts your mailbox, has a server that takes mail from you after a login ' +
      '(port 587 or 465) and delivers it under its own name.',
    ways: [
      {
        where: 'Postfix',
        how: '‹relayhost = [smtp.provider.example]:587›, with ‹smtp_sasl_auth_enable = yes› and the password in ‹smtp_sasl_password_maps›.',
      },
      {
        where: 'Exim on Debian',
        how: '‹dpkg-reconfigure exim4-config›, "mail sent by smarthost"; the password goes into /etc/exim4/passwd.client.',
      },
      {
        where: 'Sendmail',
        how:
          "‹define(`SMART_HOST', `[smtp.provider.example]')dnl› and " +
          "‹define(`RELAY_MAILER_ARGS', `TCP $h 587')dnl› in sendmail.mc; the login goes into the file of ‹FEATURE(`authinfo')dnl›.",
      },
      { where: 'Microsoft Exchange', how: 'Send connector, delivery, "Route mail through smart hosts".' },
      {
        where: 'Microsoft 365',
        how: 'Mail from your mailboxes already leaves through it. Devices and programs can hand it theirs, by SMTP AUTH or a connector.',
      },
      {
        where: 'cPanel and WHM',
        how: 'Exim Configuration Manager, Advanced Editor: a router to the relay, with a login of its own.',
      },
      { where: 'Plesk', how: 'Tools & Settings, External SMTP Server.' },
      {
        where: 'Printers, cameras, programs',
        how: 'Give them that server, port and login as their SMTP server.',
      },
    ],
  },
  'try-again': {
    title: 'Wait: your mail server tries again by itself',
    what:
      'A refusal with a code that begins with 4 is for now only. Mail servers keep such a message and try again for ' +
      'days. Programs that do not (forms on web sites, devices) should use a relay.',
    ways: [],
  },
  'opt-out': {
    title: 'Do without a name of the host',
    what:
      'A host that changes its address cannot keep an address record. Let it log in at a mail server and send through ' +
      'that, or announce its address in brackets, such as ‹[203.0.113.25]›. The owner of the name can also declare, by ' +
      '‹_auth.phone.example.org. IN TXT "method=none"›, that a host under it does not identify itself.',
    ways: [ASK_YOUR_PROVIDER],
  },
  'repair-dns': {
    title: 'Have the name servers looked at',
    what:
      'The refusal names the question that was not answered. If it is about your domain, ask it of each name server ' +
      'of the domain, for example ‹dig mail.example.org A @ns1.example.org›; all have to answer, with the same. If ' +
      'it is about a name in ‹in-addr.arpa› or ‹ip6.arpa›, the name servers are those of your provider. The word ' +
      'in parentheses says what happened.',
    ways: [
      {
        where: 'timeout',
        how: 'A name server said nothing, or not in time: see that it runs and can be reached.',
      },
      {
        where: 'bogus',
        how:
          'The name servers do answer, but the signatures (DNSSEC) are wrong or have expired: sign the zone again, ' +
          'or have the old key removed at your registrar.',
      },
      {
        where: 'servfail, refused',
        how: 'A name server answered that it cannot, or does not want to: look whether it has loaded the zone.',
      },
    ],
  },
  'remove-fields': {
    title: 'Remove the header fields',
    what:
      'Authentication-Results fields in the name of the receiver do not belong in what you send. Mail software does ' +
      'not write them by itself; look for a program or rule that adds them, or for a message that went in circles.',
    ways: [],
  },
  'ask-the-receiver': {
    title: 'Ask the receiver',
    what:
      'Only the receiver can change this. Quote the whole refusal: the reference at its end leads to what was seen. ' +
      'Mail to its ‹postmaster› address passes this check, unless the receiver refuses before it knows whom mail is for.',
    ways: [],
  },
};

/** What helps against a finding, the most likely first. The receiver can be asked about those without any. */
export function remediesOf({ cure, cureWith = {}, remedies = [] }: FindingSpec): readonly Remedy[] {
  const cures = [...(cure === undefined ? [] : [cure]), ...Object.values(cureWith)];
  const all = [...new Set([...cures, ...remedies])];
  return all.length === 0 ? ['ask-the-receiver'] : all;
}
