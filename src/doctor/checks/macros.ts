/** What the MTA tells us about a session, and in which version of the protocol. */
import { attached } from '../attachment.ts';
import { defineDoctorCheck, diagnosis } from '../diagnosis.ts';
import { splitList } from '../postfix-value.ts';

export const macrosCheck = defineDoctorCheck({
  topic: 'Protocol and macros',
  diagnoses: {
    'postfix-protocol-old': {
      severity: 'warning',
      meaning:
        'milter_protocol is below 6: we cannot ask for the macros we need, and Postfix sends those that its milter_*_macros list.',
      cure: 'Remove milter_protocol from main.cf; 6 is the default since Postfix 2.6.',
    },
    'postfix-macros-missing': {
      severity: 'wrong',
      meaning:
        'With milter_protocol below 6, milter_mail_macros has no {auth_authen}: users who have logged in are judged like strangers.',
      cure: 'Remove milter_protocol and milter_mail_macros from main.cf.',
    },
  },
  run({ mta, options }) {
    if (mta?.kind !== 'postfix') return [];
    const old = attached(mta, options).find(({ ours }) => ours.protocol < 6);
    if (old === undefined) return [];
    const macros = splitList(mta.config.value('milter_mail_macros'));
    return [
      diagnosis(
        'postfix-protocol-old',
        `${old.service.title} speaks milter protocol ${old.ours.protocol} with us`,
        ['main.cf', 'milter_protocol = 6'],
      ),
      ...(macros.some((name) => name.replaceAll(/[{}]/g, '') === 'auth_authen')
        ? []
        : [
            diagnosis('postfix-macros-missing', 'milter_mail_macros has no {auth_authen}', [
              'main.cf',
              `milter_mail_macros = ${[...macros, '{auth_authen}'].join(' ')}`,
            ]),
          ]),
    ];
  },
});
