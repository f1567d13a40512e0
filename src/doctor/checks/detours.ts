/** What keeps Postfix from asking its milters, or makes it ask them where there is no HELO. */
import { attached, oursAmong, reached } from '../attachment.ts';
import { defineDoctorCheck, diagnosis, type Diagnosis } from '../diagnosis.ts';
import { filtersOf, itemsFor, readList } from '../filter-list.ts';
import { splitList } from '../postfix-value.ts';
import { filterOf, milterMaps } from '../postfix.ts';

export const detoursCheck = defineDoctorCheck({
  topic: 'Attached to the MTA',
  diagnoses: {
    'postfix-no-milters': {
      severity: 'wrong',
      meaning:
        'receive_override_options=no_milters switches off all milters of a service that takes mail from outside.',
      cure: 'Remove no_milters; it is meant for the service that takes mail back from a content filter.',
    },
    'postfix-milters-disabled': {
      severity: 'wrong',
      meaning: 'smtpd_milter_maps answers DISABLE to every client.',
      cure: 'Remove the map, or have it name only the networks that are meant.',
    },
    'postfix-milter-maps': {
      severity: 'note',
      meaning:
        'smtpd_milter_maps may give some clients other milters, or none (DISABLE); tables are not opened.',
      cure: 'Make sure that none of its keys is a network from which strangers send.',
    },
    'postfix-non-smtpd': {
      severity: 'note',
      meaning:
        'We are in non_smtpd_milters, by name or by $smtpd_milters. Mail submitted on the host itself has no HELO; Postfix makes one up, from loopback, which is never refused. This gains nothing, and while we are down that mail has to wait (default_action=tempfail).',
      cure: 'Leave us out: name only the other milters in non_smtpd_milters.',
    },
  },
  run({ mta, options }) {
    if (mta?.kind !== 'postfix') return [];
    const inbound = reached(mta, attached(mta, options));
    const { config, services } = mta;
    const found: Diagnosis<
      'postfix-no-milters' | 'postfix-milters-disabled' | 'postfix-milter-maps' | 'postfix-non-smtpd'
    >[] = [];
    for (const { title, role, switchedOff } of services) {
      if (switchedOff === null || (inbound && role !== 'inbound')) continue;
      const line = config.services.find(({ name, type }) => `${name} ${type}` === title);
      const left = splitList(config.value('receive_override_options', line)).filter(
        (option) => option !== 'no_milters',
      );
      const setting = `receive_override_options = ${left.join(', ')}`.trim();
      found.push(
        diagnosis(
          'postfix-no-milters',
          `${title} has ${switchedOff}, so no milter is asked`,
          line?.overrides.has('receive_override_options') === true
            ? ['master.cf', `${title}: -o { ${setting} }`]
            : ['main.cf', setting],
        ),
      );
    }
    for (const line of [
      undefined,
      ...config.services.filter(({ overrides }) => overrides.has('smtpd_milter_maps')),
    ]) {
      const maps = config.value('smtpd_milter_maps', line);
      const { before, all } = milterMaps(maps);
      if (all === 'DISABLE') {
        found.push(
          diagnosis(
            'postfix-milters-disabled',
            `smtpd_milter_maps = ${maps} switches us off for every client`,
            line === undefined
              ? ['main.cf', 'smtpd_milter_maps =']
              : ['master.cf', `${line.name} ${line.type}: -o smtpd_milter_maps=`],
          ),
        );
      } else if (before.length > 0) {
        found.push(
          diagnosis(
            'postfix-milter-maps',
            `${before.join(', ')} may take clients away from us; "postmap -q ADDRESS" shows whether it does`,
          ),
        );
      }
    }
    const list = readList('non_smtpd_milters', config.written('non_smtpd_milters'), {
      config,
      line: undefined,
      filterOf: (text) => filterOf(config, text, null),
    });
    const local = filtersOf(list);
    const ours = oursAmong(local, options);
    if (ours !== null) {
      const others = itemsFor(
        list,
        local.filter((filter) => filter !== ours),
      );
      found.push(
        diagnosis('postfix-non-smtpd', `${ours.socket} is in non_smtpd_milters, where there is no HELO`, [
          'main.cf',
          `non_smtpd_milters = ${others.join(', ')}`.trim(),
        ]),
      );
    }
    return found;
  },
});
