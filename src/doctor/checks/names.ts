/** The names and addresses that nobody but us may use. */
import { isWithin } from '../../core/domain.ts';
import { defineDoctorCheck, diagnosis, type Diagnosis } from '../diagnosis.ts';
import type { SourcedName } from '../mta.ts';

/** The most names to print; the line to change has them all. */
const SHOWN = 5;

export const namesCheck = defineDoctorCheck({
  topic: 'Our names',
  diagnoses: {
    'our-names-known': {
      severity: 'ok',
      meaning:
        'We know the names of the MTA. It tells us its own name (macro j) and the address of the service without being asked.',
      cure: null,
    },
    'our-name-missing': {
      severity: 'warning',
      meaning: 'The MTA takes mail for itself under names that strangers may still give in HELO.',
      cure: 'Give them with --our-name.',
    },
    'hosted-domain-unclaimed': {
      severity: 'note',
      meaning:
        'The MTA takes mail for domains that strangers may give in HELO. If no other host sends mail with names in these domains, claim them.',
      cure: 'Give them with --our-name.',
    },
    'our-address-missing': {
      severity: 'warning',
      meaning: 'The MTA has public addresses that strangers may still give as an address literal.',
      cure: 'Give them with --our-address.',
    },
  },
  run({ mta, options }) {
    if (mta === null) return [];
    const known = [...options.ourName, ...(mta.ownName === null ? [] : [mta.ownName])];
    const unknown = (names: readonly SourcedName[]): SourcedName[] =>
      distinct(names.filter(({ name }) => !known.some((each) => isWithin(name, each))));
    const own = unknown(mta.localNames);
    const hosted = unknown(mta.hostedNames).filter(({ name }) => !own.some((each) => each.name === name));
    const addresses = distinct(
      mta.addresses.filter(({ name }) => !options.ourAddress.some(({ text }) => text === name)),
    );
    const found: Diagnosis<
      'our-names-known' | 'our-name-missing' | 'hosted-domain-unclaimed' | 'our-address-missing'
    >[] = [];
    if (own.length > 0) {
      found.push(diagnosis('our-name-missing', `not claimed: ${listed(own)}`, flags('--our-name', own)));
    }
    if (hosted.length > 0) {
      found.push(
        diagnosis('hosted-domain-unclaimed', `not claimed: ${listed(hosted)}`, flags('--our-name', hosted)),
      );
    }
    if (addresses.length > 0) {
      found.push(
        diagnosis(
          'our-address-missing',
          `not claimed: ${listed(addresses)}`,
          flags('--our-address', addresses),
        ),
      );
    }
    if (found.length === 0) {
      found.push(
        diagnosis('our-names-known', known.length === 0 ? 'none is claimed' : `claimed: ${known.join(', ')}`),
      );
    }
    return found;
  },
});

function distinct(names: readonly SourcedName[]): SourcedName[] {
  return [...new Map(names.map((each) => [each.name, each])).values()];
}

function listed(names: readonly SourcedName[]): string {
  const shown = names.slice(0, SHOWN).map(({ name, from }) => `${name} (${from})`);
  return [...shown, ...(names.length > SHOWN ? [`and ${names.length - SHOWN} more`] : [])].join(', ');
}

function flags(flag: string, names: readonly SourcedName[]): [file: string, line: string] {
  return ['helo-milter', names.map(({ name }) => `${flag} ${name}`).join(' ')];
}
